"""What the docstrings of contracts say, and their fields' types as written: Python drops them, the source has them."""

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple


def plain(text: str) -> str:
    """Return a docstring on one line."""
    return inspect.cleandoc(text).replace("\n", " ")


def compact(content: Any) -> str:
    """Return JSON with one line to a list of plain values: a vocabulary of 250 values is one line of a diff."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text)


class Said(NamedTuple):
    """What the source says of a field."""

    type: str
    text: str


@cache
def fields_said(kind: type) -> Mapping[str, Said]:
    """Return what the source says of a struct's fields, by attribute, inherited ones too."""
    return {
        name: said
        for one in reversed(kind.__mro__)
        if one.__module__.partition(".")[0] not in {"builtins", "msgspec"}
        for name, said in _said_in(one.__module__).get(one.__name__, {}).items()
    }


@cache
def _said_in(module: str) -> Mapping[str, Mapping[str, Said]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_fields(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, Said]]:
    for field, after in pairwise([*node.body, ast.Pass()]):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = plain(str(ast.literal_eval(after.value))) if isinstance(after, ast.Expr) else ""
            yield field.target.id, Said(ast.unparse(field.annotation), text)
