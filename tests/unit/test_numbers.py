"""Telephone numbers travel as keyed hashes, the same for the same number however it was written down."""

import hashlib
import json
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.questions import PhoneAsk, of, read
from shared.numbers import e164, hashed

KEY = b"the region's key"
VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "phone-hashes.json").read_text())
REGION = ("BZ", "CA", "CR", "DO", "SV", "GT", "HN", "MX", "NI", "PA", "US", "EC", "CU", "BR", "AR", "ES")


@st.composite
def numbers(draw):
    """A number that its country has: an example of the library's with other last digits."""
    kind = draw(st.sampled_from([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]))
    example = phonenumbers.example_number_for_type(draw(st.sampled_from(REGION)), kind)
    whole = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    return whole[:-4] + f"{draw(st.integers(0, 9999)):04}"


@given(numbers(), st.randoms())
def test_it_does_not_matter_how_a_number_is_written_down(number, chance):
    written = number[0] + "".join(digit + chance.choice(["", "", " ", "-", ".", " ("]) for digit in number[1:])
    assert hashed(written, KEY) == hashed(number, KEY)
    parsed = phonenumbers.parse(number)
    assert hashed(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL), KEY) == hashed(
        number, KEY
    )


@given(numbers(), numbers())
def test_two_numbers_have_two_hashes_and_two_keys_too(number, other):
    assert (hashed(number, KEY) == hashed(other, KEY)) == (number == other)
    assert hashed(number, KEY) != hashed(number, KEY + b"2")


@given(numbers())
def test_a_hash_is_what_the_contract_asks_for(number):
    agreed = of("intel", "phone")
    asked = read(agreed, b'{"hash": "%s"}' % hashed(number, KEY).encode())
    assert asked == PhoneAsk(hash=hashed(number, KEY))


@pytest.mark.parametrize(
    "former", ["+52 1 55 1234 5678", "+5215512345678", "+52 044 55 1234 5678", "+52 01 55 1234 5678"]
)
def test_mexican_numbers_of_before_2019_are_those_of_today(former):
    assert hashed(former, KEY) == hashed("+52 55 1234 5678", KEY)


@pytest.mark.parametrize("vector", VECTORS["numbers"], ids=lambda one: ascii(one["written"]))
def test_the_published_vectors(vector):
    key = bytes.fromhex(VECTORS["key_hex"])
    assert e164(vector["written"]) == vector["e164"]
    assert hashed(vector["written"], key) == vector["hash"]
    assert hashlib.blake2b(vector["e164"].encode("ascii"), key=key, digest_size=32).hexdigest() == vector["hash"]


@pytest.mark.parametrize(
    "number", [*VECTORS["refused"], "+502" + " " * 50 + "55512345", "\x00", "+\ud800", "+²²²²²²²²"]
)
def test_what_is_no_number_is_refused_without_being_quoted(number):
    with pytest.raises(ValueError, match="international form") as refusal:
        hashed(number, KEY)
    assert not number or number not in str(refusal.value)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 to 64"):
        hashed("+50255512345", b"short")
