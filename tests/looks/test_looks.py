"""What a real browser makes of the pages: nothing overlaps, nothing is cut, and what is chosen is shown at once."""

import json
import subprocess
import sys

import pytest
import weasyprint

from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import get

WIDTHS = (320, 800, 1400, 2560)
FIRST_MAX = 12
"""So many screens of a small telephone, 320 by 640, come before the first row."""
ROWS_MAX = 85
"""And so many are all 200 rows, the milestones and who reported."""
PAPER_HIGH = 990
"""Of A4 without its margins, in CSS pixels."""
PAGES_MAX = 40
"""Of a report on paper: a summary, what changed, a page or two an area, a page a country, the annex."""
WORDS_MIN = 8
"""So many pieces of text stand on each of its pages: none is empty, or has a rest of the one before."""
BYTES_MAX = 150_000
"""Of a page with all that it loads."""
FAULTS = """(() => {
  const wide = document.documentElement.clientWidth;
  const seen = (one) => one.checkVisibility() && one.getBoundingClientRect().right > 1 && !one.closest(".skip, svg");
  const name = (one) => `${one.tagName} ${one.textContent.trim().slice(0, 40)}`;
  const texts = "a, p, h1, h2, h3, td, th, caption, button, select, input, .badge, .what, .when";
  const each = [...document.querySelectorAll(`main :is(${texts}), header a, header p, footer p`)].filter(seen);
  const boxes = each.map((one) => [one, [...one.getClientRects()]]);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  const found = [];
  boxes.forEach(([one, mine], at) => boxes.slice(at + 1, at + 300).forEach(([other, theirs]) => {
    if (!one.contains(other) && !other.contains(one) && mine.some((a) => theirs.some((b) => meet(a, b)))) {
      found.push(`${name(one)} over ${name(other)}`);
    }
  }));
  for (const one of document.querySelectorAll("main *, header *, footer *")) {
    if (!seen(one) || one.closest(".scroll")) continue;
    if (one.getBoundingClientRect().right > wide + 1) found.push(`cut: ${name(one)}`);
  }
  for (const one of document.querySelectorAll(".card, .map a")) {
    if (one.scrollWidth > one.clientWidth + 1) found.push(`too wide: ${name(one)}`);
  }
  return found;
})()"""


@pytest.mark.parametrize(
    "path",
    [
        *("/?lang=es", "/?lang=fr", "/countries/DOM?lang=fr", "/objectives?lang=en", "/nothing?lang=es"),
        *("/reports?lang=es", "/reports/2004-Q2?lang=fr", "/desk?lang=fr", "/desk/agenda?lang=es", "/status?lang=fr"),
        *("/indicators/IE-3.1ii?lang=es&by=month&figure=period", "/indicators/VA-2.1?lang=fr", "/wall?lang=fr"),
        *("/indicators/XC-4?lang=en", "/indicators/IE-3.1ii/behind?lang=es", "/contracts?lang=fr"),
        *("/docs?lang=es", "/docs/watching?lang=es", "/docs/operations?lang=fr", "/docs/plan?lang=es"),
    ],
)
def test_nothing_overlaps_and_nothing_is_cut(base, page, path):
    for width in WIDTHS:
        page.open(base + path, width)
        assert page.value(FAULTS) == [], width
        assert page.value("document.documentElement.scrollWidth") <= width


def test_what_overlaps_is_found(base, page):
    """The control."""
    page.open(f"{base}/?lang=es", 1400)
    page.value("document.querySelector('#part-areas h2').style.marginBottom = '-3rem'")
    assert page.value(FAULTS)


@pytest.mark.parametrize(
    "path",
    ["/", "/objectives", "/contracts", "/reports/2004-Q2", "/desk", "/wall", "/indicators/IE-3.1ii", "/countries/HND"],
)
def test_a_page_with_all_that_it_loads_is_light(base, page, path):
    """As it travels: a browser that takes gzip counts the bytes itself."""
    page.send("Network.enable")
    page.send("Network.setCacheDisabled", cacheDisabled=True)
    page.open(f"{base}{path}?lang=es", 1400)
    page.send("Network.disable")
    weights = page.value(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter((one) => !one.name.includes('/events')).map((one) => one.encodedBodySize)"
    )
    print(path, sum(weights), "bytes")
    assert min(weights) > 0
    assert len(weights) > 1
    assert 1000 < sum(weights) <= BYTES_MAX


def test_the_first_row_is_not_far_down(base, page):
    page.open(f"{base}/?lang=es", 320)
    assert page.value("document.getElementById('rows').getBoundingClientRect().top") < FIRST_MAX * 640


def test_a_telephone_gives_a_row_its_whole_width(base, page):
    """A title in a third of it is torn into syllables, and the page is four fifths of empty paper."""
    page.open(f"{base}/?lang=es", 320)
    least = "Math.min(...[...document.querySelectorAll('.rows tbody th')].map((one) => one.clientWidth))"
    assert page.value(least) > 280
    assert page.value("document.documentElement.scrollHeight") < ROWS_MAX * 640


