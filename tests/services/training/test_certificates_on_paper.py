"""How certificates stand on paper: any order, repetitions and amendments end where a clean history ends."""

import random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.training.judgements.certificates import stood
from shared.record.judgement import Standing
from tests.harness.paper import Paper
from tests.services.test_any_order import amendments, piece, plain


def left(paper):
    """What was told of each certificate and not taken back: steps as they were told."""
    told = [Standing("", event.sequence, event) for event in paper.events() if ".certification." in event.type]
    return {(one.country, one.data.cert_id, step) for step, one in stood(told)}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_order_ends_where_a_clean_history_ends(seed):
    chance = random.Random(seed)
    service, reports = piece("training", chance)
    now = max(event.recordedtime for event, _ in reports)
    shuffled, clean = Paper(service, now), Paper(service, now)
    mixed = [*reports, *amendments(reports, chance), *chance.sample(reports, len(reports) // 4)]
    chance.shuffle(mixed)
    for one in mixed:
        shuffled.tell(*one)
    for event, heard in shuffled.reports():
        clean.tell(plain(event), heard)
    assume(not clean.waiting and not clean.refused)
    assert left(shuffled) == left(clean)
