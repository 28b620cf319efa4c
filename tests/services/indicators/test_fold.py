import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.folded.accounts import accounts_of
from services.indicators.folded.fold import Fold
from services.indicators.folded.state import EARLIEST_KEPT, LAYOUT, Earliest, State, StateError
from tests.services.indicators.making import AT, CONTRACTS, PLAN, amend, event, folded, heard, raw, row, values


def test_a_report_is_counted_in_its_country_and_labels():
    fold = folded(event("legal.person.detained", "HND", offence="som", sex="female", age_band="adult"))
    assert values(row(fold, "IE-3.1i")) == {("HND", "som", "female", "adult"): 1, ("REG", "som", "female", "adult"): 1}
    assert row(fold, "IE-3.1i").coverage == pytest.approx(1 / 11)


def test_every_example_of_every_type_folds():
    fold = folded(*(raw(one.type, dict(one.good), "GTM", "2004-03-01T10:00:00Z") for one in CONTRACTS.values()))
    assert sum(sum(counts.values()) for counts in fold.state.events.values()) == len(CONTRACTS)


def test_a_type_of_a_newer_service_is_counted_and_nothing_more():
    fold = folded(raw("crm.intel.drone.spotted.v3", {"new": 1}, "GTM", "2004-03-01T10:00:00Z"))
    assert fold.state.events["intel", "drone", "spotted"] == {"GTM": 1}


def test_an_open_value_that_the_row_does_not_know_is_other():
    fold = folded(event("intel.document.flagged", fraud_type="laser_engraving"))
    assert {key[2] for key in values(row(fold, "IE-3.1ii"))} == {"other"}


def test_a_confirmation_is_not_a_second_detection():
    fold = folded(event("intel.document.flagged"), event("intel.document.confirmed"))
    assert row(fold, "IE-3.1ii").headline.value == 1


def test_a_correction_takes_the_old_out_and_puts_the_new_in_on_the_day_it_happened():
    first = event("legal.person.detained", sex="male", offence="tip", time="2003-07-01T00:00:00Z")
    fold = folded(first, amend("corrected", first, sex="female"))
    assert {key[2] for key in values(row(fold, "IE-3.1i", "2003-07-01"))} == {"female"}
    clean = folded(event("legal.person.detained", sex="female", offence="tip", time="2003-07-01T00:00:00Z"))
    assert values(row(fold, "IE-3.1i")) == values(row(clean, "IE-3.1i"))


def test_a_retraction_leaves_nothing_but_what_was_known_until_then():
    first = event("training.workforce.declared", headcount=100)
    fold = folded(first, amend("retracted", first))
    assert values(row(fold, "IE-3.2b")) == {}
    assert all(not [*levels.upto(None)] for levels in fold.state.levels.values())
    same_day = event("training.workforce.declared", headcount=100, recorded="2004-09-09T08:00:00Z")
    fold = folded(same_day, amend("retracted", same_day))
    assert all(not levels.declared for levels in fold.state.levels.values())


def test_as_of_is_exact_to_the_day_in_utc():
    fold = folded(event("intel.band.dismantled", time="2003-07-01T20:00:00-06:00"))
    assert values(row(fold, "PC-1c", "2003-07-01")) == {}
    assert row(fold, "PC-1c", "2003-07-02").headline.value == 1


ACTIONS = [  # from the UN Treaty Collection, XVIII-12
    ("MEX", "UNTOC", "ratified", "2003-03-04"),
    ("BLZ", "UNTOC", "acceded", "2003-09-26"),
    ("BLZ", "TIP", "acceded", "2003-09-26"),
    ("GTM", "UNTOC", "ratified", "2003-09-25"),
]


def test_treaty_parties_as_of_any_date():
    fold = folded(*(event(f"legal.treaty.{verb}", c, f"{day}T12:00:00Z", instrument=i) for c, i, verb, day in ACTIONS))

    def parties(as_of):
        return {key[1]: value for key, value in values(row(fold, "LE-2.1", as_of)).items() if key[0] == "REG"}

    assert parties("2003-03-03") == {}
    assert parties("2003-09-24") == {"UNTOC": 1}
    assert parties("2003-09-26") == {"UNTOC": 3, "TIP": 1}
    assert row(fold, "LE-2.1").met is False
    assert row(fold, "LE-2.1").headline.value == 0  # nobody is party to all three


