"""The figures in the documents are those of one run, its pictures are whole, and nothing else is touched."""

import xml.etree.ElementTree as ET

import pytest

from tests.bench import curves, documented, suite
from tests.bench.figure import Absent, number, of, write

MACHINE = "2026-11-27, 2 cores"
HERE = [
    of("pipeline", "system / plain way", "times", [7.0, 6.0, 9.0], aim="at least 6"),
    *(
        of("latency", f"recorded, {rate} a second, p50", "ms", [at], curve="latency-p50", line="recorded", at=rate)
        for rate, at in ((10, 8.0), (200, 12.5), (1000, 450.0))
    ),
    of("pages", "scrape, 0 events since", "ms CPU", [2.0, 3.0], curve="pages", line="scrape <0>"),
]
GONE = Absent(measure="as of a day", name="DuckDB", reason="not installed: make bench-peers")
RUN = documented.Run(MACHINE, HERE, [GONE])


def test_what_the_readme_tells_is_of_measures_that_there_are():
    """With this the suite and all that it measures with are imported: what moves away is missed at once."""
    assert {measure for measure, _ in documented.FEW} <= {*suite.MEASURES}


def test_a_figure_is_the_median_with_least_and_most():
    first = HERE[0]
    assert (first.median, first.low, first.high, first.n) == (7.0, 6.0, 9.0, 3)


@pytest.mark.parametrize(("value", "told"), [(0, "0.0"), (0.01234, "0.0123"), (12.34, "12.3"), (12345.6, "12,346")])
def test_numbers_are_told_with_about_three_places(value, told):
    assert number(value) == told


def test_what_is_written_is_read_again(tmp_path):
    write(RUN.results, MACHINE, tmp_path / "bench.json")
    assert documented.read(tmp_path / "bench.json") == RUN


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs").mkdir()
    for page in documented.PAGES:
        (tmp_path / page).write_text("before\n<!-- bench:figures -->\nold\n<!-- /bench -->\nafter\n")
    return tmp_path


def test_only_the_block_of_a_document_is_written_and_twice_is_as_once(root):
    documented.put(RUN, root)
    texts = [(root / page).read_text() for page in documented.PAGES]
    documented.put(documented.read(root / documented.RUN), root)
    assert [(root / page).read_text() for page in documented.PAGES] == texts
    for text in texts:
        assert text.startswith("before\n<!-- bench:figures -->\n")
        assert text.endswith("\n<!-- /bench -->\nafter\n")
        assert "old" not in text
        assert "| pipeline: system / plain way | 7.0 times | 6.0 to 9.0 |" in text
    assert "Not measured: as of a day, DuckDB (not installed: make bench-peers)." in texts[0]
    assert sorted(file.name for file in (root / "docs/bench").iterdir()) == [
        "bench.json", "latency-p50.svg", "pages.svg",
    ]  # fmt: skip


def test_a_document_without_its_block_is_refused_and_nothing_is_written(root):
    (root / "README.md").write_text("nothing\n")
    with pytest.raises(ValueError, match="one block"):
        documented.put(RUN, root)
    assert "old" in (root / documented.PAGES[0]).read_text()
    assert not (root / "docs/bench").exists()


@pytest.mark.parametrize("name", ["latency-p50", "pages"])
def test_a_picture_is_xml_that_stays_within_its_frame(name):
    (text,) = [picture for key, picture in documented.pictures(RUN).items() if key == name]
    picture = ET.fromstring(text)
    height = float(picture.attrib["viewBox"].split()[3])
    for one in picture.iter():
        for key, most in (("x", curves.WIDTH), ("cx", curves.WIDTH), ("y", height), ("cy", height)):
            assert 0 <= float(one.attrib.get(key, 0)) <= most, one.attrib
    assert "prefers-color-scheme: dark" in text


def test_the_documents_say_what_the_run_in_them_found():
    pages = {page: (documented.ROOT / page).read_text() for page in documented.PAGES}
    assert all(len(documented.BLOCK.findall(text)) == 1 for text in pages.values())
    if not (documented.ROOT / documented.RUN).exists():
        assert all(documented.NOTHING in text for text in pages.values())
        return
    run = documented.read(documented.ROOT / documented.RUN)
    for page, lines in documented.blocks(run).items():
        assert "\n".join(lines) in pages[page]
    for name, picture in documented.pictures(run).items():
        assert (documented.ROOT / documented.PLACE / f"{name}.svg").read_text() == picture
