"""axe-core finds nothing on any kind of page: WCAG 2.2 A and AA and best practice, wide and narrow, light and dark."""

from importlib.util import find_spec
from pathlib import Path

import pytest

KINDS = (
    *("/", "/desk", "/desk/agenda", "/status", "/wall", "/countries/DOM", "/objectives", "/contracts", "/reports"),
    *("/reports/2004-Q2", "/indicators/IE-3.1ii", "/indicators/VA-4.1", "/indicators/XC-4", "/indicators/VA-5.1b"),
    *("/indicators/IE-3.1ii/behind", "/nothing", "/indicators/NONE"),
)
FOUND = """axe.run(document, {resultTypes: ["violations"]}).then((told) => told.violations.flatMap(
  (one) => one.nodes.map((node) => `${one.id} (${one.impact}): ${node.target.join(" ")}`)))"""


@pytest.fixture(scope="session")
def axe():
    """axe-core's own text, as a package of Python carries it."""
    (place,) = find_spec("axe_playwright_python").submodule_search_locations
    return (Path(place) / "axe.min.js").read_text()


def violations(page, axe):
    page.send("Runtime.evaluate", expression=axe)  # as the debugger does: the page's own policy allows no such script
    return page.value(FOUND)


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize(("width", "dark", "lang"), [(320, False, "es"), (1400, True, "fr"), (2560, False, "en")])
def test_axe_finds_nothing(  # noqa: PLR0913, PLR0917 - where, and how
    base, page, axe, path, width, dark, lang
):
    page.open(f"{base}{path}?lang={lang}", width, dark=dark)
    assert violations(page, axe) == []


def test_axe_finds_what_is_wrong(base, page, axe):
    """The control."""
    page.open(f"{base}/desk?lang=en", 1400)
    page.value("document.querySelector('label[for=key-field]').remove()")
    page.value("document.querySelector('h1').style.color = '#ddd'")
    found = {one.partition(" ")[0] for one in violations(page, axe)}
    assert {"label", "color-contrast"} <= found
