"""What `crm mailbox` prints of an event: a line for people, that says what happened in words."""

import re
from datetime import UTC, datetime

import pytest

from infra.cli.letters import Letter, head, letter, line
from infra.cli.showing import Output
from services.indicators.publish.words import words
from shared.contracts import Event, Problem, registry
from shared.contracts.notice import Alert, Rejected

AT = datetime(2004, 3, 1, 10, tzinfo=UTC)


def event(name, data, **more):
    given = {"id": "e-1", "source": "urn:crm:service:intel", "subject": "doc-1", "sequence": 1234567, "country": "GTM"}
    fixed = {"specversion": "1.0", "type": f"crm.{name}.v1", "time": AT, "recordedtime": AT, "data": data}
    return Event(**fixed, **{**given, **more})


def what(told, lang="en"):
    return letter(told, words(lang)).what


def alert(**more):
    return event("intel.alert.issued", Alert(about="x", about_type="crm.intel.location.reported.v1", **more))


def test_a_line_says_where_when_what_and_from_whom():
    told = event("intel.document.flagged", None, source="urn:crm:country:HND:sicam")
    cells = re.split(r" {2,}", line(letter(told, words("en")), Output.WIDE))
    named = ["doc-1", "HND:sicam", "e-1", "intel.document.flagged"]
    assert [cells[0], cells[1], *cells[3:]] == ["intel 1234567", "2004-03-01 10:00:00", *named]
    assert cells[2] == words("en").event("intel.document.flagged")
    assert "." not in cells[2]


def test_a_refusal_says_all_that_is_wrong():
    problems = [Problem("/data/doc_code", "unknown_value", "m"), Problem("", "not_json", "m")]
    told = event("intel.report.rejected", Rejected(problems=problems, intake_sequence=3))
    assert what(told) == (
        "report refused: /data/doc_code unknown_value (the vocabulary of this field has other words); "
        "/ not_json (it cannot be read as JSON)"
    )
    assert "el vocabulario de este campo" in what(told, "es")


def test_an_alert_says_what_for_who_else_and_until_when():
    told = alert(kind="milestone_missed", due=AT, country="HND")
    assert what(told).endswith(", Honduras, 2004-03-01")
    assert "_" not in what(told)
    assert what(told, "es") != what(told)


def test_what_has_no_words_yet_is_shown_as_it_is():
    assert what(alert(kind="newer_than_this")) == "newer than this"
    assert what(event("intel.comet.seen", None)) == "intel.comet.seen"


@pytest.mark.parametrize("lang", ["en", "es", "fr"])
def test_every_event_that_may_be_in_a_mailbox_has_words(lang):
    names = {agreed.name for agreed in registry().values()}
    names = {name for name in names if not name.endswith((".alert.issued", ".report.rejected"))}
    assert len(names) > 400
    assert [name for name in names if what(event(name, None), lang) in {"", name}] == []


def test_nothing_is_cut_and_half_a_character_holds_up_nothing():
    long = Letter("intel 1", "2004", "w" * 200, "s" * 200, "GTM:x", "i" * 200, "intel.a.b")
    assert line(long, Output.WIDE).split() == [*long[:1][0].split(), *long[1:]]
    assert "\ud800" not in line(long._replace(subject="\ud800"), Output.TABLE)


def test_a_table_leaves_the_type_out_and_csv_has_a_column_for_all():
    told = letter(event("intel.document.flagged", None, subject=""), words("en"))
    assert "intel.document.flagged" not in line(told, Output.TABLE)
    assert line(told, Output.TABLE).split()[-1] == "e-1"
    assert line(told, Output.CSV).count(",") == head().count(",") == len(Letter._fields) - 1
