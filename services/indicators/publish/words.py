"""One language of the pages: texts, units, values, numbers, times, dates, countries."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

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
from shared.contracts.vocabulary import MEMBERS, REGION

LANGUAGES = (("es", "Español"), ("en", "English"), ("fr", "Français"))
LOCALES = {"es": "es_419", "en": "en", "fr": "fr"}
"""In most member countries that speak Spanish a comma groups thousands, as in CLDR's Latin American Spanish."""
SHARE, TIME = "ratio", "seconds"
"""The units whose figures are shown with a unit of their own: as a percentage, and as days, hours, minutes, seconds."""
STEPS = (("day", 86_400, 2), ("hour", 3_600, 1), ("minute", 60, 1), ("second", 1, 0))
"""The units of a duration, their seconds, and of how many on one is used: 36 hours, but 2 days."""
_ALPHA_2 = {code: names[0] for code, names in get_global("territory_aliases").items() if len(code) == len("MEX")}
"""ISO 3166-1 alpha-3 -> alpha-2, by which CLDR names territories."""
_SPACED = re.compile(r" ([;:!?»])")
"""In French these stand behind a space that no line ends at."""
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


class Words:
    """The words of one language, and of a plan where one is given."""

    def __init__(self, lang: str, plan: Plan | None = None) -> None:
        self.lang = lang
        self.locale = LOCALES[lang]
        self._said = messages.said(lang)
        several = {key: words[1] for key, words in self._said.items()}
        self.text, self.units, self.labels, self.fields, self.values, self.events = (
            _of(kind, several) for kind in messages.KINDS
        )
        self.units_of_one = _of("unit", {key: words[0] for key, words in self._said.items()})
        self._cldr = Locale.parse(self.locale)
        self._named: dict[str, str] = {}
        self._decimals = {one.id: one.decimals for one in plan.rows.values()} if plan else {}
        self._translations = plan.translations if plan else {}
        if plan:
            self.units |= {name: self.title(text) for name, text in plan.units.items()}
            self.labels |= {name: self.title(text) for name, text in plan.labels.items()}
            titles = {one.id: one.title for one in plan.areas} | {one.id: one.title for one in plan.rows.values()}
            self._named = {name: f"{name} · {self.title(title)}" for name, title in titles.items()}

    def title(self, text: Text) -> str:
        """Return a title of the plan."""
        found = str(getattr(text, self.lang))
        return (
            _SPACED.sub("\u00a0\\1", found.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"))
            if self.lang == "fr"
            else found
        )

    def own(self, text: str) -> dict[str, str]:
        """Return the plan's own words as it has them (`original`, in the language `lang`) and translated (`ours`)."""
        if MONTH.fullmatch(text):
            return {"original": self.months(text), "lang": self.lang, "ours": ""}
        known = self._translations.get(text)
        ours = self.months(self.title(known)) if known and self.lang != "es" else ""
        return {"original": words("es").months(text), "lang": "es", "ours": ours}

    def counted(self, key: str, n: int) -> str:
        """Return a text that speaks of a number: in the singular or plural, with the number in it."""
        words = self._said[f"text.{key}"]
        return words[0 if self._one(n) else 1].replace("{n}", self.number(n))

    def figure(self, row: Measured, value: float | None, *, short: bool = False) -> str:
        """Return a row's figure in its unit; a share with as many decimals as the row has."""
        return self.number(value, row.unit, short=short, decimals=self._decimals.get(row.id, 1))

    def number(self, value: float | None, unit: str = "", *, short: bool = False, decimals: int = 1) -> str:
        """Return a figure: a share as a percentage (`short`: without a zero after the point), a time as a duration."""
        if value is None:
            return "—"
        if unit == SHARE:
            pattern = _PER_CENT.sub(f"0.{('#' if short else '0') * decimals}", self._cldr.percent_formats[None].pattern)
            return str(format_percent(value, pattern, locale=self.locale))
        if unit == TIME:
            return self.duration(value)
        return str(format_decimal(round(value, 3), locale=self.locale))

    def duration(self, seconds: float) -> str:
        """Return a time in words, in one unit or two: 3 days, 4 hours."""
        if seconds < 0:
            return f"\N{MINUS SIGN}{self.duration(-seconds)}"
        first = next(at for at, (_, length, least) in enumerate(STEPS) if seconds >= least * length)
        steps = STEPS[first : first + 2]
        smallest = steps[-1][1]
        rest = round(seconds / smallest)
        parts: list[str] = []
        for name, length, _ in steps:
            whole, rest = divmod(rest, length // smallest)
            if whole or (not parts and length == smallest):
                parts.append(str(format_unit(whole, f"duration-{name}", locale=self.locale)))
        return self.text["duration"].format(*parts) if len(parts) > 1 else parts[0]

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
        return str(format_date(when, "medium", locale=self.locale)) if when else ""

    def weekday(self, when: date) -> str:
        """Return a date in full with the day of the week: Tuesday, July 6, 2004."""
        return str(format_date(when, "full", locale=self.locale))

    def month(self, when: date) -> str:
        """Return the month of a day in short: mar 2004."""
        return str(format_skeleton("yMMM", when, locale=self.locale))

    def quarter(self, name: str, *, short: bool = False) -> str:
        """Return what a quarter (`2004-Q2`) is called: 2nd quarter 2004, or in short Q2 2004."""
        skeleton = "yQQQ" if short else "yQQQQ"
        return str(format_skeleton(skeleton, quarter_end(name), locale=self.locale))

    def moment(self, when: datetime) -> str:
        """Return a day and time; plan time is UTC."""
        return f"{format_date(when, 'long', locale=self.locale)}, {when:%H:%M:%S} UTC"

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

    def unknown(self, reason: str, missing: list[str]) -> str:
        """Say why a verdict is not known, and for which countries; empty: it is known."""
        if not reason:
            return ""
        names = ", ".join(self.countries(missing))
        return self.text[f"unknown_{reason}"] + (f"{self.text['colon']} {names}" if names else "")

    def parts(self, parts: Parts | None) -> str:
        """Say of how many rows a figure is made, and of how many of them nothing is known."""
        return self.text["parts"].format(**msgspec.structs.asdict(parts)) if parts else ""


def _by_letter(name: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(one))


def _of(kind: str, said: Mapping[str, str]) -> dict[str, str]:
    """Return the words of one kind by their name."""
    return {key.partition(".")[2]: words for key, words in said.items() if key.startswith(f"{kind}.")}


@lru_cache(maxsize=len(LANGUAGES) * 8)
def words(lang: str, plan: Plan | None = None) -> Words:
    """Return the words of one of `LANGUAGES`, with those that a plan brings for its units, labels, rows."""
    return Words(lang, plan)
