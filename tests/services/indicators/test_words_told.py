"""The words of the pages, told for their readers: those that the pages use, the same ones in each language."""

import re

import pytest

from services.indicators.publish import messages
from tests.harness.system import ROOT
from tests.services.indicators.making import PLAN

LANGUAGES = ("en", "es", "fr")
ROW = re.compile(r"^\| (?P<word>[^|]+) \| (?P<told>[^|]+) \| (?P<where>`[\w.-]+`|[a-z]+|—) \|$", re.MULTILINE)


def rows(lang):
    found = [one.groups() for one in ROW.finditer((ROOT / "docs" / f"words.{lang}.md").read_text())]
    assert len(found) > 20
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_word_is_one_of_the_pages(lang):
    titles = [getattr(one.title, lang) for one in (*PLAN.rows.values(), *PLAN.areas)]
    said = "\n".join([*(form for forms in messages.said(lang).values() for form in forms), *titles]).lower()
    assert [word for word, *_ in rows(lang) if not re.search(rf"\b{re.escape(word.lower())}", said)] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_indicator_named_is_one_of_the_plan(lang):
    named = [where.strip("`") for *_, where in rows(lang) if where.startswith("`")]
    assert len(named) > 15
    assert [one for one in named if one not in PLAN.rows] == []


def test_the_languages_tell_of_the_same():
    english, *others = ([where for *_, where in rows(lang)] for lang in LANGUAGES)
    for other in others:
        assert len(other) == len(english)
        assert [one for one in other if "`" in one] == [one for one in english if "`" in one]
        assert [one.startswith("`") for one in other] == [one.startswith("`") for one in english]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_silence_is_as_long_as_the_plan_says(lang):
    (told,) = (told for _, told, where in rows(lang) if where == "`XC-6.silences`")
    assert re.findall(r"\d+", told) == [str(PLAN.silent_days)]
