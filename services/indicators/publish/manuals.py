"""The project's documents as pages: `docs/*.md` made into HTML, in the reader's language where there is such a one.

`watching.es.md` is the Spanish `watching.md`; what has no such suffix is English.
"""

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from services.indicators.planned.plan import Plan
from services.indicators.publish import pages
from services.indicators.publish.words import LANGUAGES, typeset, words

_HERE = Path(__file__)
FOLDER = next((one for one in (_HERE.parents[3] / "docs", _HERE.parents[1] / "docs") if one.is_dir()), _HERE.parents[1])
"""Of a checkout or an image; of the wheel, which brings them beside the service."""
DEFAULT = "en"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "docs_reading": ("watching", "method", "words", "troubleshooting", "minister", "plan"),
    "docs_connecting": ("tutorial", "conectar", "integrating", "testkit", "contracts", "api"),
    "docs_running": ("operations", "keys", "security"),
    "docs_changing": ("architecture", "glossary", "changing", "translating", "decisions", "performance", "ATTRIBUTION"),
}
"""A heading -> the documents below it. What is in none stands at the end of the last."""
PICTURES: Mapping[str, str] = {"svg": "image/svg+xml", "png": "image/png"}
"""The kinds of pictures in documents -> their media types."""
ROLES: Mapping[str, str] = {
    "table_open": "table",
    "thead_open": "rowgroup",
    "tbody_open": "rowgroup",
    "tr_open": "row",
    "th_open": "columnheader",
    "td_open": "cell",
}
"""What the parts of a table are to a screen reader, which would not know where they stand under one another."""
_SUFFIX = re.compile(rf"\.({'|'.join(code for code, _ in LANGUAGES)})$")
_PRINTED = re.compile(r"<pre><code>(.*?)</code></pre>", re.DOTALL)
_COLUMNS = re.compile(r"\S {2,}\S")
_LINK = re.compile(r"^([\w.-]+)\.md(#.*)?$")


@cache
def known() -> dict[str, dict[str, Path]]:
    """Return the documents: name -> language -> file. A name is a file's, without language and `.md`."""
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(FOLDER.glob("*.md")):
        name, lang = named(file.stem)
        found.setdefault(name, {})[lang or DEFAULT] = file
    return found


def named(stem: str) -> tuple[str, str]:
    """Split a file's stem into the document's name and its language; empty: it names none."""
    suffix = _SUFFIX.search(stem)
    return (stem[: suffix.start()], suffix[1]) if suffix else (stem, "")


def contents(lang: str, plan: Plan) -> str:
    """Return the page that lists all documents, each by its title in the reader's language, or in one that there is."""
    said, left = words(lang, plan), {*known()}
    groups = []
    for heading, names in GROUPS.items():
        left -= {*names}
        groups.append((said.text[heading], [_listed(lang, name) for name in names if name in known()]))
    groups[-1][1].extend(_listed(lang, name) for name in sorted(left))
    return pages.render("documents.html", lang, plan, groups=groups)


def document(lang: str, plan: Plan, name: str) -> str:
    """Return the page of a document; KeyError where there is none of that name."""
    of, file = _best(lang, name)
    said = words(lang, plan)
    only = "" if of == lang else said.text["docs_only"].format(language=_called(lang, of))
    body = Markup(_body(file, lang, of, frozenset(plan.rows)))  # noqa: S704 - our own
    return pages.render("document.html", lang, plan, name=_title(file, of), of=of, only=only, body=body)


def _listed(lang: str, name: str) -> dict[str, str]:
    of, file = _best(lang, name)
    return {"name": name, "title": _title(file, of), "of": of, "called": "" if of == lang else _called(lang, of)}


def _best(lang: str, name: str) -> tuple[str, Path]:
    there = known()[name]
    return next((one, there[one]) for one in (lang, DEFAULT, *there) if one in there)


