"""What the docstrings of contracts say, also those of fields, which Python drops and the source keeps."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise


def plain(text: str) -> str:
    """Return a docstring on one line."""
    return inspect.cleandoc(text).replace("\n", " ")


@cache
def fields_said(kind: type) -> Mapping[str, str]:
    """Return the docstrings of a struct's fields: by attribute, inherited ones too."""
    return {
        name: text
        for one in reversed(kind.__mro__)
        if one.__module__.startswith(__package__)
        for name, text in _said_in(one.__module__).get(one.__name__, {}).items()
    }


@cache
def _said_in(module: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_pairs(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _pairs(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(node.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            yield field.target.id, plain(str(ast.literal_eval(text.value)))
