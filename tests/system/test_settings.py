"""Wrong settings: each is told with its name and what it should be, all at once, never with what it was; exit 78."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from pydantic_settings import BaseSettings

from infra.region.settings import RegionSettings
from services.indicators.settings import IndicatorsSettings
from services.intel import policy as intel
from services.legal import policy as legal
from services.legal.numbers import LegalSettings
from services.training import policy as training
from services.victims import policy as victims
from services.victims.keys import VictimsSettings
from shared.run import settings
from shared.run.settings import ELSEWHERE, EXIT_MISCONFIGURED, POLICIES, PREFIX, Settings

TOP = Path(__file__).parents[2]
CANARY = "Kanarya"
WRONG = {
    "CRM_NATS_URL": ["http://here:4222", "nats://", f"nats://here:{CANARY}", "nats://here,http://there", CANARY],
    "CRM_DATABASE_URL": [
        CANARY,
        "mysql://here/crm",
        "postgresql://",
        "postgresql://a:1,b:2/crm",
        f"postgresql://a:{CANARY},b/crm",
    ],
    "CRM_NATS_MONITOR_URL": [CANARY, "ftp://here"],
    "CRM_OPS_PORT": [CANARY, "65536", "-1", "80.5"],
    "CRM_DATABASE_CONNECTIONS_MAX": ["0", CANARY],
    "CRM_LOG_LEVEL": [CANARY],
    "CRM_ENVIRONMENT": ["prod"],
    "CRM_SPEED": ["0", "-1", "nan", "inf", "1e10", CANARY],
    "CRM_BATCH_SIZE_MAX": ["0", "1e9"],
    "CRM_STUCK_S": ["0", "nan"],
    "CRM_REFERENCE_WAIT_S": ["-5"],
    "CRM_ASIDE_MAX": ["0"],
    "CRM_CLOCK_START": [CANARY, "2003-13-01T00:00:00Z"],
    "CRM_NATS_SEED": [f"/no/such/{CANARY}"],
    "CRM_LOG_KEY": [f"/no/such/{CANARY}"],
    "CRM_INTEL_MERGED_AT": ["101", CANARY],
    "CRM_INTEL_PHONEBOOK_WITHIN": ["-P1D", CANARY, "P9999D"],
    "CRM_INTEL_PHONEBOK_WITHIN": ["P1D"],
    "CRM_OPS_PROT": ["8080"],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


def started(given):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [sys.executable, "-m", "services.intel"]
    return subprocess.run(command, cwd=TOP, env=clean | given, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def told(monkeypatch, capsys):
    """Return what a process with these settings would say."""

    def telling(given, kind=Settings):
        for name in [one for one in os.environ if one.startswith(PREFIX)]:
            monkeypatch.delenv(name)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(settings, "_wrong", [])
        settings.policy(intel.Policy)
        with pytest.raises(SystemExit) as ended:
            settings.configured(kind)
        assert ended.value.code == EXIT_MISCONFIGURED
        return capsys.readouterr().err

    return telling


@pytest.mark.parametrize(("name", "value"), CASES)
def test_each_is_told_with_its_name_and_never_with_its_value(told, name, value):
    said = told({name: value})
    assert name in said
    assert CANARY not in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"CRM_CLOCK_START": "2003-05-09T00:00:00Z"}, "belong together"),
        ({"CRM_CLOCK_EPOCH": "2003-05-09T00:00:00Z"}, "belong together"),
        ({"CRM_CLOCK_START": "2003-05-09T00:00:00", "CRM_CLOCK_EPOCH": "2026-01-01T00:00:00Z"}, "an offset from UTC"),
        ({"CRM_SPEED": "2"}, "set CRM_CLOCK_START as well"),
        ({"CRM_CLOCK_AHEAD_FILE": __file__}, "set CRM_CLOCK_START as well"),
        ({"CRM_TLS_CA": __file__}, "belong together"),
        ({"CRM_OPS_PROT": "1"}, "is CRM_OPS_PORT meant?"),
        ({"CRM_TRAINING_GRACE": "P1D", "CRM_OPS_PORT": "x"}, "CRM_OPS_PORT: should be a valid integer"),
    ],
)
def test_what_contradicts_is_told_and_what_is_meant_is_named(told, given, said):
    assert said in told(given)


def test_a_process_tells_all_at_once_and_ends_with_78():
    given = {name: values[0] for name, values in WRONG.items()} | {"CRM_TLS_CA": __file__}
    ended = started(given)
    assert ended.returncode == EXIT_MISCONFIGURED
    assert "Traceback" not in ended.stderr
    assert CANARY not in ended.stderr
    assert [name for name in given if name not in ended.stderr] == []


def test_empty_is_not_set_and_the_settings_of_others_do_no_harm(told):
    said = told({"CRM_NATS_URL": "", "CRM_HTTP_PORT": "8080", "CRM_VICTIMS_X": "1", "CRM_OPS_PROT": "1"})
    assert said.count("CRM_") == 2, "the misspelt one, and what is meant"


POLICY_KINDS = [one.Policy for one in (intel, legal, training, victims)]
KINDS = [Settings, IndicatorsSettings, LegalSettings, RegionSettings, VictimsSettings, *POLICY_KINDS]


def test_every_name_that_is_read_anywhere_is_known():
    """As text in the code, in compose.yaml and the Makefile, or as a field of any settings."""
    files = [*TOP.glob("services/**/*.py"), *TOP.glob("shared/**/*.py"), *TOP.glob("infra/**/*.py")]
    files += [TOP / "compose.yaml", TOP / "Makefile", *TOP.glob("infra/**/*.yml"), *TOP.glob("infra/**/*.yaml")]
    named = {name for file in files for name in re.findall(r"\bCRM_[A-Z_]*[A-Z]\b", file.read_text())}
    fields = {f"{kind.model_config['env_prefix']}{name.upper()}" for kind in KINDS for name in kind.model_fields}
    elsewhere = {f"{PREFIX}{name}" for name in ELSEWHERE}
    assert {one for one in named if not one.startswith(tuple(PREFIX + each for each in POLICIES))} <= fields | elsewhere
    assert elsewhere <= named | fields, "nobody reads it any more"


def test_every_setting_is_documented():
    documented = (TOP / "docs/operations.md").read_text()
    fields = {f"{kind.model_config['env_prefix']}{name.upper()}" for kind in KINDS for name in kind.model_fields}
    assert sorted(one for one in fields if one not in documented) == []


@pytest.mark.parametrize("kind", POLICY_KINDS, ids=lambda kind: kind.__module__)
def test_clocks_and_thresholds_are_documented_with_their_defaults(kind):
    documented = (TOP / "docs/operations.md").read_text()
    for name, field in kind.model_fields.items():
        told = re.search(
            rf"^\| `{kind.model_config['env_prefix']}{name.upper()}` \| `?([A-Z0-9]+)`? \|", documented, re.MULTILINE
        )
        assert told, name
        assert TypeAdapter(type(field.default)).validate_python(told[1]) == field.default


def test_every_kind_of_settings_is_looked_at_here():
    def below(kind):
        return {kind, *(each for one in kind.__subclasses__() for each in below(one))}

    mine = {one for one in below(BaseSettings) if one.__module__.startswith(("services.", "shared.", "infra."))}
    assert mine == {*KINDS}
