"""The method's pages, in three languages: each number on them is the plan's, and each word the pages' own."""

import re
from datetime import date

import pytest

from services.indicators.planned.checks import COMPOSED
from services.indicators.publish.words import Words
from tests.harness.system import ROOT
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import example_fold, get, served, viewed

LANGUAGES = ("en", "es", "fr")
WORDS_MAX = 850
"""Two screens."""
SENTENCE_MAX = 20
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
DATES = r"\b20\d\d\b|IE-3\.1ii|Jun 30,|30 ju[in]+"
SCORE, CITED = "XC-4", "IE-3.1ii"


def plain(text):
    """Return a text without marks, and with one kind of blank and of apostrophe."""
    text = re.sub(r"\]\([^)]*\)", "", text).replace("[", "").replace("*", "")
    return re.sub(r"\s+", " ", text.replace(APOSTROPHE, "'"))


@pytest.fixture(params=LANGUAGES)
def lang(request):
    return request.param


@pytest.fixture
def page(lang):
    return (ROOT / "docs" / f"method.{lang}.md").read_text()


@pytest.fixture
def said(lang):
    return Words(lang, PLAN)


def test_the_score_is_of_these_parts_by_these_points(page, lang, said):
    inputs = PLAN.rows[SCORE].inputs
    titles = {area.id: area.title for area in PLAN.areas} | {row.id: row.title for row in PLAN.rows.values()}
    total = sum(inputs.values())
    told = re.findall(r"^\| (.+) \| (\d+) \| (.+) \|$", page, re.MULTILINE)
    wanted = [(getattr(titles[one], lang), points) for one, points in inputs.items()]
    assert [(title, float(points)) for title, points, _ in told[:-1]] == wanted
    assert float(told[-1][1]) == total
    for _, points, share in told:
        wanted_share = f"{float(points) / total * 100:.1f}"
        assert share.rstrip("% \u00a0").replace(",", ".") == wanted_share
        assert ("," in share) == (lang == "fr"), "as the locale writes it"


def test_the_targets_that_the_board_counts_are_told_beside_those_that_there_are(page):
    targets = [row for row in PLAN.rows.values() if row.target is not None]
    composed = [row.id for row in targets if row.kind in COMPOSED]
    assert composed == ["LE-2.R2"]
    told = re.search(
        rf"\b{len(targets)}\b(?:(?!\. ).)*`LE-2\.R2`(?:(?!\. ).)* {len(targets) - 1}\. ", " ".join(page.split())
    )
    assert told


def test_each_number_of_the_rule_is_the_plans(page, lang, said):
    rule, text = PLAN.disclosure, plain(page)
    assert (rule.k, rule.base, rule.period) == (11, 11, "quarter")
    numbers = {str(number) for number in (len(PLAN.rows), len(PLAN.milestones), PLAN.silent_days, rule.k)}
    targets = [row for row in PLAN.rows.values() if row.target is not None]
    numbers |= {str(len(targets)), str(sum(row.kind not in COMPOSED for row in targets))}
    told = re.sub(DATES, "", text.partition("|")[0] + text.rpartition("|")[2])
    outside = {"1", "0", "10", "2", "2.0"}
    assert set(re.findall(r"\d+(?:\.\d+)?", told)) - outside == numbers
    assert PLAN.floor == 0.5, "the pages say: half"
    assert {"en": "half of the countries", "es": "la mitad de los países", "fr": "la moitié des pays"}[lang] in text
    assert plain(said.text["few"].format(most=rule.k - 1)) in text


def test_verdicts_and_the_citation_are_in_the_pages_words(page, said, lang):
    text = plain(page).lower()
    for key in ("met", "not_met", "not_known"):
        assert said.text[key].lower() in text
    row = PLAN.rows[CITED]
    cited = said.text["citation_of"].format(
        conference=said.text["conference"], plan=getattr(PLAN.title, lang), title=getattr(row.title, lang),
        id=CITED, day=said.day(date(2004, 6, 30)),
    )  # fmt: skip
    assert plain(cited).lower() in text


def test_it_is_short_and_its_sentences_too(page):
    text = plain(re.sub(r"^[#|].*$", "", page, flags=re.MULTILINE))
    assert len(text.split()) < WORDS_MAX
    sentences = [one for one in re.split(r"(?<=[.!?;])\s|:\s", text) if "2003-2005" not in one]
    assert [one for one in sentences if len(one.split()) > SENTENCE_MAX] == []


@pytest.mark.parametrize("path", ["/", "/indicators/IE-3.1ii", "/docs"])
def test_every_page_leads_to_it(path, lang):
    with served(viewed(example_fold())) as base:
        foot = get(f"{base}{path}?lang={lang}")[1].partition("<footer")[2]
        assert f'href="/docs/method?lang={lang}"' in foot
        assert 'lang="' + lang in get(f"{base}/docs/method?lang={lang}")[1].partition("<article")[2].partition(">")[0]
