import re

import pytest

from services.indicators.figures import examples
from services.indicators.publish import messages, pages, reports
from services.indicators.publish.store import Published
from services.indicators.publish.words import words
from shared.contracts import registry
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.language import faults
from tests.services.indicators.making import CONTRACTS, PLAN, event, folded, instant
from tests.services.indicators.serving import Again, get, served, viewed

pytestmark = pytest.mark.long

WORKED = examples.by_row(examples.load())
NOW = instant("2004-07-15")


@pytest.fixture(scope="module")
def fold():
    """What a region knows in which every country reported every type, each a few times."""
    names = sorted({one.name for one in registry().values() if one.name in CONTRACTS and not one.generic})
    days = ("2003-11-03T10:00:00Z", "2004-05-04T10:00:00Z")
    every = [event(name, country, day) for name in names for country in MEMBERS for day in days * 6]
    soon = {"late": False, "latency_s": 7200}
    return folded(*every, *[event("victims.referral.accepted", one, **soon) for one in MEMBERS for _ in range(12)])


@pytest.fixture(scope="module")
def base(fold):
    quarters = ("2003-Q2", "2003-Q4", "2004-Q1", "2004-Q2")
    held = [Published(one, revision, NOW, b"") for one in quarters for revision in (1, 2)]

    async def report(quarter, revision):
        part = folded() if revision == 1 else fold
        return (
            reports.content(reports.report(PLAN, part.state, quarter, revision or 2)) if quarter in quarters else None
        )

    async def all_reports():
        return held

    again = Again(event("intel.band.dismantled"), event("legal.person.detained"), event("victims.service.provided"))
    given = {
        "now": lambda: NOW,
        "examples": WORKED,
        "report": report,
        "reports": all_reports,
        "played": True,
        "recall": again,
    }
    with served(viewed(fold, **given)) as address:
        yield address


@pytest.mark.parametrize("lang", ["es", "en", "fr"])
def test_no_page_shows_a_raw_code_another_language_or_its_numbers(base, lang):
    """From the board and the last report by every link to the last page."""
    waiting, found, seen = [f"/?lang={lang}", f"/objectives?lang={lang}"], {}, set()
    while waiting:
        path = waiting.pop()
        status, body, headers = get(base + path)
        assert status == 200, path
        if headers["content-type"].startswith("text/html"):
            for fault in faults(body, lang):
                found.setdefault(fault, path)
            links = re.findall(rf'<a [^>]*href="(/[^"#]*\?lang={lang})', body)
            waiting += [link for link in dict.fromkeys(links) if link not in seen]
            seen |= {*links}
    assert len(seen) > len(PLAN.rows)
    assert f"/reports/2003-Q2?lang={lang}" in seen
    assert words(lang).text["seconds"] in get(f"{base}/indicators/VA-5.1b?lang={lang}")[1]
    assert not found, "\n".join(sorted(f"{path}: {fault}" for fault, path in found.items()))


@pytest.mark.parametrize(
    ("lang", "page", "fault"),
    [
        ("es", "<td>female</td>", "raw value: female"),
        ("en", "<td>material_de_apoyo</td>", "a name with underscores: material_de_apoyo"),
        ("fr", "<td>DocumentForger</td>", "a name of joined words: DocumentForger"),
        ("en", "<p>of intel.document.flagged</p>", "a dotted name: intel.document.flagged"),
        ("es", "<p title='GTM informa'>-</p>", "a country's code: GTM"),
        ("en", "<td>2004-03-01</td>", "a day or month as a machine writes it: 2004-03-01"),
        ("es", "<th>Unknown</th>", ""),
        ("es", "<th>Pause updates</th>", "untranslated: Pause updates"),
        ("fr", "<th>Reanudar la actualización</th>", "untranslated: Reanudar la actualización"),
        ("en", "<td>12345</td>", "number without groups: 12345"),
        ("es", "<td>97.7 %</td>", "number or mark of another language: 97.7 %"),
        ("es", "<td>2,67</td>", "number or mark of another language: 2,67"),
        ("fr", "<td>2.67</td>", "number or mark of another language: 2.67"),
        ("fr", "<td>12%</td>", "number or mark of another language: 12%"),
        ("es", "<code>female</code> <p lang='en'>female</p> 1,234.5 97.7% IE-3.1ii 2004", ""),
    ],
)
def test_what_a_reader_stumbles_over_is_found(lang, page, fault):
    found = faults(page, lang)
    assert any(one.startswith(fault) for one in found) if fault else not found


def test_a_translation_taken_away_is_found_on_the_page(monkeypatch, fold):
    """The control of the walk: without its words in Spanish, a text is told in English."""
    whole = messages.said

    def without(lang):
        return whole(lang) | ({"text.pause": whole("en")["text.pause"]} if lang == "es" else {})

    def board():
        return pages.render("scoreboard.html", "es", PLAN, areas=[], parts={}, asked={}, choices=[])

    assert not faults(board(), "es")
    monkeypatch.setattr(messages, "said", without)
    pages.words.cache_clear()
    try:
        assert "untranslated: Pause updates" in faults(board(), "es")
    finally:
        pages.words.cache_clear()
