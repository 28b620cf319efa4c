"""What a country says of persons: sealed for its receivers, opened by them and by nobody else, forgotten for ever."""

import base64
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import msgspec
import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrage import x25519

from shared import contracts
from shared.client import CountryClient, Invalid, NotPermitted, Unreachable
from shared.client.book import Book
from shared.client.persons import Persons, Seals
from shared.contracts import questions
from shared.contracts.keeping import ForgetAnswer, KeepAnswer, KeyAnswer
from shared.contracts.report import accepted
from shared.contracts.victims import ReferralOfferedSealed
from shared.contracts.vocabulary import OverrideReason, Service, Sex
from tests.harness.speaking import NOW, example

SECRETS = {name: x25519.Identity.generate() for name in ("GTM", "MEX", "HND")}
PUBLIC = {name: secret.to_public() for name, secret in SECRETS.items()}
CONSENT = example("victims.consent.recorded") | {"valid_until": "2005-03-01"}
SENT = example("victims.referral.sent")


@dataclass
class Region(CountryClient):
    """A client whose region keeps keys, and nothing else."""

    kept: dict = field(default_factory=dict)
    silent: bool = False
    """Whether no question gets an answer."""

    async def ask(self, service, question, data=None):
        agreed = questions.of(service, question)
        asked = questions.read(agreed, msgspec.json.encode(data))
        assert isinstance(asked, agreed.ask), asked
        if self.silent:
            raise Unreachable("nobody there")
        if question == "keep":
            self.kept[asked.key] = asked
            return KeepAnswer()
        if question == "forget":
            return ForgetAnswer(forgotten=sum(self.kept.pop(key, None) is not None for key in asked.keys))
        if (key := self.kept.get(asked.key)) is None or self.country not in key.readers:
            raise NotPermitted([])
        return KeyAnswer(head=key.head)


def country(folder, name, kept):
    region = Region(None, name, "test", lambda: NOW, kept=kept)
    return Persons(region, Book(Path(folder) / f"{name}.sqlite", name), Seals(PUBLIC, [SECRETS[name]]))


@pytest.fixture
def kept():
    return {}


@pytest.fixture
def gtm(tmp_path, kept):
    return country(tmp_path, "GTM", kept)


@pytest.fixture
def mex(tmp_path, kept):
    return country(tmp_path, "MEX", kept)


def recorded(report, name="victims.referral.sent"):
    event = accepted(f"crm.in.GTM.{name}", None, msgspec.json.encode(report), NOW)
    return contracts.decode(msgspec.json.encode(event))


def offered(report):
    """The offer that a sealed referral becomes."""
    said = recorded(report).data
    data = ReferralOfferedSealed(
        referral_id=said.referral_id,
        case_id=said.case_id,
        sender=said.sender,
        urgency=said.urgency,
        due=NOW,
        sealed=said.sealed,
        consent_id=said.consent_id,
    )
    return msgspec.structs.replace(recorded(report), type=contracts.of(type(data), "victims").type, data=data)


async def test_the_receiver_reads_what_the_sender_wrote_and_nobody_else(gtm, mex, tmp_path, kept):
    report = await gtm.report("victims.referral.sent", SENT, "Maria 17", time=NOW)
    assert report["type"] == "crm.victims.referral.sent.v2"
    sealed = report["data"]["sealed"]
    assert {*report["data"]} & {"needs", "preview", "override", "dataref"} == set()
    assert (report["data"]["urgency"], report["data"]["authority"]) == ("child", "child_welfare")
    read = (await mex.shown(offered(report))).data
    assert [*read.needs] == SENT["needs"]
    assert read.preview == msgspec.convert(SENT["preview"], type(read.preview))
    assert read.dataref.startswith("urn:crm:vault:GTM:p-")
    own = (await gtm.shown(recorded(report))).data
    assert (own.override.reason, own.referral_id, own.dataref) == ("child", SENT["referral_id"], SENT["dataref"])
    for other in (
        country(tmp_path, "HND", kept),
        country(tmp_path, "HND", {key: _open(one) for key, one in kept.items()}),
    ):
        assert (await other.shown(offered(report))).data == offered(report).data, "neither by asking, nor with the key"
    assert sealed["key"] in kept


def _open(asked):
    """A key that the region would give to anybody."""
    return msgspec.structs.replace(asked, readers=("HND",))


async def test_a_consent_is_for_its_own_country_only(gtm, kept):
    for scope in ("referral", "research"):
        report = await gtm.report(
            "victims.consent.recorded", CONSENT | {"scope": scope, "consent_id": scope}, "x", time=NOW
        )
        assert report["data"]["for_referral"] is (scope == "referral")
        assert {*report["data"]} & {"scope", "purpose", "guardian"} == set()
        assert kept[report["data"]["sealed"]["key"]].readers == ("GTM",)
        read = (await gtm.shown(recorded(report, "victims.consent.recorded"))).data
        assert (read.scope, read.purpose, read.valid_until.year) == (scope, "repatriation", 2005)


async def test_what_has_no_version_2_is_reported_as_before(gtm, kept):
    identified = example("victims.victim.identified")
    report = await gtm.report("victims.victim.identified", identified, identified["victim_pid"], time=NOW)
    assert report["type"] == "crm.victims.victim.identified.v1"
    assert report["data"]["victim_pid"].startswith("p-")
    assert kept == {}


