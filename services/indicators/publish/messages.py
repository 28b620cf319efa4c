"""The words of the pages as gettext catalogs: `messages.pot` has the English, `es.po` and `fr.po` what it becomes.

A message's context is its key: what kind of word it is, a dot, and the name under which it is asked for (`text.target`,
`unit.laws`, `value.instrument.TIP`). Its comment tells a translator where it is shown. The catalogs are read as they
are: nothing is compiled.

`python -m services.indicators.publish.messages check` says what is wrong; `merge` brings the languages to the English.
"""

import io
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

_HERE = Path(__file__).parents[1]
FOLDER = _HERE / "locale"
ENGLISH = "messages.pot"
TRANSLATED = {"es": "es_419", "fr": "fr"}
"""Language -> its locale: Spanish is Latin America's."""
KINDS = ("text", "unit", "label", "field", "value", "event", "refusal")
Said = tuple[str, str]
"""What is said of one, and of any other number; twice the same where there is no number."""
_PLACES = re.compile(r"\{[a-z0-9_]*\}")
_ASKED = re.compile(r"""\btext(?:\.|\[")([a-z_]+)\b(?!\()""")


@cache
def said(lang: str) -> dict[str, Said]:
    """Return the words of a language by key; what has no translation is said in English. OSError without the files."""
    found = {_key(one): _pair(one.id) for one in _messages(_read(FOLDER / ENGLISH))}
    if lang in TRANSLATED:
        told = {_key(one): _pair(one.string) for one in _messages(_read(FOLDER / f"{lang}.po", lang))}
        found |= {key: words for key, words in told.items() if all(words)}
    return found


def faults(folder: Path = FOLDER) -> list[str]:
    """Return in words what is missing, fuzzy, untranslated, left over or asked for in vain; empty: nothing."""
    english = {_key(one): one for one in _messages(_read(folder / ENGLISH))}
    found = [*_english_faults(english)]
    for lang in TRANSLATED:
        found += [f"{lang}.po: {fault}" for fault in _translation_faults(english, _read(folder / f"{lang}.po", lang))]
    return found


def merge(folder: Path = FOLDER) -> None:
    """Bring each language to the English: new messages come without words, changed ones are marked fuzzy."""
    for lang, locale in TRANSLATED.items():
        file, after = folder / f"{lang}.po", Catalog(locale=locale)
        told = {_key(one): one for one in _messages(_read(file, lang))}
        for one in _messages(_read(folder / ENGLISH)):
            had = told.get(_key(one))
            changed = had is not None and had.id != one.id
            after.add(
                one.id,
                had.string if had else None,
                flags=["fuzzy"] if had and had.string and (changed or had.fuzzy) else [],
                auto_comments=one.auto_comments,
                user_comments=had.user_comments if had else [],
                previous_id=had.id if had and changed else [],
                context=one.context,
            )
        head, body = file.read_text(encoding="utf-8").partition("\n\n")[0], io.BytesIO()
        write_po(body, after, width=100, omit_header=True, include_previous=True)
        file.write_text(f"{head}\n\n{body.getvalue().decode()}", encoding="utf-8")


def _read(file: Path, lang: str = "") -> Catalog:
    with file.open("rb") as opened:
        return read_po(opened, locale=TRANSLATED.get(lang), abort_invalid=True)


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (one for one in catalog if one.id)


def _key(one: Message) -> str:
    return str(one.context or one.id)


def _pair(words: str | Sequence[str] | None) -> Said:
    return (words, words) if isinstance(words, str) else (words[0], words[-1]) if words else ("", "")


def _english_faults(english: dict[str, Message]) -> Iterator[str]:
    for key, one in english.items():
        if key.partition(".")[0] not in KINDS:
            yield f"{ENGLISH}: {key}: a key begins with one of {', '.join(KINDS)}"
        if not one.auto_comments:
            yield f"{ENGLISH}: {key}: no comment says where it is shown"
    for file in sorted([*(_HERE / "templates").glob("*.html"), *(_HERE / "publish").glob("*.py")]):
        for name in sorted({*_ASKED.findall(file.read_text(encoding="utf-8"))}):
            if f"text.{name}" not in english:
                yield f"{file.name} asks for text.{name}, which is not in {ENGLISH}"


def _translation_faults(english: dict[str, Message], catalog: Catalog) -> Iterator[str]:
    told = {_key(one): one for one in _messages(catalog)}
    yield from (f"{key}: left over, take it out" for key in sorted(told.keys() - english.keys()))
    yield from (f"{key}: left over, take it out" for key in sorted(_key(one) for one in catalog.obsolete.values()))
    for key, wanted in english.items():
        one = told.get(key)
        if one is None or one.id != wanted.id:
            yield f"{key}: missing, or the English has changed: run merge, then translate it"
        elif one.fuzzy:
            yield f"{key}: fuzzy, look at it and take the mark away"
        elif not all(_pair(one.string)):
            yield f"{key}: untranslated"
        elif _places(one.id) != _places(one.string):
            yield f"{key}: other places in braces than the English"


def _places(words: str | Sequence[str] | None) -> set[str]:
    return {place for text in _pair(words) for place in _PLACES.findall(text)}


if __name__ == "__main__":
    if sys.argv[1:] == ["merge"]:
        merge()
    elif sys.argv[1:] != ["check"]:
        sys.exit("usage: python -m services.indicators.publish.messages check|merge")
    if wrong := faults():
        sys.exit("\n".join(wrong))
