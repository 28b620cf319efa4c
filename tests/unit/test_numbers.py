"""Telephone numbers travel as keyed hashes, the same for the same number however it was written down."""

import hashlib
import json
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voprf.ristretto import BlindedInput, Client, Evaluator

from shared.contracts.questions import PhoneAsk, of, read
from shared.numbers import NotProven, e164, evaluators, hashed, token, tokens

KEY = b"the region's key"
VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "phone-hashes.json").read_text())
RFC = json.loads((Path(__file__).parent / "rfc9497.json").read_text())
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


@pytest.mark.parametrize("vector", RFC["vectors"], ids=lambda one: one["Input"])
def test_the_librarys_function_is_that_of_rfc_9497(vector):
    key = Evaluator.from_seed(bytes.fromhex(RFC["seed"]), bytes.fromhex(RFC["keyInfo"]))
    assert key.public_key.serialize().hex() == RFC["pkSm"]
    points = [BlindedInput.deserialize(bytes.fromhex(one)) for one in vector["BlindedElement"].split(",")]
    assert key.evaluate_batch(points).serialize()[64:].hex() == vector["EvaluationElement"].replace(",", "")
    inputs = [bytes.fromhex(one) for one in vector["Input"].split(",")]
    assert ",".join(key.evaluate_known_input(one).hex() for one in inputs) == vector["Output"]


def test_the_published_tokens(tmp_path):
    published = VECTORS["oprf"]
    (tmp_path / "numbers.key").write_text(f"1 {published['seed_hex']}\n")
    key = evaluators(tmp_path / "numbers.key")[1]
    assert key.public_key.serialize().hex() == published["public_key_hex"]
    assert {number: token(key.evaluate_known_input(number.encode())) for number in published["tokens"]} == (
        published["tokens"]
    )
    assert {one["e164"] for one in VECTORS["numbers"]} == set(published["tokens"])


@given(st.binary(min_size=32, max_size=32), numbers(), numbers())
def test_blinding_changes_no_token_and_hides_the_number(seed, number, other):
    key = Evaluator.from_seed(seed, b"crm numbers 1")
    seen = set()
    for _ in range(2):
        client, blinded = Client.blind(number.encode())
        seen.add(blinded.serialize())
        output = client.finalize(key.evaluate(blinded), key.public_key)
        assert output == key.evaluate_known_input(number.encode())
    assert len(seen) == 2, "the same number never looks the same to the service"
    assert (key.evaluate_known_input(other.encode()) == output) == (number == other)


class Region:
    """What answers `numbers`, with a key of its own."""

    def __init__(self, key, wrong=()):
        self.key, self.wrong, self.asked = key, wrong, []

    async def ask(self, service, question, data):
        self.asked.append((service, question, data))
        points = [BlindedInput.deserialize(bytes.fromhex(one)) for one in data["blinded"]]
        made = [self.key.evaluate(point).serialize() for point in points]
        elements = [one[64:].hex() for one in made]
        for number in self.wrong:
            elements[number] = elements[number - 1]
        return of("legal", "numbers").answer(
            version=data["version"],
            public_key="",
            evaluated=tuple(elements),
            proofs=tuple(one[:64].hex() for one in made),
        )


KEYS = {version: Evaluator.from_seed(bytes([version]) * 32, b"crm numbers %d" % version) for version in (1, 2)}
GIVEN = {version: key.public_key.serialize().hex() for version, key in KEYS.items()}


async def test_a_book_is_hashed_in_parts_in_its_order_with_the_newest_key():
    book = [f"+50255{number:06}" for number in range(201)]
    region = Region(KEYS[2])
    found = await tokens(region, book, GIVEN)
    assert found == [token(KEYS[2].evaluate_known_input(number.encode())) for number in book]
    assert [len(data["blinded"]) for _, _, data in region.asked] == [50, 50, 50, 50, 1]
    assert {(service, question, data["version"]) for service, question, data in region.asked} == {
        ("legal", "numbers", 2)
    }
    assert await tokens(Region(KEYS[1]), book[:1], GIVEN, version=1) != found[:1]
    assert await tokens(region, [], GIVEN) == []


@pytest.mark.parametrize("region", [Region(KEYS[1]), Region(KEYS[2], wrong=[1])], ids=["another key", "exchanged"])
async def test_an_answer_that_is_not_proven_is_not_used(region):
    with pytest.raises(NotProven) as raised:
        await tokens(region, ["+50255512345", "+50255512346"], GIVEN)
    assert "502" not in str(raised.value)


async def test_what_is_no_number_is_told_before_anything_is_asked():
    region = Region(KEYS[2])
    with pytest.raises(ValueError, match="not a number"):
        await tokens(region, ["+50255512345", "Maria Canary"], GIVEN)
    assert region.asked == []


@pytest.mark.parametrize("content", ["", "\n", "1", "x 00", "1 zz", f"1 {'5f' * 31}", f"-1 {'5f' * 32}"])
def test_a_file_that_has_no_keys_is_told(tmp_path, content):
    (tmp_path / "wrong").write_text(content)
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        evaluators(tmp_path / "wrong")
