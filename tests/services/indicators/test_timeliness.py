"""How soon the region knows: delays of what countries report, exact for all but victims."""

import hashlib
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.figures.suppression import RULE
from services.indicators.figures.timeliness import delays as delays_of
from services.indicators.figures.timeliness import measuring, on_time
from services.indicators.folded.fold import Fold
from services.indicators.folded.state import DELAY_SECONDS, State
from services.indicators.planned import delays
from services.indicators.planned.checks import row_faults
from services.indicators.planned.delays import DAY
from services.indicators.planned.rows import Row
from shared.contracts.vocabulary import MEMBERS
from shared.record.chain import GENESIS
from tests.services.indicators.making import PLAN, amend, closing, event, folded, raw, row, values

MARCH = "2004-03-01T10:00:00Z"


def band(country: str, recorded: str) -> bytes:
    return event("intel.band.dismantled", country, MARCH, recorded=recorded)


def service(country: str, recorded: str) -> bytes:
    return event("victims.service.provided", country, MARCH, recorded=recorded)


def test_on_time_is_what_is_recorded_within_thirty_days():
    fold = folded(
        band("GTM", MARCH),
        band("GTM", "2004-03-31T10:00:00Z"),  # thirty days to the second
        band("GTM", "2004-03-31T10:00:01Z"),
        band("HND", "2005-06-01T00:00:00Z"),
    )
    found = row(fold, "XC-6.timely")
    assert values(found) == {("GTM", "intel"): 2 / 3, ("HND", "intel"): 0.0, ("REG", "intel"): 0.5}
    assert (found.headline.numerator, found.headline.denominator) == (2, 4)
    assert found.coverage == pytest.approx(2 / 11)


def test_a_report_counts_on_the_day_on_which_it_was_recorded():
    fold = folded(band("GTM", MARCH), band("GTM", "2004-06-01T00:00:00Z"))
    assert row(fold, "XC-6.timely", "2004-05-31").headline.value == 1
    assert row(fold, "XC-6.timely", "2004-06-01").headline.value == 0.5


def test_what_a_service_tells_is_no_report_of_a_country():
    told = raw("crm.intel.document.hit.v1", {}, "GTM", MARCH, source="urn:crm:service:intel")
    assert values(row(folded(told), "XC-6.timely")) == {}


def test_victims_stand_in_a_row_of_their_own_that_shows_no_single_report():
    on_time, late = [service("GTM", MARCH)] * 30, [service("GTM", "2004-09-01T00:00:00Z")]
    public = row(folded(*on_time), "XC-6.timely.victims", exact=False)
    assert (public.headline.numerator, public.headline.denominator) == (33, 33)
    assert row(folded(*on_time, *late), "XC-6.timely.victims", exact=False).headline == public.headline
    assert row(folded(*on_time, *late), "XC-6.timely.victims").headline.value == 30 / 31
    assert row(folded(*on_time, *late), "XC-6.timely").headline is None
    few = row(folded(*late), "XC-6.timely.victims", exact=False)
    assert few.headline.suppressed
    assert few.cells == []


@given(st.integers(0, 400 * DAY))
def test_each_delay_has_the_narrowest_word(seconds):
    said = delays.word(seconds)
    place = delays.WORDS.index(said)
    assert said == delays.LONGER or seconds <= delays.BOUNDS_S[said]
    assert place == 0 or seconds > delays.BOUNDS_S[delays.WORDS[place - 1]]


def test_what_is_dated_ahead_was_known_at_once():
    fold = folded(event("intel.band.dismantled", "GTM", MARCH, recorded="2004-02-01T00:00:00Z"))
    assert row(fold, "XC-6.timely").headline.value == 1
    assert fold.state.sums[DELAY_SECONDS]["GTM", "intel"].total == 0


