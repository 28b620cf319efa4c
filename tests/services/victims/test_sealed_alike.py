"""What is sealed is judged as what is told in the clear: the golden log's reports in version 2 tell the same.

Pieces of the log on paper: each history twice, once as it was, once with every referral and consent sealed.
"""

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.victims.__main__ import SERVICE
from shared.contracts import Corrected, sender_of
from shared.contracts.vocabulary import REGION
from tests.harness.closing import all_closed
from tests.harness.paper import Paper
from tests.services.test_any_order import history

PIECE = 250
APART = {
    "sealed",
    "needs",
    "preview",
    "override",
    "dataref",
    "authority",
    "scope",
    "purpose",
    "guardian",
    "for_referral",
}
"""In what version 1 and 2 of a type differ."""
TYPES = ("victims.consent.recorded", "victims.referral.sent", "victims.referral.offered")


def told(paper):
    """What a log on paper tells, without what only one of the versions says, and what follows from the types' names."""
    found = Counter()
    for event in paper.events():
        said = {name: one for name, one in msgspec.to_builtins(event.data).items() if name not in APART}
        for name in ("data", "previous"):
            if isinstance(said.get(name), dict):
                said[name] = {key: one for key, one in said[name].items() if key not in APART}
        said.pop("original", None)
        if sender_of(event.source) == REGION:
            said.pop("about", None)
            said.pop("about_type", None)
        found[event.name, event.country, event.subject, event.time, msgspec.json.encode(said, order="sorted")] += 1
    return found


def both(seed):
    _, reports = history("victims")
    start = random.Random(seed).randrange(max(1, len(reports) - PIECE))
    some = reports[start : start + PIECE]
    clear, sealed = (Paper(SERVICE, max(event.recordedtime for event, _ in some)) for _ in range(2))
    known = {event.id for event, _ in some}
    some = [one for one in some if not isinstance(one[0].data, Corrected) or one[0].data.supersedes in known]
    for one, other in zip(some, all_closed(some), strict=True):
        clear.tell(*one)
        sealed.tell(*other)
    return clear, sealed


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_sealed_is_judged_as_what_is_not(seed):
    clear, sealed = both(seed)
    assert told(sealed) == told(clear)
    assert len(sealed.refused) == len(clear.refused)
    assert len(sealed.waiting) == len(clear.waiting)


@pytest.mark.parametrize("name", TYPES)
def test_each_version_is_among_them(name):
    """So that the comparison is one."""
    versions = {event.type for paper in both(1) for event in paper.events() if event.name == name}
    assert versions == {f"crm.{name}.v1", f"crm.{name}.v2"}
