"""Reads a page as somebody who knows one language: raw codes, other languages, and their numbers."""

import re
from functools import cache
from html.parser import HTMLParser

from services.indicators.publish import coverage, messages
from services.indicators.publish.words import words
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN

UNREAD = {"code", "script", "style"}
VOID = {"br", "hr", "img", "input", "link", "meta", "rect", "path", "circle", "line"}
SAID = ("title", "aria-label", "data-label", "alt", "placeholder", "data-pause", "data-resume")
NAMES = {"AsyncAPI", "OpenAPI"}
IDS = re.compile(r"\b(?:MS-)?(?:IE|VA|LE|PC|IP|XC)-[\w.]*\w(?:/\d{4}-\d\d-\d\d)?|\b\d{4}-Q[1-4]\b")
"""Identities of the Plan's rows, milestones and quarters, by which people name them."""
LEVELS = re.compile(
    r"\b(?:Objetiv\w+|Objecti\w+|Resultado|Result|Résultat|Activi\w+|Actividad)\s+\d[\d.]*\b|\(1\.1\.2.*?1\.1\.3\)|\b\d\.0\b"
)
CODES = (
    (re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b"), "a name with underscores"),
    (re.compile(r"\b[a-z]+\.[a-z_]+\.[a-z_]+\b"), "a dotted name"),
    (re.compile(r"\b(?:[A-Z][a-z]+){2,}\b"), "a name of joined words"),
    (re.compile(rf"\b(?:{'|'.join((*MEMBERS, 'REG'))})\b"), "a country's code"),
    (re.compile(r"\b\d{4}-\d\d(?:-\d\d)?\b"), "a day or month as a machine writes it"),
)
YEARS = range(1990, 2201)
WRONG = {
    "es": (r"[\d.,]*\d\s%", r"\d \d{3}\b", r"\d\.\d{3}\.\d", r"\b\d+,\d{1,2}\b"),
    "en": (r"[\d.,]*\d\s%", r"\d \d{3}\b", r"\d\.\d{3}\.\d", r"\b\d+,\d{1,2}\b"),
    "fr": (r"[\d,]*\d%", r"\b\d+\.\d+\b", r"\b\d+,\d{3},\d", r"\S [;:!?»]"),
}


class _Reader(HTMLParser):
    """Collects what is read out in the page's own language."""

    def __init__(self, lang: str) -> None:
        super().__init__()
        self.lang, self.texts = lang, []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag, attrs):
        had = dict(attrs)
        own = "prose" in had.get("class", "").split()  # a document is no page of the board: it names files and codes
        read = self._reading and tag not in UNREAD and not own and had.get("lang", self.lang) == self.lang
        self.texts += [had[name] for name in SAID if read and had.get(name)]
        if tag not in VOID:
            self._open.append((tag, read))

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002 - as the parser calls it
        self.texts += [dict(attrs)[name] for name in SAID if self._reading and dict(attrs).get(name)]

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self._reading and data.strip():
            self.texts.append(" ".join(data.replace("\u202f", "\u00a0").split(" ")).strip(" \n"))

    @property
    def _reading(self) -> bool:
        return not self._open or self._open[-1][1]


def faults(page: str, lang: str) -> set[str]:
    """Return what somebody who reads only `lang` would stumble over."""
    reader = _Reader(lang)
    reader.feed(page)
    return {fault for text in reader.texts for fault in _text_faults(text, lang)}


def _text_faults(text: str, lang: str):
    if text in _raw(lang):
        yield f"raw value: {text}"
    if text in _foreign(lang):
        yield f"untranslated: {text}"
    yield from (f"a place left open: {found} in {text[:80]!r}" for found in re.findall(r"\{\w*\}", text))
    plain = LEVELS.sub("", IDS.sub("", text))
    for pattern, what in CODES:
        yield from (f"{what}: {found} in {text[:80]!r}" for found in pattern.findall(plain) if found not in NAMES)
    for pattern in WRONG[lang]:
        yield from (f"number or mark of another language: {found}" for found in re.findall(pattern, plain))
    for digits in re.findall(r"(?<![\d.,\u00a0])\d{4,}(?![\d.,])", plain):
        if int(digits) not in YEARS:
            yield f"number without groups: {digits}"


@cache
def _raw(lang: str) -> frozenset[str]:
    """Return the values that figures can have and that the language calls otherwise."""
    said = words(lang, PLAN)
    shown = {(label, value) for label, value in coverage.shown(PLAN) if label != "input" and not value.isdigit()}
    called = {text for key, text in said.values.items()} | {
        *said.text.values(),
        *said.labels.values(),
        *said.units.values(),
    }
    return frozenset(value for label, value in shown if said.called(label, value) != value and value not in called)


@cache
def _foreign(lang: str) -> frozenset[str]:
    """Return the texts of other languages that this one says otherwise."""
    own = {text for pair in messages.said(lang).values() for text in pair}
    others = (other for other in ("es", "en", "fr") if other != lang)
    return frozenset(text for other in others for pair in messages.said(other).values() for text in pair) - own