@pytest.mark.parametrize(
    ("where", "labels", "said"),
    [
        ({"delay": "2d"}, {}, "delay is never '2d'"),
        ({"offence": "tip"}, {}, "not 'offence'"),
        ({}, {"sex": "sex"}, "not 'sex'"),
    ],
)
def test_a_row_of_any_report_can_ask_only_what_all_say(where, labels, said):
    term = {"event": "*", "where": where}
    one = {"id": "XC-9", "title": {"es": "", "en": "", "fr": ""}, "words": "", "unit": "reports", "kind": "count"}
    made = msgspec.convert(one | {"responsible": "", "clock": "recordedtime", "labels": labels, "term": [term]}, Row)
    assert any(said in fault for fault in row_faults(made, PLAN.areas))


def test_the_fold_names_the_hash_of_the_log_that_it_rests_on():
    fold, wanted = Fold(PLAN), GENESIS
    for sequence, payload in enumerate([band("GTM", MARCH), b"no event", band("HND", MARCH)], 1):
        fold.take("intel", sequence, payload)
        wanted = hashlib.sha256(wanted + payload).digest()
    assert fold.state.hashes == {"intel": wanted}
    assert State.load(fold.state.dump(), PLAN.digest).hashes == {"intel": wanted}
    fold.set_aside("intel", 4, "missing")
    fold.take("intel", 5, band("GTM", MARCH))
    assert fold.state.hashes == {"intel": b""}


def told(fold: Fold, *, exact: bool = False) -> dict:
    found = delays_of(fold.state, RULE, closing(date(2005, 7, 1), exact=exact))
    return {(one.country, one.service): (dict(one.buckets), one.sum_s) for one in found}


def test_delays_are_a_histogram_of_each_country_and_service():
    late = band("GTM", "2004-03-03T10:00:00Z")
    fold = folded(band("GTM", "2004-03-01T10:00:30Z"), late, amend("corrected", late, bands=2))
    buckets, sum_s = told(fold, exact=True)["GTM", "intel"]
    assert (buckets["60"], buckets["86400"], buckets["259200"], buckets["+Inf"]) == (1, 1, 2, 2)
    assert sum_s == 30 + 2 * DAY


def test_the_delay_of_no_report_can_be_read():
    """One more report, however late, changes nothing, or a whole step: with few there is nothing to see at all."""
    soon = [service(country, "2004-03-01T10:00:30Z") for country in MEMBERS for _ in range(40)]
    soon += [band(country, "2004-03-01T10:00:30Z") for country in MEMBERS for _ in range(20)]
    late = [service("GTM", "2005-01-01T00:00:00Z")]
    before, after = told(folded(*soon)), told(folded(*soon, *late))
    assert before == after
    assert all(n % RULE.base == 0 for n in before["GTM", "victims"][0].values())
    assert told(folded(*late * (RULE.k - 1))) == {}
    assert told(folded(*late), exact=True)["GTM", "victims"][0]["+Inf"] == 1


def test_a_country_hidden_alone_hides_another():
    few = [service("GTM", MARCH)] * 3 + [service("HND", MARCH)] * 20 + [service("MEX", MARCH)] * 60
    others = [band(country, MARCH) for country in MEMBERS for _ in range(7)]
    assert set(told(folded(*few, *others))) == {("MEX", "victims")}


def test_beside_a_row_stands_how_timely_the_services_are_to_which_it_is_reported():
    late = [band("GTM", "2004-06-01T00:00:00Z")]
    fold = folded(band("GTM", MARCH), *late, *[service("GTM", MARCH)] * 30)

    def beside(identity, *, exact=False):
        found = [row(fold, name, exact=exact) for name in measuring(PLAN)]
        return on_time(PLAN.rows[identity], found)

    assert measuring(PLAN) == ["XC-6.timely", "XC-6.timely.victims"]
    assert beside("PC-1c", exact=True) == {"intel": 0.5}
    assert beside("VA-4.1", exact=True) == beside("VA-4.1") == {"victims": 1.0}
    assert beside("XC-6") == {}
    few = folded(band("GTM", MARCH), *[service("GTM", MARCH)] * 3)
    found = [row(few, name, exact=False) for name in measuring(PLAN)]
    assert on_time(PLAN.rows["VA-4.1"], found) == {}