def _called(lang: str, of: str) -> str:
    return str(Locale(lang).languages[of])


@cache
def _title(file: Path, of: str) -> str:
    first = next((line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# ")), file.stem)
    return typeset(first.removeprefix("# "), of)


@cache
def _body(file: Path, lang: str, of: str, rows: frozenset[str]) -> str:
    made = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens, environment = made.parse(file.read_text(encoding="utf-8")), {}  # type: ignore[var-annotated]
    taken: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slug(_plain(tokens[at + 1]), taken))
        elif "right" in str(token.attrs.pop("style", "")):  # the pages allow no styles beside the style sheet's
            token.attrSet("class", "number")
        if role := ROLES.get(token.type):
            token.attrSet("role", role)
        for one in token.children or ():
            if one.type == "link_open":
                one.attrSet("href", address(str(one.attrs["href"]), lang))
            elif one.type == "text":
                one.content = typeset(one.content, of)
            elif one.type == "code_inline" and one.content in rows:  # an indicator: its page tells the rest
                code = f'<a href="/indicators/{one.content}?lang={lang}" class="row"><code>{one.content}</code></a>'
                one.type, one.content = "html_inline", code
            elif one.type == "image" and str(one.attrs["src"]) in pictures():
                one.attrSet("src", f"/docs/{one.attrs['src']}")
                one.attrSet("loading", "lazy")
    _label(tokens)
    html = str(made.renderer.render(tokens, made.options, environment))
    html = html.replace("<table ", '<div class="scroll" tabindex="0"><table ').replace("</table>", "</table></div>")
    return _PRINTED.sub(_in_columns, html)


def _in_columns(printed: re.Match[str]) -> str:
    """Have what a program prints in columns scroll, and all else go on in the next line."""
    columns = sum(1 for line in printed[1].splitlines() if _COLUMNS.search(line)) > 1
    return f'<pre class="scroll" tabindex="0"><code>{printed[1]}</code></pre>' if columns else printed[0]


def _label(tokens: Sequence[Token]) -> None:
    """Have each cell say its column, for a telephone, where the cells of a row stand under one another.

    A table of numbers stays one: it is narrow, and its numbers are compared.
    """
    heads: list[str] = []
    at, table = 0, Token("", "", 0)
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            heads, table = [], token
            table.attrSet("class", "stacked")
        elif token.type == "th_open":
            heads.append(_plain(tokens[place + 1]))
        elif token.type == "tr_open":
            at = 0
        elif token.type == "td_open":
            token.attrSet("data-label", heads[at])
            at += 1
        if "number" in str(token.attrs.get("class", "")):
            table.attrs.pop("class", None)


def _plain(inline: Token) -> str:
    return "".join(one.content for one in inline.children or () if one.type in {"text", "code_inline"})


def slug(text: str, taken: MutableMapping[str, int]) -> str:
    """Return a heading's anchor as GitHub makes it: lower case, dashes for blanks, a number from the second on."""
    made = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
    taken[made] = taken.get(made, -1) + 1
    return f"{made}-{taken[made]}" if taken[made] else made


def address(link: str, lang: str) -> str:
    """Return where a link between the files leads on the board."""
    if found := _LINK.match(link):
        name, of = named(found[1])
        return f"/docs/{name}?lang={of or lang}{found[2] or ''}"
    if link.endswith(".json") and "/" not in link:
        return f"/docs/{link}"
    return link


def files() -> Iterator[str]:
    """Yield the names of the documents that are for programs."""
    return (file.name for file in sorted(FOLDER.glob("*.json")))


@cache
def pictures() -> frozenset[str]:
    """Return the pictures that documents show: folder and name."""
    return frozenset(f"{file.parent.name}/{file.name}" for kind in PICTURES for file in FOLDER.glob(f"*/*.{kind}"))


def content(name: str) -> Any:
    """Return what a file holds that is no document, as bytes."""
    return (FOLDER / name).read_bytes()
