"""`crm indicators` writes what the board answers as the pages write it."""

import pytest

from infra.cli.indicators import _all, _one
from infra.cli.showing import Output

ROW = {"id": "LE-2.1", "title": {"en": "Party"}, "as_of": "2004-10-01", "unit": "ratio", "met": False, "values": []}


@pytest.mark.parametrize(
    ("direction", "lang", "said"),
    [
        ("at_least", "en", "at least 80%"),
        ("at_most", "es", "máximo 80%"),
        ("above", "fr", "plus de 80 %"),
        ("below", "en", "less than 80%"),
    ],
)
def test_a_target_is_told_with_its_direction(capsys, direction, lang, said):
    row = ROW | {"target": 0.8, "direction": direction}
    _one(row, lang, Output.TABLE)
    _all([row | {"coverage": None}], lang, Output.WIDE)
    one, *rest = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ").replace("\u202f", " ").splitlines()[1:]
    assert f"target {said}; met: no" in one
    assert said in "\n".join(rest)