def staff(enrolled: int, headcount: int, institution: str = "migration", country: str = "GTM") -> list[bytes]:
    return [
        event("training.workforce.declared", country, institution_type=institution, headcount=headcount),
        *(event("training.official.enrolled", country, institution_type=institution) for _ in range(enrolled)),
    ]


@pytest.mark.parametrize(
    ("identity", "institution", "enrolled", "headcount", "met"),
    [
        ("IP-2.1", "migration", 50, 100, True),
        ("IP-2.1", "migration", 499, 1000, False),
        ("IP-3.1", "other", 30, 100, True),
        ("IP-3.1", "other", 299, 1000, False),
        ("IP-2.1", "migration", 5, 0, None),
    ],
)
def test_targets_are_met_exactly_and_no_headcount_is_no_data(identity, institution, enrolled, headcount, met):
    others = heard("GTM", headcount=0, institution_type=institution)
    found = row(folded(*staff(enrolled, headcount, institution), *others), identity, today="2004-03-15")
    assert found.met is met
    alone = row(folded(*staff(enrolled, headcount, institution)), identity, today="2004-03-15")
    assert (alone.met, alone.unknown) == (None, "coverage" if headcount else "no_data")
    assert bool(found.cells) is (headcount > 0)


def test_the_region_is_the_sum_over_the_countries_with_a_denominator():
    fold = folded(*staff(3, 10), *staff(1, 10, country="HND"), *staff(9, 0, country="MEX"))
    headline = row(fold, "IP-2.1").headline
    assert (headline.numerator, headline.denominator) == (4, 20)


def test_the_latest_declaration_by_time_counts_in_whatever_order_they_come():
    late = event(
        "training.workforce.declared", time="2004-06-01T00:00:00Z", headcount=200, institution_type="migration"
    )
    early = event(
        "training.workforce.declared", time="2004-01-01T00:00:00Z", headcount=100, institution_type="migration"
    )
    for order in itertools.permutations((late, early)):
        fold = folded(*order)
        assert row(fold, "IP-2.1").headline.denominator == 200
        assert row(fold, "IP-2.1", "2004-05-31").headline.denominator == 100


def test_a_referral_counts_once_when_its_clock_ends_under_the_country_that_had_to_answer():
    answered = event("victims.referral.accepted", "HND", late=False, latency_s=1800)
    overdue = event("victims.referral.overdue", "GTM", sender="GTM", receiver="MEX")
    late = event("victims.referral.accepted", "MEX", late=True, latency_s=400_000)
    found = row(folded(answered, overdue, late), "VA-5.1b")
    assert values(found) == {("HND",): 1.0, ("MEX",): 0.0, ("REG",): 0.5}
    assert {one.country: (one.buckets[0], one.buckets[-1], one.sum_s) for one in found.histograms} == {
        "HND": (("3600", 1), ("+Inf", 1), 1800),
        "MEX": (("3600", 0), ("+Inf", 1), 400_000),
    }


def test_a_trend_compares_two_windows_and_waits_until_both_are_within_the_plan():
    before = [event("intel.operation.executed", joint=True, time="2003-08-01T00:00:00Z")] * 2
    after = [event("intel.operation.executed", joint=True, time="2004-02-01T00:00:00Z")] * 3
    fold = folded(*before, *after)
    assert row(fold, "PC-1a", "2004-04-30").headline is None
    found = row(fold, "PC-1a", "2004-05-15")
    assert (found.headline.numerator, found.headline.denominator, found.met) == (3, 2, None)
    assert (found.unknown, found.missing, found.partial) == ("silent", ["GTM"], True)
    assert row(folded(*after), "PC-1a", "2004-05-15").headline is None


def test_victims_assisted_count_within_their_calendar_year():
    fold = folded(
        event("victims.service.provided", time="2003-12-31T23:59:59Z"),
        event("victims.service.provided", time="2004-01-01T00:00:00Z"),
        event("victims.service.provided", change=..., time="2004-01-02T00:00:00Z"),
    )
    assert row(fold, "IP-f", "2003-12-31").headline.value == 1
    assert row(fold, "IP-f", "2004-06-01").headline.value == 1


