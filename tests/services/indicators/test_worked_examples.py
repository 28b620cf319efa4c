"""Worked examples: what they can say, and that `crm plan check` tells each one that says something else."""

import shutil
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.examples.playing import ALL, played
from services.indicators.figures import examples
from services.indicators.figures.examples import Example
from services.indicators.planned.plan import FOLDER, PlanError, load

PLAN = load()
TEXT = {"es": "x", "en": "x", "fr": "x"}


@pytest.fixture
async def addresses(postgres_server):
    async with postgres_server.lent() as database:
        server, secrets = postgres_server.server, postgres_server.passwords
        yield {one.name: server.url(one.name, secrets[one.name], database) for one in ALL}


def example(*reports: dict[str, Any], expect: list[dict[str, Any]], of: str = "IE-1.1") -> Example:
    return msgspec.convert({"of": [of], "text": TEXT, "reports": [*reports], "expect": expect}, Example)


def adopted(by: Any = "GTM", on: str = "2003-09-10", **more: Any) -> dict[str, Any]:
    return {"on": on, "by": by, "event": "intel.manual.adopted", **more}


async def told(addresses, one: Example) -> list[str]:
    return (await played(PLAN, [one], addresses))[0]


async def test_a_history_without_fault_has_no_difference(addresses):
    reports = [adopted(["GTM", "MEX"], id="a"), {"on": "2003-11-01", "by": "MEX", "retracts": "a"}]
    expect = [
        {"on": "2003-09-09", "figures": {"GTM": "none", "REG": "none"}, "met": "unknown"},
        {"on": "2003-10-01", "figures": {"GTM": 1, "MEX": 1, "REG": 2}, "met": "no"},
        {"on": "2003-11-01", "figures": {"GTM": 1, "MEX": "none", "REG": 1}, "headline": 1},
        {"as_of": "2003-10-01", "figures": {"MEX": "none", "REG": 1}},
    ]
    assert await told(addresses, example(*reports, expect=expect)) == []


@pytest.mark.parametrize(
    "expected",
    [
        {"figures": {"GTM": 2}},
        {"figures": {"GTM": "none"}},
        {"figures": {"MEX": 1}},
        {"figures": {"REG": "1/11"}, "labels": {"x": "y"}},
        {"headline": 2},
        {"headline": "none"},
        {"met": "yes"},
        {"coverage": "2/11"},
        {"of": "IE-9"},
        {"of": "MS-IE-1", "standing": "reached"},
        {"of": "MS-IE-4", "occurrence": "2003-06-04", "standing": "open"},
    ],
)
async def test_whatever_differs_is_told(addresses, expected):
    found = await told(addresses, example(adopted(), expect=[{"on": "2003-09-30", **expected}]))
    assert len(found) == 1, found


async def test_a_report_that_comes_late_is_seen_when_it_came_and_counts_when_it_happened(addresses):
    late = adopted(recorded="2004-02-01")
    expect = [{"on": "2003-12-31", "figures": {"GTM": "none"}}, {"as_of": "2003-12-31", "figures": {"GTM": 1}}]
    assert await told(addresses, example(late, expect=expect)) == []


async def test_what_is_refused_must_be_said_to_be_and_the_other_way_round(addresses):
    expect = [{"on": "2003-09-30", "figures": {"GTM": "none"}}]
    wrong = adopted(data={"country": "MEX"})
    assert "was refused" in (await told(addresses, example(wrong, expect=expect)))[0]
    assert await told(addresses, example(wrong | {"refused": "not_owner"}, expect=expect)) == []
    assert "not refused" in (await told(addresses, example(adopted(refused="not_owner"), expect=expect)))[0]
    waits = {"on": "2003-09-01", "by": "MEX", "event": "victims.referral.accepted"}
    assert "still waits" in (await told(addresses, example(waits, expect=expect)))[0]


async def test_days_pass_and_other_services_hear(addresses):
    """A detained trafficker without a phone book: intel hears of it from legal; a day later its reminder is due."""
    detained = {"on": "2003-09-10", "by": "GTM", "event": "legal.person.detained"}
    expect = [{"on": "2003-09-30", "figures": {"GTM": "0/1", "REG": "0/1"}}]
    assert await told(addresses, example(detained, expect=expect, of="IE-1.2.3")) == []


def test_an_example_changed_by_hand_or_taken_away_fails_the_check(tmp_path):
    folder = tmp_path / "plan"
    shutil.copytree(FOLDER, folder)
    file = folder / "examples" / "IE-1.1.toml"
    file.write_text(file.read_text().replace("REG = 2", "REG = 3", 1))
    for other in set(file.parent.iterdir()) - {file}:
        other.unlink()
    result = CliRunner().invoke(app, ["plan", "check", "--plan", str(folder)])
    assert result.exit_code == 1
    assert "IE-1.1 on 2003-10-31: REG is 2, expected 3" in result.stderr
    assert "MS-LE-1: there is no example of it" in result.stderr
    assert "IE-1.1: example played, figures DIFFERENT" in result.stdout
    assert "IE-1.1.versions: example played, figures equal" in result.stdout


@pytest.mark.parametrize(
    "text", ["x = 1", "[[example]]\nof = 1", "[[example]]\nof = ['IE-1.1']\nmore = 1", "not toml", "[[other]]\na = 1"]
)
def test_a_file_that_is_no_example_is_told_with_its_name(tmp_path, text):
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "odd.toml").write_text(text)
    with pytest.raises(PlanError) as told:
        examples.load(tmp_path)
    assert "odd.toml" in str(told.value)
