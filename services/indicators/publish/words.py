"""One language of the pages: texts, units, values, numbers, times, dates, countries."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from services.indicators.figures.figures import Parts
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan
from services.indicators.planned.schedule import quarter_end
from services.indicators.publish import messages
from services.indicators.publish.rounding import Aim, told
from shared.contracts.vocabulary import MEMBERS, REGION

LANGUAGES = (("es", "Español"), ("en", "English"), ("fr", "Français"))
LOCALES = {"es": "es_419", "en": "en", "fr": "fr"}
"""In most member countries that speak Spanish a comma groups thousands, as in CLDR's Latin American Spanish."""
SHARE, TIME = "ratio", "seconds"
"""The units whose figures are shown with a unit of their own: as a percentage, and as days, hours, minutes, seconds."""
MULTIPLE = "ratio to the half-year before"
"""The unit whose figures all have as many decimals, so that one sees which is more."""
PLACES = 2
"""Decimals of a figure that is no whole number: of a multiple always, of others where they are not 0."""
STEPS = (("day", 86_400, 2), ("hour", 3_600, 1), ("minute", 60, 1), ("second", 1, 0))
"""The units of a duration, their seconds, and of how many on one is used: 36 hours, but 2 days."""
_ALPHA_2 = {code: names[0] for code, names in get_global("territory_aliases").items() if len(code) == len("MEX")}
"""ISO 3166-1 alpha-3 -> alpha-2, by which CLDR names territories."""
_SPACED = re.compile(r" ([;:!?»])")
"""In French these stand behind a space that no line ends at."""
_NUMBERED = re.compile(r"(\d) ")
_HUNDREDTHS = 2
"""A percentage has so many decimals fewer than the share that it tells."""
_PER_CENT = re.compile(r"0(?=\s*%)")
MONTH = re.compile(r"\b(\d{4})-(\d{2})\b(?!-)")
"""A month in the plan's own words, as `2003-08`."""


class Measured(Protocol):
    """A row, or what a report says of one."""

    @property
    def id(self) -> str:
        """By which the plan knows it."""

    @property
    def unit(self) -> str:
        """What its figures are numbers of."""

    @property
    def kind(self) -> str:
        """What is made of its events."""

    @property
    def target(self) -> float | None:
        """What it is to come to."""