def test_only_what_a_country_sends_itself_breaks_its_silence():
    fold = folded(
        event("intel.alert.issued", "MEX"), event("intel.band.dismantled", "GTM", time="2004-11-30T00:00:00Z")
    )
    assert set(fold.state.heard) == {("GTM", "intel")}
    assert values(row(fold, "XC-6")) == {("GTM",): 1, ("REG",): 1}
    assert values(row(fold, "XC-6", today="2005-06-01")) == {}


def test_refusals_are_counted_by_service_country_and_code():
    problems = [{"pointer": "/data", "code": code, "message": "-"} for code in ("unknown_field", "unknown_field", "x")]
    fold = folded(event("intel.report.rejected", "NIC", problems=problems))
    assert fold.state.rejected == {("intel", "NIC", "unknown_field"): 1, ("intel", "NIC", "x"): 1}


EVENTS = [
    event("legal.person.detained", "HND"),
    event("training.workforce.declared", "HND"),
    event("legal.treaty.ratified", "HND"),
    event("legal.person.detained", "GTM", time="2003-01-01T00:00:00Z"),
    event("legal.person.detained", "MEX", time="2003-02-01T00:00:00Z"),
]
EVENTS += [amend("retracted", EVENTS[0]), amend("corrected", EVENTS[1], headcount=7)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(EVENTS) | st.integers(0, 40) | st.just(dict), max_size=12))
def test_what_is_dumped_is_the_same_however_much_of_it_was_written_before_and_when(steps):
    """Events come in before, within (a number: so many pieces) and behind the writing, and between dumps."""
    fold, taken, writing = folded(), [], iter(())
    for step in steps:
        if isinstance(step, bytes):
            taken.append(step)
            service = msgspec.json.decode(step)["type"].split(".")[1]
            fold.apply(service, fold.state.sequences.get(service, 0) + 1, step)
        elif step is dict:
            fold.state.dump()
            writing = fold.state.write()
        else:
            assert all(piece is None for piece in itertools.islice(writing, step))
    dumped = fold.state.dump()
    assert dumped == folded(*taken).state.dump()
    assert State.load(dumped, PLAN.digest).dump() == dumped


def test_a_snapshot_of_another_plan_is_not_used():
    with pytest.raises(StateError):
        State.load(State("one plan").dump(), "another plan")


def test_a_snapshot_of_the_same_plan_in_another_layout_is_not_used():
    dumped = msgspec.json.decode(folded(event("intel.band.dismantled")).state.dump())
    assert State.load(msgspec.json.encode(dumped), PLAN.digest).sums
    for layout in (LAYOUT - 1, LAYOUT + 1):
        with pytest.raises(StateError):
            State.load(msgspec.json.encode(dumped | {"layout": layout}), PLAN.digest)


def test_rows_that_ask_the_same_by_fewer_fields_read_one_account():
    detained = accounts_of(PLAN).by_event["legal.person.detained"]
    assert [len(several) for thing, several in detained.items() if thing.amount] == [1]
    readers = {
        row
        for (row, _), sources in accounts_of(PLAN).sources.items()
        for one in sources
        if one.account.event == "legal.person.detained"
    }
    assert {"IE-3.1i", "IE-1.2.3", "XC-2", "PC-1d.ratio", "LE-1.R2"} <= readers


def test_what_the_report_left_out_is_unknown_and_fulfils_no_condition():
    fold = folded(event("legal.person.detained", sex=...), event("legal.person.detained", sex="unknown"))
    assert {key[2] for key in values(row(fold, "IE-3.1i"))} == {"unknown"}
    assert (row(fold, "XC-2").headline.numerator, row(fold, "XC-2").headline.denominator) == (0, 2)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        event("intel.band.dismantled").replace(b'"data":{', b'"data":{"scope":1,,'),
        raw(
            "crm.intel.band.corrected.v1",
            {"original": "crm.intel.band.dismantled.v1", "previous": 5, "original_time": AT},
            "GTM",
            AT,
        ),
        raw("crm.intel.band.dismantled.v1", [], "GTM", AT),
        raw("crm.intel.report.rejected.v1", {"problems": 1}, "GTM", AT),
    ],
)
def test_what_cannot_be_an_event_is_said_and_changes_nothing(payload):
    fold = Fold(PLAN)
    before = fold.state.dump()
    with pytest.raises(msgspec.MsgspecError):
        fold.apply("intel", 1, payload)
    assert fold.state.dump() == before


