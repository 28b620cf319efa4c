"""The question `numbers`: blinded telephone numbers are hashed with the region's key, so many a day for each country.

The key lies here because legal has no address book: whoever has intel's tables cannot try numbers, and whoever has this
key has nothing to try them on. What comes is a random point; the number cannot be told from it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from voprf.ristretto import BlindedInput, Evaluator

from shared.ask.questions import Asked
from shared.contracts import Problem
from shared.contracts.questions import Answered, NumbersAnswer, NumbersAsk, invalid
from shared.flow import quotas
from shared.numbers import evaluators
from shared.run.database import Connection
from shared.run.settings import Settings

PROOF_BYTES = 64


class LegalSettings(Settings):
    """What only legal needs to know."""

    numbers_key: Path | None = None
    """File with the keys that hash telephone numbers, a line each: version and 32 bytes in hexadecimal."""


@cache
def keys() -> Mapping[int, Evaluator]:
    """Return the keys by version; raises ValueError or OSError where there is no such file."""
    file = LegalSettings().numbers_key
    if file is None:
        raise ValueError("no file is named")
    return evaluators(file)


def faults() -> list[str]:
    """Return in words what is wrong with the keys."""
    try:
        keys()
    except (OSError, ValueError) as error:
        return [f"CRM_NUMBERS_KEY names no file of keys to hash telephone numbers with ({type(error).__name__})"]
    return []


async def on_numbers(asked: Sequence[Asked[NumbersAsk]], connection: Connection) -> Sequence[Answered]:
    """Evaluate each country's points, and count them for its day."""
    return [await _answer(one, connection) for one in asked]


async def _answer(one: Asked[NumbersAsk], connection: Connection) -> Answered:
    version = max(keys()) if one.ask.version is None else one.ask.version
    key = keys().get(version)
    if key is None:
        known = ", ".join(map(str, sorted(keys())))
        return invalid(Problem("/version", "unknown_version", f"there are keys of the versions {known}"))
    points, problems = [], []
    for number, blinded in enumerate(one.ask.blinded):
        try:
            points.append(BlindedInput.deserialize(bytes.fromhex(blinded)))
        except ValueError:
            problems.append(
                Problem(f"/blinded/{number}", "bad_point", "not a blinded number: no point of ristretto255")
            )
    if problems:
        return invalid(*problems)
    most = quotas.of(one.country).numbers_per_day
    counted = await connection.fetchval(
        "insert into hashed as h (country, day, numbers) select $1::text, $2::date, $3::integer where $3 <= $4"
        " on conflict (country, day) do update set numbers = h.numbers + excluded.numbers"
        " where h.numbers + excluded.numbers <= $4 returning h.numbers",
        one.country,
        one.now.date(),
        len(points),
        most,
    )
    if counted is None:
        message = f"more than the {most} telephone numbers that are hashed for a country in a day: ask again tomorrow"
        return invalid(Problem("/blinded", "too_many_numbers", message))
    outputs = [key.evaluate(point).serialize() for point in points]
    return NumbersAnswer(
        version=version,
        public_key=key.public_key.serialize().hex(),
        evaluated=tuple(output[PROOF_BYTES:].hex() for output in outputs),
        proofs=tuple(output[:PROOF_BYTES].hex() for output in outputs),
    )