class Words:
    """The words of one language, and of a plan where one is given."""

    def __init__(self, lang: str, plan: Plan | None = None) -> None:
        self.lang = lang
        self.locale = LOCALES[lang]
        self._said = messages.said(lang)
        several = {key: words[1] for key, words in self._said.items()}
        self.text, self.units, self.labels, self.fields, self.values, self.events, self.refusals = (
            _of(kind, several) for kind in messages.KINDS
        )
        self.units_of_one = _of("unit", {key: words[0] for key, words in self._said.items()})
        self._cldr = Locale.parse(self.locale)
        self._named: dict[str, str] = {}
        self._rows = plan.rows if plan else {}
        self._translations = plan.translations if plan else {}
        if plan:
            self.units |= {name: self.title(text) for name, text in plan.units.items()}
            self.labels |= {name: self.title(text) for name, text in plan.labels.items()}
            titles = {one.id: one.title for one in plan.areas} | {one.id: one.title for one in plan.rows.values()}
            self._named = {name: f"{name} · {self.title(title)}" for name, title in titles.items()}

    def title(self, text: Text) -> str:
        """Return a title of the plan."""
        return typeset(str(getattr(text, self.lang)), self.lang)

    def own(self, text: str) -> dict[str, str]:
        """Return the plan's own words as it has them (`original`, in the language `lang`) and translated (`ours`)."""
        if MONTH.fullmatch(text):
            return {"original": self.months(text), "lang": self.lang, "ours": ""}
        known = self._translations.get(text)
        original, ours = words("es").months(text), self.months(self.title(known)) if known and self.lang != "es" else ""
        return {"original": original, "lang": "es", "ours": ours if ours != original else ""}

    def counted(self, key: str, n: float, decimals: int = 1) -> str:
        """Return a text that speaks of a number: in the singular or plural, with the number in it."""
        words = self._said[f"text.{key}"]
        return words[0 if self._one(n) else 1].replace("{n}", self.number(n, decimals=decimals))

    def changed(self, value: float | None, before: float | None) -> dict[str, Any] | None:
        """Return by how many points a share has changed, and in words; None: one of the two is not known."""
        if value is None or before is None:
            return None
        points = round(100 * (value - before), 1)
        which = "same" if not points else "more" if points > 0 else "less"
        return {"which": which, "points": abs(points), "said": self.counted(f"change_{which}", abs(points))}

    def figure(self, row: Measured, value: float | None, *, short: bool = False) -> str:
        """Return a row's figure in its unit; a share with as many decimals as the row has."""
        return self.figures(row, value, short=short)[0]

    def figures(self, row: Measured, *values: float | None, short: bool = False) -> list[str]:
        """Return several figures of a row to stand beside one another.

        None reads as if it met a target that it misses, and what differs reads as different.
        """
        planned = self._rows.get(row.id)
        aim = Aim(row.target, planned.direction if planned else "at_least")
        known = [value for value in values if value is not None]
        if row.unit == TIME:
            many = next((one for one in (2, 3) if all(_true(aim, value, one) for value in known)), len(STEPS))
            return [_tied(self.duration(value, many)) if value is not None else "—" for value in values]
        share = row.unit == SHARE
        places = (planned.decimals if planned else 1) + _HUNDREDTHS if share else PLACES
        found, places = told(known, aim, places)
        rounded, decimals = iter(found), places - _HUNDREDTHS if share else places
        return [
            "—" if value is None else self.number(float(next(rounded)), row.unit, short=short, decimals=decimals)
            for value in values
        ]

    def of_country(self, row: Measured, value: float | None) -> tuple[str, str]:
        """Return a country's own figure, and what stands behind it; where countries are counted, it is one or is not.

        It counts as one where it has any of what is asked.
        """
        if row.kind == "countries" and value is not None:
            return self.text["yes" if value else "no"], ""
        return self.figure(row, value), self.unit(row.unit, value)

    def number(self, value: float | None, unit: str = "", *, short: bool = False, decimals: int = 1) -> str:
        """Return a figure: a share as a percentage (`short`: without a zero after the point), a time as a duration."""
        if value is None:
            return "—"
        if unit == SHARE:
            pattern = _PER_CENT.sub(f"0.{('#' if short else '0') * decimals}", self._cldr.percent_formats[None].pattern)
            return str(format_percent(value, pattern, locale=self.locale))
        if unit == TIME:
            return self.duration(value)
        fixed = unit == MULTIPLE and not short
        pattern = f"#,##0.{('0' if fixed else '#') * max(PLACES, decimals)}"
        return str(format_decimal(value, pattern, locale=self.locale))

    def duration(self, seconds: float, most: int = 2) -> str:
        """Return a time in words, in one unit or two (`most`: or as many): 3 days, 4 hours."""
        if seconds < 0:
            return f"\N{MINUS SIGN}{self.duration(-seconds, most)}"
        steps = _steps(seconds, most)
        smallest = steps[-1][1]
        rest = round(seconds / smallest)
        parts: list[str] = []
        for name, length, _ in steps:
            whole, rest = divmod(rest, length // smallest)
            if whole or (not parts and length == smallest):
                parts.append(str(format_unit(whole, f"duration-{name}", locale=self.locale)))
        *first, last = parts
        return self.text["duration"].format(", ".join(first), last) if first else last

    def unit(self, unit: str, value: float | None) -> str:
        """Return what stands behind a figure of this unit, where it does not say so itself."""
        if unit in (SHARE, TIME):
            return ""
        one = value is not None and self._one(value)
        return (self.units_of_one if one else self.units).get(unit) or self.units.get(unit, unit)

    def _one(self, value: float) -> bool:
        return bool(self._cldr.plural_form(abs(value)) == "one")

    def value(self, label: str, value: str) -> str:
        """Return what a label's value is called; the value itself where there is no word for it."""
        return self.called(label, value) or value

    def called(self, label: str, value: str) -> str:
        """Return what a label's value is called; empty: there is no word for it."""
        found = self.values.get(f"{label}.{value}") or self.values.get(value)
        if found or not value:
            return found or ""
        if label == "currency":
            return str(self._cldr.currencies.get(value, ""))
        if label == "doc_code" and len(value) <= len("PP"):
            kind = {"P": "doc_passport", "V": "doc_visa"}.get(value[0], "doc_card")
            return self.text[kind].format(code=value)
        return self._named.get(value, "") or self._territory(value)

    def field(self, name: str) -> str:
        """Return what a field of a report is called."""
        return self.labels.get(name) or self.fields.get(name, name)

    def event(self, name: str) -> str:
        """Return what an event type is called, by `service.entity.verb`; empty: there are no words for it."""
        return self.events.get(name) or self.events.get(name.partition(".")[2], "")

    def day(self, when: date | datetime | None) -> str:
        """Return a date in full, empty for none."""
        return self._date(when, "medium") if when else ""

    def weekday(self, when: date) -> str:
        """Return a date in full with the day of the week: Tuesday, July 6, 2004."""
        return self._date(when, "full")

    def _date(self, when: date, form: str) -> str:
        said = str(format_date(when, form, locale=self.locale))
        # French counts the first of a month, which the CLDR does not know.
        return re.sub(r"\b1 ", "1er ", said, count=1) if self.lang == "fr" and when.day == 1 else said

    def month(self, when: date) -> str:
        """Return the month of a day in short: mar 2004."""
        return str(format_skeleton("yMMM", when, locale=self.locale))

    def quarter(self, name: str, *, short: bool = False) -> str:
        """Return what a quarter (`2004-Q2`) is called: 2nd quarter 2004, or in short Q2 2004."""
        skeleton = "yQQQ" if short else "yQQQQ"
        return str(format_skeleton(skeleton, quarter_end(name), locale=self.locale))

    def moment(self, when: datetime) -> str:
        """Return a day and time; plan time is UTC."""
        return f"{self._date(when, 'long')}, {when:%H:%M:%S} UTC"

    def months(self, text: str) -> str:
        """Return a text of the plan with its months in words: `2003-08` as August 2003."""
        return MONTH.sub(
            lambda m: str(format_skeleton("yMMMM", date(int(m[1]), int(m[2]), 1), locale=self.locale)), text
        )

    def place(self, value: str) -> str:
        """Return the country's name where the value is a member's code, else the value."""
        return self.country(value) if value in MEMBERS else value

    def country(self, code: str) -> str:
        """Return a country's name; the region's for REG."""
        return self.text["region"] if code == REGION else self._territory(code)

    def countries(self, codes: Iterable[str]) -> list[str]:
        """Return the names of countries as the language lists them: by letter, accents aside."""
        return sorted(map(self.country, codes), key=_by_letter)

    def by_name(self, codes: Iterable[str]) -> list[str]:
        """Return the codes of countries in the order of their names."""
        return sorted(codes, key=lambda code: _by_letter(self.country(code)))

    def _territory(self, code: str) -> str:
        return str(self._cldr.territories.get(_ALPHA_2.get(code, ""), ""))

    def unknown(self, reason: str, missing: list[str], value: float | None) -> str:
        """Say why a verdict on a published figure is not known, and for which countries; empty: it is known."""
        if not reason:
            return ""
        if reason == "hidden" and value is not None:  # it is published, and of how many countries it is is not
            return self.text["unknown_reporting"]
        names = ", ".join(self.countries(missing))
        return self.text[f"unknown_{reason}"] + (f"{self.text['colon']} {names}" if names else "")

    def parts(self, parts: Parts | None) -> str:
        """Say of how many rows a figure is made, and of how many of them nothing is known."""
        return self.counted("parts", parts.rows).format(**msgspec.structs.asdict(parts)) if parts else ""


def _steps(seconds: float, most: int) -> tuple[tuple[str, int, int], ...]:
    """Return in which units a time is told."""
    first = next(at for at, (_, length, least) in enumerate(STEPS) if seconds >= least * length)
    return STEPS[first : first + most]


def _true(aim: Aim, seconds: float, most: int) -> bool:
    """Say whether a time told in so many units is on the same side of its target."""
    smallest = _steps(abs(seconds), most)[-1][1]
    return aim.met(Decimal(round(seconds / smallest) * smallest)) == aim.met(Decimal(seconds))


def _tied(duration: str) -> str:
    """Return a time whose numbers and units no line ends between."""
    return _NUMBERED.sub("\\1\u00a0", duration)


def typeset(text: str, lang: str) -> str:
    """Return a text with the marks and spaces that its language prints, and people seldom type."""
    if lang != "fr":
        return text
    return _SPACED.sub("\u00a0\\1", text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")).replace("« ", "«\u00a0")


def _by_letter(name: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(one))


def _of(kind: str, said: Mapping[str, str]) -> dict[str, str]:
    """Return the words of one kind by their name."""
    return {key.partition(".")[2]: words for key, words in said.items() if key.startswith(f"{kind}.")}


@lru_cache(maxsize=len(LANGUAGES) * 8)
def words(lang: str, plan: Plan | None = None) -> Words:
    """Return the words of one of `LANGUAGES`, with those that a plan brings for its units, labels, rows."""
    return Words(lang, plan)