@given(st.lists(st.integers(0, 300), max_size=120), st.data())
def test_the_earliest_times_survive_retractions(times, data):
    kept = Earliest()
    for us in times:
        kept.add(us)
    gone = data.draw(st.lists(st.sampled_from(range(len(times))), unique=True, max_size=EARLIEST_KEPT)) if times else []
    for place in gone:
        kept.remove(times[place])
    left = sorted(us for place, us in enumerate(times) if place not in gone)
    assert kept.kept[:1] in ([], left[:1])
    assert len(kept.kept) + kept.more == len(left)


countries = st.sampled_from(["GTM", "HND", "MEX"])
days = st.integers(1, 28).map(lambda day: f"2004-{1 + day % 12:02}-{day:02}T10:00:00Z")
reports = st.one_of(
    st.builds(
        lambda c, d, s: event("legal.person.detained", c, d, sex=s),
        countries,
        days,
        st.sampled_from(["male", "female"]),
    ),
    st.builds(
        lambda c, d, n: event("training.workforce.declared", c, d, headcount=n), countries, days, st.integers(0, 9)
    ),
    st.builds(lambda c, d: event("training.official.enrolled", c, d), countries, days),
    st.builds(lambda c, d: event("intel.operation.executed", c, d, joint=True), countries, days),
    st.builds(lambda c, d: event("intel.meeting.held", c, d), countries, days),
    st.builds(lambda c, d: event("victims.service.provided", c, d), countries, days),
    st.builds(lambda c, d: event("victims.referral.accepted", c, d, late=False, latency_s=7000), countries, days),
)
SEXES = {"legal": {"sex": "unknown"}, "training": {}, "intel": {}, "victims": {}}


def service_of(payload: bytes) -> str:
    return msgspec.json.decode(payload)["type"].split(".")[1]


@settings(max_examples=60, deadline=None)
@given(st.lists(reports, max_size=25), st.randoms(use_true_random=False))
def test_the_state_does_not_depend_on_how_the_streams_interleave(payloads, random):
    streams: dict[str, list[bytes]] = {}
    for payload in payloads:
        streams.setdefault(service_of(payload), []).append(payload)
        if random.random() < 0.3:
            verb = random.choice(["corrected", "retracted"])
            streams[service_of(payload)].append(amend(verb, payload, **SEXES[service_of(payload)]))
    queues = {service: list(held) for service, held in streams.items()}
    mixed = []
    while any(queues.values()):
        mixed.append(queues[random.choice([service for service, held in queues.items() if held])].pop(0))
    one, other = folded(*itertools.chain(*streams.values())), folded(*mixed)
    assert one.state.dump() == other.state.dump()
    assert State.load(one.state.dump(), PLAN.digest).dump() == one.state.dump()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(reports, st.sampled_from(["kept", "corrected", "retracted"])), max_size=25),
    st.randoms(use_true_random=False),
)
def test_amendments_give_the_figures_of_a_clean_replay(history, random):
    clean, amended = [], []
    for payload, fate in history:
        change = SEXES[service_of(payload)] if fate == "corrected" else {}
        event_now = msgspec.json.decode(payload)
        event_now["data"] |= change
        if fate != "retracted":
            clean.append(msgspec.json.encode(event_now))
        amended.append([payload] + ([amend(fate, payload, **change)] if fate != "kept" else []))
    flow = []
    while any(amended):  # causes before effects, otherwise any order
        flow.append(random.choice([one for one in amended if one]).pop(0))
    # A retracted report was one, too: so everybody was heard of late, on both days that are looked at.
    everybody = [*heard(on="2004-06-10T12:00:00Z"), *heard(on="2004-12-20T12:00:00Z")]
    got, wanted = folded(*everybody, *flow), folded(*everybody, *clean)
    for identity in PLAN.rows:
        if identity not in {"XC-6", "XC-6.timely", "XC-6.timely.victims"}:  # who reports at all, and how soon
            for as_of in ("", "2004-06-15"):
                one, other = row(got, identity, as_of), row(wanted, identity, as_of)
                assert (values(one), one.histograms, one.verdict) == (values(other), other.histograms, other.verdict)
