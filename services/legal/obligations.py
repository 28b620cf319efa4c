"""What each treaty asks of the law of a party."""

import tomllib
from pathlib import Path

import msgspec

from shared.contracts.vocabulary import Instrument


def load(file: Path) -> dict[Instrument, tuple[str, ...]]:
    """Return the articles per treaty, in their order; msgspec.ValidationError names what the file has wrong."""
    found = msgspec.convert(tomllib.loads(file.read_text()), dict[Instrument, dict[str, str]])
    return {instrument: tuple(articles) for instrument, articles in found.items()}


OBLIGATIONS = load(Path(__file__).with_name("obligations.toml"))