@pytest.mark.parametrize("path", ["/docs/troubleshooting?lang=es", "/docs/words?lang=fr", "/docs/method?lang=fr"])
def test_a_telephone_shows_a_documents_tables_whole(base, page, path):
    page.open(base + path, 320)
    assert page.value("[...document.querySelectorAll('.prose td')].filter((one) => one.checkVisibility()).length") > 10
    cut = "[...document.querySelectorAll('.prose .scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1)"
    assert page.value(f"{cut}.length") == 0


@pytest.mark.parametrize(
    "path",
    ["/?lang=es", "/countries/DOM?lang=en", "/desk?lang=fr", "/desk/agenda?lang=es", "/indicators/IE-3.1ii?lang=fr"],
)
def test_paper_loses_no_column_and_has_no_controls(base, page, path):
    page.open(base + path, 718, media="print")  # A4 without its margins
    assert page.value(FAULTS) == []
    wide = "[...document.querySelectorAll('table')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)"
    assert page.value(f"{wide}.length") == 0
    controls = "[...document.querySelectorAll('nav, button, select, input')].filter((one) => one.checkVisibility())"
    assert page.value(f"{controls}.length") == 0


def test_paper_has_the_boards_first_screen_on_its_first_page(base, page):
    """And what is left of it right behind: no part begins a page of its own, as in a report."""
    page.open(f"{base}/?lang=es", 718, media="print")
    begin = "[...document.querySelectorAll('main *')].filter((one) => getComputedStyle(one).breakBefore === 'page')"
    assert page.value(f"{begin}.length") == 0
    page.open(f"{base}/reports/2004-Q2?lang=es", 718, media="print")
    assert page.value(f"{begin}.map((one) => one.id)") != []
    page.open(f"{base}/?lang=es", 718, media="print")
    bottom = "document.querySelector('.first').getBoundingClientRect().bottom"
    assert page.value(bottom) < PAPER_HIGH


@pytest.mark.parametrize("path", ["/?lang=es", "/reports/2004-Q2?lang=fr", "/objectives?lang=en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_number_stays_with_its_word(base, page, path, width):
    """In two lines, "Open:" and "17" read as nothing."""
    page.open(base + path, width)
    pairs = "[...document.querySelectorAll('.whole')].filter((o) => o.checkVisibility() && !o.closest('.tiles'))"
    broken = "(o) => o.getBoundingClientRect().height > 1.6 * parseFloat(getComputedStyle(o).lineHeight)"
    assert page.value(f"{pairs}.length") > 1
    assert page.value(f"{pairs}.filter({broken}).map((o) => o.textContent)") == []


def test_the_parts_of_the_score_open_where_one_asks_for_them(base, page):
    page.open(f"{base}/?lang=es", 1400)
    assert page.value("document.querySelector('main').innerText.split('Cómo se calcula').length") == 1 + 1
    assert page.value("document.getElementById('part-made').checkVisibility()") is False
    page.click("Cómo se calcula")
    assert page.value("document.getElementById('part-made').checkVisibility()") is True


def test_dark_where_the_reader_wants_it(base, page):
    paper = "getComputedStyle(document.body).backgroundColor"
    page.open(f"{base}/?lang=en", 800, dark=True)
    dark = page.value(paper)
    page.open(f"{base}/?lang=en", 800)
    assert dark != page.value(paper)


def test_rows_are_chosen_at_once(base, page):
    page.open(f"{base}/?lang=en", 1400)
    page.value("document.querySelector('[name=area]').value = 'LE'")
    page.value("document.querySelector('[name=area]').dispatchEvent(new Event('change', {bubbles: true}))")
    look = "const look = () => document.getElementById('row-IE-1.1') ? setTimeout(look, 50) : then(true)"
    assert page.value(f"new Promise((then) => {{ {look}; look(); }})")
    assert page.value("document.querySelectorAll('#chosen tbody tr').length") > 10
    assert page.value("location.search") == "?lang=en&area=LE"


def test_a_report_as_pdf_has_everything_within_its_pages(base, tmp_path):
    html = get(f"{base}/reports/2004-Q2?lang=es")[1]
    pages = weasyprint.HTML(string=html, base_url=f"{base}/").render().pages
    assert len(PLAN.areas) + len(MEMBERS) < len(pages) <= PAGES_MAX
    for number, page in enumerate(pages, 1):
        words = [box.text for box in page._page_box.descendants() if getattr(box, "text", "").strip()]
        assert f"{number} / {len(pages)}" in " ".join(words)
        assert len(words) >= WORDS_MIN, (number, words)
        assert not [one for one in words if one.strip() in {"JSON", "CSV", "·"}], number
        for box in page._page_box.descendants():
            if getattr(box, "text", "").strip():
                assert min(box.position_x, box.position_y) >= 0, (number, box.text)
                assert box.position_x + box.width <= page.width + 1, (number, box.text)
                assert box.position_y <= page.height, (number, box.text)
    state = {"http": base, "postgres": ""}
    (tmp_path / "run.json").write_text(json.dumps(state))
    out = tmp_path / "informe.pdf"
    crm = [
        sys.executable,
        "-m",
        "infra.cli",
        "report",
        "2004-Q1",
        "--pdf",
        "--out",
        str(out),
        "--state-dir",
        str(tmp_path),
    ]
    subprocess.run(crm, check=True, capture_output=True)
    assert out.read_bytes().startswith(b"%PDF-")
