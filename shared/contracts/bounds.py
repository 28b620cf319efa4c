"""The bounds of dates, times, identifiers and claim checks in a report, beyond the form of their types.

The door holds reports to them; what was recorded before there was a bound is still read. Each is said twice, as
keywords of JSON Schema and as a test of the decoded value, of one mind. Patterns are such as RE2 and ECMA 262 read
alike: no look-ahead, no flags.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Of every date and time in a report, as written: laws and papers are old, certificates and deadlines lie ahead."""
PLAN_YEAR = 2000
"""Of the `time` of a report: the first act that counts, a signature of the Convention, is of 2000-12-12."""

# `(?![\s\S])` is "end of text" in Python and in ECMAScript alike; `$` would let a trailing newline through in Python.
END = r"(?![\s\S])"
BEGINS = "(^|[:/])"
BETWEEN = "[._:/-]+"
CAPITALISED = "[A-Z][a-z][a-z]+"
BORN = f"({BETWEEN})?((19|20)?[0-9][0-9])?$"
HEXADECIMAL = "(^|[._:/-])[0-9a-f]{6,}$"
YEAR_AND_NUMBER = f"{BEGINS}(19|20)[0-9][0-9][._:/-]"
PERSONAL = (
    (f"{CAPITALISED}({BETWEEN}[a-z]{{1,3}})*{BETWEEN}{CAPITALISED}", ""),
    (f"{BEGINS}({CAPITALISED}){{2,}}{BORN}", ""),
    (
        f"^([^0-9]*[._:/-])?[a-z]{{4,}}({BETWEEN}[a-z]{{1,3}})*{BETWEEN}[a-z]{{4,}}({BETWEEN}[^0-9]*)?{BORN}",
        HEXADECIMAL,
    ),
    (f"{BEGINS}[A-Z]{{4,}}({BETWEEN}[A-Z]{{1,3}})*{BETWEEN}[A-Z]{{4,}}({BETWEEN}[A-Z]+)*{BORN}", ""),
    (f"{BEGINS}([Tt]el|TEL)?[._:/-]*([0-9][._:/-]*){{8,15}}$", YEAR_AND_NUMBER),
)
"""How names and telephone numbers are written, each with the form that is none all the same.

Two words with capitals, apart or run together. Two words of four letters or more with no digit about them but a year
of birth at the end, unless the last is a hexadecimal number. The same in capitals, with nothing before them. Digits
alone, as many as a telephone number has with its country, unless a year and a number follow (`2024-000123`)."""

SUSPECT = re.compile("[A-Z][a-z][a-z]|^[^0-9]*[0-9]{0,4}$|[0-9._:/-]{8,}$")
"""What all of these have; most identifiers do not, and are done with at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """The bound of one kind of value."""

    keywords: Mapping[str, Any]
    """As JSON Schema says it."""
    holds: Callable[[Any], bool]
    """Whether a decoded value keeps to it."""


def years(first: int, last: int) -> Bound:
    """Return the bound of a date or time whose year, as written, lies between these two (whole centuries), both in it.

    As written, whatever the offset: so a pattern can say it, and no value has to be brought to UTC first.
    """

    def holds(value: date) -> bool:
        return first <= value.year <= last

    centuries = "|".join(str(century) for century in range(first // 100, last // 100))
    keywords = {
        "pattern": f"^(({centuries})[0-9][0-9]|{last})-",
        "x-minimum": f"{first}-01-01",
        "x-maximum": f"{last}-12-31",
    }
    return Bound(keywords, holds)


def _pseudonym() -> Bound:
    forms = [(re.compile(form).search, re.compile(unless).search if unless else None) for form, unless in PERSONAL]
    suspect = SUSPECT.search

    def holds(value: str) -> bool:
        if suspect(value):
            for form, unless in forms:
                if form(value) and not (unless and unless(value)):
                    return False
        return True

    refused = [
        {"allOf": [{"pattern": form}, {"not": {"pattern": unless}}]} if unless else {"pattern": form}
        for form, unless in PERSONAL
    ]
    return Bound({"not": {"anyOf": refused}}, holds)


def shaped(pattern: str, bound: Bound | None = None) -> Bound:
    """Return the bound of texts that have this form, and keep to another bound too."""
    form = re.compile(pattern)

    def holds(value: str) -> bool:
        return bool(form.search(value)) and (bound is None or bound.holds(value))

    return Bound({**(bound.keywords if bound else {}), "pattern": pattern}, holds)


def at_most(most: int) -> Bound:
    """Return the bound of numbers that are no more than this."""
    return Bound({"maximum": most}, lambda value: bool(value <= most))


def one_of(values: Sequence[str]) -> Bound:
    """Return the bound of texts that are one of these."""
    known = frozenset(values)
    return Bound({"enum": [*values]}, lambda value: value in known)


def without(pattern: str) -> Bound:
    """Return the bound of texts in which nothing has this form."""
    form = re.compile(pattern)

    def holds(value: str) -> bool:
        return not form.search(value)

    return Bound({"not": {"pattern": pattern}}, holds)


YEARS = years(FIRST_YEAR, LAST_YEAR)
SINCE_PLAN = years(PLAN_YEAR, LAST_YEAR)
HAPPENED = Bound(
    {
        "pattern": f"^[{PLAN_YEAR // 1000}-9][0-9][0-9][0-9]-",
        "x-minimum": f"{PLAN_YEAR}-01-01",
        "x-maximum": "24 hours ahead",
    },
    lambda value: bool(value.year >= PLAN_YEAR),
)
"""When a report's event happened; how far ahead that may lie, a clock tells and no schema."""
PSEUDONYM = _pseudonym()
WORD = without("([0-9]_*){7}")
"""A lower-case word is no telephone number."""


def _any_case(text: str) -> str:
    return "".join(f"[{one.upper()}{one.lower()}]" if one.isalpha() else f"[{one}]" for one in text)


MARKS = "!#$%&'*+.^_`|~0-9-"
CHARSET = f'{_any_case("charset")}=("{_any_case("utf-8")}"|{_any_case("utf-8")})'
OTHER = f'[{MARKS}ABD-Zabd-z][{MARKS}A-Za-z]*=([{MARKS}A-Za-z]+|"[ !#-~]*")'
JSON = shaped(f"^{_any_case('application/json')}([ \t]*;[ \t]*({CHARSET}|{OTHER}))*[ \t]*{END}")
"""The media type of JSON (RFC 9110), in UTF-8 if a parameter says so: other charsets are refused."""
