import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from infra.cli import app
from services.indicators.planned.plan import FOLDER
from services.indicators.publish import coverage
from tests.services.indicators.making import PLAN

CATALOGUE = coverage.catalogue()
SECOND = Path(__file__).parents[2] / "plans" / "second"


def checked(*options: str):
    return CliRunner().invoke(app, ["plan", "check", *options], env={"COLUMNS": "200"})


@pytest.mark.long
def test_every_row_of_the_catalogue_is_fed_and_everything_feeds_something():
    found = checked()
    assert (found.exit_code, found.stderr) == (0, "")
    for identity in [*CATALOGUE.indicators, *CATALOGUE.milestones]:
        assert f" {identity} " in found.stdout
    assert "faults: 0" in found.stdout


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"indicators": [*CATALOGUE.indicators, "IE-9.9"]}, "indicator IE-9.9 of the catalogue is not in the plan"),
        ({"milestones": CATALOGUE.milestones[1:]}, "milestone MS-IE-1 of the plan is not in the catalogue"),
        ({"unfed": {}}, "legal.entry.checked feeds nothing, and the catalogue gives no reason"),
        (
            {"unfed": CATALOGUE.unfed | {"legal.law.amended": "-"}},
            "unfed: legal.law.amended feeds LE-1.E, LE-1.R3, VA-1.1",
        ),
        ({"unfed": CATALOGUE.unfed | {"legal.law.sung": "-"}}, "unfed: there is no event type legal.law.sung"),
    ],
)
def test_what_differs_from_the_catalogue_is_named(changes, fault):
    assert fault in coverage.faults(PLAN, msgspec.structs.replace(CATALOGUE, **changes))


def test_a_row_taken_away_leaves_its_types_and_its_label_unused(tmp_path):
    for file in FOLDER.glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        rows = text.split("[[indicator]]")
        kept = [row for row in rows if 'id = "IP-5.1.1' not in row]
        (tmp_path / file.name).write_text("[[indicator]]".join(kept), encoding="utf-8")
    found = checked("--plan", str(tmp_path))
    assert found.exit_code == 1
    told = set(found.stderr.splitlines())
    assert told >= {
        "indicator IP-5.1.1 of the catalogue is not in the plan",
        "training.session.held says that it feeds IP-5.1.1; the plan does not",
        "training.session.held feeds nothing, and the catalogue gives no reason",
        "label 'host' is in the words of 'es' and used by no row",
        "unit 'sessions' is in the words of 'fr' and used by no row",
    }


def test_the_author_of_another_plan_gets_the_same_check(tmp_path):
    """The folder is named on the line or in CRM_PLAN_FOLDER; the 2003 Plan's catalogue is not asked of it."""
    folder = tmp_path / "second"
    shutil.copytree(SECOND, folder)
    told = CliRunner().invoke(app, ["plan", "check"], env={"CRM_PLAN_FOLDER": str(folder)})
    assert (told.exit_code, told.stderr) == (0, "")
    assert "1 areas, 1 objectives, 0 results, 0 activities" in told.stdout
    assert "BD-1: example played, figures equal" in told.stdout
    plan = folder / "plan.toml"
    plan.write_text(plan.read_text().replace('by = ["BD-1", "BD-2"]', 'by = ["BD-1"]'))
    (folder / "examples" / "BD-1.toml").unlink()
    told = CliRunner().invoke(app, ["plan", "check", "--plan", str(folder)])
    assert told.exit_code == 1
    assert "plan.toml: BD-2: it hangs on no objective, result or activity" in told.stderr
    assert "MS-BD-1: there is no example of it" in told.stderr
