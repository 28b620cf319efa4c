"""The project's documents as pages: in the reader's language where there are such, and every link leads somewhere."""

import html
import io
import re
import urllib.request
from functools import cache

import pytest
from PIL import Image

from services.indicators.publish import manuals
from tests.harness.screens import BYTES_MAX, SHOWN
from tests.harness.system import ROOT
from tests.services.indicators.serving import example_fold, get, served, viewed


@pytest.fixture(scope="module")
def base():
    with served(viewed(example_fold())) as address:
        yield address


def links(text):
    main = text.partition("<main")[2].partition("</main>")[0]
    return [html.unescape(link) for link in re.findall(r'<a href="([^"]*)"', main)]


def test_all_documents_are_listed_and_every_link_of_each_leads_to_what_is_there(base):
    """From the list by every link between documents, in each language; an anchor must be on the page it names."""

    @cache
    def page(path):
        status, text, headers = get(base + path)
        assert status == 200, path
        return text, headers.get_content_type()

    waiting, seen = [f"/docs?lang={lang}" for lang in ("es", "en", "fr")], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        text, media = page(path)
        if media == "application/json":
            continue
        for link in links(text):
            target, _, anchor = link.partition("#")
            if target.startswith(("http:", "https:")):
                continue
            assert not re.search(r"\.md$|^[^/]", target or "/"), f"{path} leads to {link}, which is no address here"
            if (target or path).startswith("/docs"):
                whole, _ = page(target or path)
                assert not anchor or f'id="{anchor}"' in whole, f"{path} leads to {link}, and there is no such place"
                waiting.append(target or path)
    names = {manuals.named(file.stem)[0] for file in (ROOT / "docs").glob("*.md")}
    assert {path.partition("?")[0] for path in seen if ".json" not in path} == {"/docs"} | {
        f"/docs/{name}" for name in names
    }


def test_every_picture_of_a_document_is_there_and_has_words(base):
    seen = set()
    for name, languages in manuals.known().items():
        for lang in languages:
            text = get(f"{base}/docs/{name}?lang={lang}")[1]
            assert "mermaid" not in text, name
            for tag in re.findall(r"<img [^>]*>", text.partition("<article")[2]):
                source, said = (re.search(rf'{one}="([^"]*)"', tag)[1] for one in ("src", "alt"))
                assert len(said) > 10, f"{name}: {source} has no words"
                with urllib.request.urlopen(base + source, timeout=60) as answer:  # HTTPError: there is no such picture
                    assert answer.headers.get_content_type() in manuals.PICTURES.values()
                    assert len(answer.read()) > 100
                seen.add(source)
    assert {"/docs/drawings/event.svg", "/docs/bench/fold.svg"} <= seen
    assert {f"/docs/screens/{name}.png" for name in SHOWN} <= seen, "each picture that is kept is shown"


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_of_a_page_is_light_and_as_wide_as_the_page(name):
    content = (manuals.FOLDER / "screens" / f"{name}.png").read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.width == SHOWN[name].width
        assert picture.height > 400
    assert len(content) <= BYTES_MAX


@pytest.mark.parametrize("name", ["nothing/event.svg", "drawings/nothing.svg", "drawings/..%2fplan.md", "../README.md"])
def test_what_is_no_picture_is_not_found(base, name):
    assert get(f"{base}/docs/{name}", Accept="text/html")[0] == 404


def test_who_reads_spanish_gets_spanish_and_else_is_told_what_there_is(base):
    spanish = get(f"{base}/docs/watching?lang=es")[1]
    assert "<h1 id=" in spanish
    assert 'lang="es"' in spanish.partition("<article")[2].partition(">")[0]
    english = get(f"{base}/docs/operations?lang=es")[1]
    assert "No hay versión en español; esta está en inglés." in english
    assert 'lang="en"' in english.partition("<article")[2].partition(">")[0]


@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e%2fREADME", "watching.es", "README.md", "index.html"])
def test_what_is_no_document_is_not_found(base, name):
    assert get(f"{base}/docs/{name}?lang=es", Accept="text/html")[0] == 404


def test_pages_need_no_styles_of_their_own(base):
    """The pages' policy forbids them; a table's numbers are aligned by the style sheet."""
    text = get(f"{base}/docs/performance?lang=en")[1]
    assert "style=" not in text.partition("<main")[2]
    assert "<table " in text


def test_a_heading_has_the_anchor_that_the_files_link_to():
    taken = {}
    assert manuals.slug("Sign your reports", taken) == "sign-your-reports"
    assert manuals.slug("Sign your reports", taken) == "sign-your-reports-1"
    assert manuals.slug("crm.victims.victim.status_changed.v1", taken) == "crmvictimsvictimstatus_changedv1"
    assert manuals.slug("¿Qué página responde qué?", taken) == "qué-página-responde-qué"


def test_a_word_leads_to_the_indicator_that_counts_it(base):
    for lang in ("es", "en", "fr"):
        assert f'/indicators/XC-6?lang={lang}"' in get(f"{base}/docs/words?lang={lang}")[1]


def test_french_is_set_as_the_pages_are(base):
    """Typed apostrophes are printed as such, and no line begins with a colon; what is code stays as it is."""
    page = get(f"{base}/docs/method?lang=fr")[1].partition("<article")[2].partition("</article>")[0]
    said = html.unescape(re.sub(r"<code>.*?</code>|<[^>]*>", "", page))
    assert "d\N{RIGHT SINGLE QUOTATION MARK}" in said
    assert not re.search(r"\w'\w| [;:?!]", said)


def test_what_is_printed_in_columns_keeps_them_and_a_long_sentence_is_not_cut(base):
    html = get(f"{base}/docs/tutorial?lang=en")[1]
    told = {start: attributes for attributes, start in re.findall(r"<pre([^>]*)><code>(\w+)", html)}
    assert 'class="scroll" tabindex="0"' in told["IE"], "a table of figures"
    assert "scroll" not in told["invalid"], "a refusal, with what was meant at its end"