async def test_what_version_1_would_refuse_is_not_sealed(gtm, kept):
    """The region cannot look into what is sealed, so the client does."""
    wrong = SENT | {"preview": {"sex": "female", "age_band": "adult"}}
    with pytest.raises(Invalid) as refused:
        await gtm.report("victims.referral.sent", wrong, "x", time=NOW)
    assert {one.pointer for one in refused.value.problems} == {"/data/urgency", "/data/override/reason"}
    assert kept == {}


async def test_forgotten_nobody_opens_it(gtm, mex, tmp_path):
    other = SENT | {"referral_id": "ref-2", "case_id": "case-2", "dataref": "urn:crm:vault:GTM:2"}
    report = await gtm.report("victims.referral.sent", SENT, "Maria 17", time=NOW)
    another = await gtm.report("victims.referral.sent", other, "Ana", time=NOW)
    kept = {one["data"]["sealed"]["key"].encode() for one in (report, another)}
    assert len([key for key in kept if key in (tmp_path / "GTM.sqlite").read_bytes()]) == 2
    assert await gtm.forget("Maria 17") == 1 + 2, "its key, and two identifiers: ref-88 and case-12"
    assert (await mex.shown(offered(report))).data == offered(report).data
    assert (await gtm.shown(recorded(report))).data == recorded(report).data
    assert (await mex.shown(offered(another))).data.needs, "another person's stays"
    assert len([key for key in kept if key in (tmp_path / "GTM.sqlite").read_bytes()]) == 1


async def test_a_region_that_lost_its_keys_is_given_them_again(gtm, mex, kept):
    report = await gtm.report("victims.referral.sent", SENT, "Maria 17", time=NOW)
    before = dict(kept)
    kept.clear()
    assert (await mex.shown(offered(report))).data == offered(report).data
    assert await gtm.keep_again() == 1
    assert kept == before
    assert (await mex.shown(offered(report))).data.needs


async def test_where_nobody_keeps_the_key_nothing_is_told_of_the_person(gtm, kept):
    """The client asks again by itself (tests/services/test_asking.py)."""
    gtm._client.silent = True
    with pytest.raises(Unreachable):
        await gtm.report("victims.referral.sent", SENT, "Maria 17", time=NOW)
    assert kept == {}
    gtm._client.silent = False
    await gtm.report("victims.referral.sent", SENT, "Maria 17", time=NOW)
    assert len(kept) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"needs": "x"}', b'{"needs": ["spa"]}', b"\xff"])
async def test_whatever_somebody_seals_the_mailbox_goes_on(gtm, mex, content):
    report = await gtm.report("victims.referral.sent", SENT, "x", time=NOW)
    whole = pyrage.encrypt(content, [PUBLIC["MEX"]])
    end = whole.index(b"\n", whole.index(b"\n---") + 1) + 1
    key, box = report["data"]["sealed"]["key"], base64.urlsafe_b64encode(whole[end:].ljust(60)).rstrip(b"=").decode()
    gtm._client.kept[key] = msgspec.structs.replace(gtm._client.kept[key], head=whole[:end].decode())
    event = offered(report | {"data": report["data"] | {"sealed": {"key": key, "box": box}}})
    assert (await mex.shown(event)).data == event.data


async def test_what_stands_in_the_clear_holds_whatever_is_sealed(gtm, mex, kept):
    """A sender cannot have its receiver read another referral than the region judges."""
    report = await gtm.report("victims.referral.sent", SENT, "x", time=NOW)
    said = {"needs": ["shelter"], "referral_id": "other", "consent_id": "other", "due": "2001-01-01T00:00:00Z"}
    head, box = gtm._seals.closed(said, ["MEX"])
    key = report["data"]["sealed"]["key"]
    kept[key] = msgspec.structs.replace(kept[key], head=head)
    read = (await mex.shown(offered(report | {"data": report["data"] | {"sealed": {"key": key, "box": box}}}))).data
    assert [*read.needs] == ["shelter"]
    assert (read.referral_id, read.consent_id, read.due) == (report["data"]["referral_id"], None, NOW)


SAID = st.fixed_dictionaries(
    {"needs": st.lists(st.sampled_from(get_args(Service)), min_size=1, max_size=8, unique=True)},
    optional={
        "preview": st.fixed_dictionaries({"sex": st.sampled_from(get_args(Sex)), "age_band": st.just("minor")}),
        "override": st.fixed_dictionaries(
            {"reason": st.sampled_from(get_args(OverrideReason)), "authority": st.just("child_welfare")}
        ),
        "dataref": st.just("urn:crm:vault:GTM:ref-88"),
    },
)


@given(SAID)
@settings(max_examples=25, deadline=None)
def test_sealed_and_opened_nothing_is_lost_and_the_length_tells_nothing(said):
    seals = {name: Seals(PUBLIC, [secret]) for name, secret in SECRETS.items()}
    head, box = seals["GTM"].closed(said, ["MEX", "GTM"])
    assert len(box) == len(seals["GTM"].closed({"needs": ["food"]}, ["MEX", "GTM"])[1])
    assert seals["GTM"].opened(head, box) == seals["MEX"].opened(head, box) == said
    assert seals["HND"].opened(head, box) is None


def test_with_its_header_it_is_an_age_file_of_a_standard_tool():
    head, box = Seals(PUBLIC, []).closed({"needs": ["food"]}, ["MEX"])
    with tempfile.TemporaryFile() as file:
        file.write(head.encode() + base64.urlsafe_b64decode(box + "=" * (-len(box) % 4)))
        file.seek(0)
        assert json.loads(pyrage.decrypt(file.read(), [SECRETS["MEX"]])) == {"needs": ["food"]}
