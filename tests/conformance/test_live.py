"""The inspector passes a system on our own client, and finds each of the faulty ones."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.conformance.live import RULES, inspected
from infra.testkit.system import fresh

CANDIDATE = [sys.executable, str(Path(__file__).with_name("candidate.py"))]
FAULTY = {
    "reports when it sends": ("reports", "time is not when it happened"),
    "speaks as another": ("reports", "nothing of it is on record"),
    "names a person": ("reports", "nothing of it is on record"),
    "gives up when refused": ("refused", "was not mended"),
    "repeats what was refused": ("refused", "was not mended"),
    "gives each try an id": ("repeats", "recorded 2 times"),
    "gives up without an answer": ("patient", "it is lost"),
    "does not wait for the answer": ("patient", "it is lost"),
    "never reads": ("reads", "mail lies unread"),
    "never acknowledges": ("reads", "never acknowledged"),
    "terminates what it does not know": ("keeps", "mail is terminated"),
    "answers again": ("redelivered", "it reported again"),
    "answers what was taken back": ("withdrawn", "it answered what was taken back"),
    "trusts everybody": ("trusts", "it speaks to one whose certificate has expired"),
    "does not cosign": ("witnesses", "it cosigns no checkpoint"),
    "cosigns whatever it is shown": ("witnesses", "it cosigns a log that is not what it cosigned before"),
    "ends with its connection": ("patient", "it has ended with 1"),
}
"""What a candidate does wrong -> the rule that it breaks, and what is found."""
PATIENCE_S, LONG_S = 20, 120
"""The second for rules that are not broken by waiting in vain."""
SOON = {"reports", "refused", "patient", "reads", "keeps", "trusts", "witnesses"}
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def at_work(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


async def inspection(crm_servers, **more):
    async with fresh(crm_servers, start=datetime.now(UTC)) as system:
        return {one.what: one.faults for one in await inspected(system, CANDIDATE, **more)}


async def test_our_own_client_keeps_every_rule(crm_servers, at_work):
    assert await inspection(crm_servers) == dict.fromkeys(RULES, ())


@pytest.mark.parametrize("fault", FAULTY)
async def test_a_faulty_candidate_is_found(crm_servers, at_work, monkeypatch, fault):
    monkeypatch.setenv("FAULT", fault)
    rule, why = FAULTY[fault]
    found = await inspection(crm_servers, rules=[rule], patience_s=PATIENCE_S if rule in SOON else LONG_S)
    assert why in " ".join(found[rule])
