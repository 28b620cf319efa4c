"""Who signs for a country when: the region's file, and keys as they are told, in whatever order."""

import itertools
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import Event
from shared.contracts.keys import GOOD, KeyAdded, KeyRevoked, is_key
from shared.record.signers import OWN, Key, Policy, Root, SignersError, amiss, parsed, told

OTHER = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"
"""RFC 8032, test 2."""
ROOT = "_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU"
"""RFC 8032, test 3."""
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def event(data, days=0.0, system="sicam", number=1):
    kind = "added" if isinstance(data, KeyAdded) else "revoked" if isinstance(data, KeyRevoked) else "flagged"
    at = START + DAY * days
    return Event(
        specversion="1.0",
        id=f"e-{number}",
        source=f"urn:crm:country:GTM:{system}",
        type=f"crm.indicators.key.{kind}.v1",
        time=at,
        country="GTM",
        data=data,
        recordedtime=at,
    )


def added(key=GOOD, since=0.0, until=None, system=None):
    return KeyAdded(
        key=key,
        system=system,
        valid_from=START + DAY * since,
        valid_until=None if until is None else START + DAY * until,
        reported_by="foreign_ministry",
    )


def revoked(key=GOOD):
    return KeyRevoked(key=key, reason="lost", reported_by="foreign_ministry")


def code(country, keys, key, days, data="a report", *, system="sicam"):  # noqa: PLR0913
    found = amiss(event(data, days, system), key, country, keys)
    return found.code if found else ""


OPTIONAL = Policy(reports="optional", root=(Root(key=ROOT, since=START.date()),))
REQUIRED = msgspec.structs.replace(OPTIONAL, reports="required", since=(START + 10 * DAY).date())


def test_a_report_is_judged_by_what_holds_when_it_is_recorded():
    """By the day, from the texts of the contracts: valid from, valid until (no more), revoked (no more)."""
    keys = told((), event(added(since=2, until=8, system="sicam")))
    keys = told(keys, event(revoked(), days=6))
    days = {1: "key_not_yet_valid", 2: "", 5.9: "", 6: "key_revoked", 7: "key_revoked", 8: "key_revoked"}
    assert {day: code(OPTIONAL, keys, GOOD, day) for day in days} == days
    keys = told((), event(added(since=2, until=8, system="sicam")))
    days = {1: "key_not_yet_valid", 2: "", 7.9: "", 8: "key_expired"}
    assert {day: code(OPTIONAL, keys, GOOD, day) for day in days} == days
    assert code(OPTIONAL, keys, GOOD, 3, system="other") == "key_foreign"
    assert code(OPTIONAL, keys, OTHER, 3) == "key_unknown"
    assert code(OPTIONAL, keys, ROOT, 3) == "key_unknown", "the root key signs no other report"


def test_a_country_must_sign_from_the_day_on_that_the_region_names():
    days = {9.99: "", 10: "signature_required", 400: "signature_required"}
    assert {day: code(REQUIRED, (), None, day) for day in days} == days
    assert {code(OPTIONAL, (), None, day) for day in days} == {""}
    keys = told((), event(added()))
    assert {code(REQUIRED, keys, GOOD, day) for day in days} == {""}


def test_what_is_said_of_a_key_is_signed_with_a_root_key_in_force():
    ended = msgspec.structs.replace(
        OPTIONAL,
        root=(
            Root(key=ROOT, since=START.date(), until=(START + 5 * DAY).date()),
            Root(key=OTHER, since=(START + 5 * DAY).date()),
        ),
    )
    first, second = added(), added(key=OTHER)
    days = {-0.1: "root_required", 0: "", 4.9: "", 5: "root_required"}
    assert {day: code(ended, (), ROOT, day, first) for day in days} == days
    assert [code(ended, (), OTHER, day, first) for day in (4.9, 5)] == ["root_required", ""]
    assert {code(ended, (), key, 1, first) for key in (None, GOOD)} == {"root_required"}
    keys = told((), event(first))
    assert code(ended, keys, ROOT, 1, first) == "already_added"
    assert code(ended, keys, ROOT, 1, revoked(OTHER)) == "key_unknown"
    assert code(ended, keys, ROOT, 1, second) == ""
    assert code(ended, told(keys, event(revoked())), ROOT, 1, revoked()) == "already_revoked"


@given(st.lists(st.tuples(st.sampled_from(["added", "revoked"]), st.sampled_from([GOOD, OTHER])), max_size=6))
def test_a_revoked_key_signs_nothing_more_whatever_is_heard_in_which_order(happened):
    keys: tuple[Key, ...] = ()
    for number, (kind, key) in enumerate(happened):
        keys = told(keys, event(added(key) if kind == "added" else revoked(key), number, number=number))
    assert len({one.key for one in keys}) == len(keys)
    for key in (GOOD, OTHER):
        kinds = {kind for kind, which in happened if which == key}
        found = code(OPTIONAL, keys, key, 100)
        assert found == ("key_revoked" if "revoked" in kinds else "" if kinds else "key_unknown")


def test_replicas_may_hear_of_a_key_in_any_order():
    events = [event(added(), 0), event(revoked(), 3), event(added(OTHER), 1)]
    for order in itertools.permutations(events):
        keys: tuple[Key, ...] = ()
        for one in order:
            keys = told(keys, one)
        assert [code(OPTIONAL, keys, key, 4) for key in (GOOD, OTHER)] == ["key_revoked", ""]


def test_the_regions_own_file_can_be_used():
    assert {one.reports for one in parsed(OWN).values()} == {"off"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[MEX", "Expected"),
        ("[ATL]\nreports = 'off'", "no country is called ATL"),
        ("[MEX]\nreports = 'perhaps'", "MEX"),
        ("[MEX]\nreports = 'optional'", "has a root key"),
        (f"[MEX]\nreports = 'required'\n[[MEX.root]]\nkey = '{ROOT}'\nfrom = 2026-01-01", "names the day"),
        (f"[MEX]\nreports = 'optional'\nsince = 2026-01-01\n[[MEX.root]]\nkey = '{ROOT}'\nfrom = 2026-01-01", "day"),
        ("[MEX]\nreports = 'optional'\n[[MEX.root]]\nkey = 'maria-lopez'\nfrom = 2026-01-01", "no Ed25519 public key"),
        (f"[MEX]\nreports = 'optional'\n[[MEX.root]]\nkey = '{ROOT}='\nfrom = 2026-01-01", "no Ed25519 public key"),
        (f"[MEX]\nreports = 'optional'\n[[MEX.root]]\nkey = '{ROOT}'\nform = 2026-01-01", "MEX"),
    ],
)
def test_a_file_with_faults_is_told(tmp_path, text, why):
    file = tmp_path / "signing.toml"
    file.write_text(text)
    with pytest.raises(SignersError, match=why) as caught:
        parsed(file)
    assert str(caught.value).startswith("signing.toml")


@pytest.mark.parametrize(
    "text", ["", "x", "A" * 43, "Maria-Lopez-of-the-embassy-in-Tegucigalpa-12", GOOD + "A", GOOD[:-1]]
)
def test_what_is_no_key_is_none(text):
    """All zeros, too: a point of small order, with which anything can be made to fit."""
    assert not is_key(text)
    assert is_key(GOOD)
