"""Telephone numbers travel as keyed hashes, the same for the same number however it was written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.questions import PhoneAsk, of, read
from shared.numbers import hashed

KEY = b"the region's key"
numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).filter(str.isascii)


@given(numbers, st.randoms())
def test_it_does_not_matter_how_a_number_is_written_down(number, chance):
    written = "".join(digit + chance.choice(["", "", " ", "-", ".", " ("]) for digit in number)
    assert hashed(written, KEY) == hashed(number, KEY)


@given(numbers, numbers)
def test_two_numbers_have_two_hashes_and_two_keys_too(number, other):
    assert (hashed(number, KEY) == hashed(other, KEY)) == (number == other)
    assert hashed(number, KEY) != hashed(number, KEY + b"2")


@given(numbers)
def test_a_hash_is_what_the_contract_asks_for(number):
    agreed = of("intel", "phone")
    asked = read(agreed, b'{"hash": "%s"}' % hashed(number, KEY).encode())
    assert asked == PhoneAsk(hash=hashed(number, KEY))


@pytest.mark.parametrize("number", ["", "50255512345", "+0123456789", "+123", "+1234567890123456", "+502 555 12AB"])
def test_what_is_no_number_is_refused_without_being_quoted(number):
    with pytest.raises(ValueError, match="international form") as refusal:
        hashed(number, KEY)
    assert not number or number not in str(refusal.value)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 to 64"):
        hashed("+50255512345", b"short")
