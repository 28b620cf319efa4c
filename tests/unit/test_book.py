"""A country's book: the region sees random stand-ins, the country its own identifiers, and nobody what is forgotten."""

import stat
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import contracts
from shared.client import CountryClient
from shared.client.book import Book
from shared.contracts import registry
from shared.contracts.report import accepted
from tests.harness.canaries import fits, whole
from tests.harness.speaking import NOW, example, of_own

OWN = "Maria Canary 1984/17"
IDENTIFIED = example("victims.victim.identified") | {"victim_pid": OWN}
SENT = example("victims.referral.sent") | {
    "referral_id": "ref 17",
    "consent_id": "con 17",
    "case_id": "case 17",
    "dataref": "urn:crm:vault:GTM:17/x",
}


@pytest.fixture
def book(tmp_path):
    opened = Book(tmp_path / "book.sqlite", "GTM")
    yield opened
    opened.close()


def recorded(name, data):
    report = CountryClient(None, "GTM", "test").report(name, data, time=NOW)
    return accepted(f"crm.in.GTM.{name}", None, msgspec.json.encode(report), NOW)


def test_the_region_gets_stand_ins_and_the_country_reads_its_own(book):
    first, sent = (
        book.hidden("victims.victim.identified", IDENTIFIED, OWN),
        book.hidden("victims.referral.sent", SENT, OWN),
    )
    for said in ("Maria", "ref 17", "con 17", "case 17", "17/x"):
        assert said not in str(first) + str(sent)
    assert {key: value for key, value in first.items() if key != "victim_pid"} == {
        key: value for key, value in IDENTIFIED.items() if key != "victim_pid"
    }
    event = recorded("victims.referral.sent", sent)
    assert event.subject == sent["referral_id"]
    back = book.shown(event)
    assert back.subject == "ref 17"
    assert (back.data.referral_id, back.data.consent_id, back.data.case_id) == ("ref 17", "con 17", "case 17")
    assert back.data.dataref == "urn:crm:vault:GTM:17/x"
    assert book.shown(recorded("victims.victim.identified", first)).data.victim_pid == OWN


def test_equal_ones_stay_equal_and_what_is_hidden_is_not_hidden_again(book):
    once, again = (book.hidden("victims.referral.sent", SENT, OWN) for _ in range(2))
    assert once == again == book.hidden("victims.referral.sent", once, OWN)
    withdrawn = book.hidden("victims.consent.withdrawn", {"consent_id": "con 17", "victim_pid": OWN}, OWN)
    assert withdrawn["consent_id"] == once["consent_id"]
    owned = book.hidden("victims.referral.sent", SENT | {"case_id": "GTM:case 17"}, OWN)
    assert owned["case_id"] == f"GTM:{once['case_id']}"


def test_anothers_identifiers_stay(book):
    answer = {"referral_id": "ref-88", "reported_by": "police"}
    assert book.hidden("victims.referral.accepted", answer, OWN) == answer, "given by whoever sent it"
    assert book.hidden("victims.referral.sent", SENT | {"case_id": "MEX:9"}, OWN)["case_id"] == "MEX:9"
    erased = {"consent_id": "MEX:con-1", "victim_pid": "vi-1"}
    assert book.hidden("victims.consent.erased", erased, OWN) == erased


def test_a_correction_hides_what_the_book_knows(book):
    sent = book.hidden("victims.victim.identified", IDENTIFIED, OWN)
    said = {"supersedes": "e-1", "data": IDENTIFIED | {"sex": "female"}}
    corrected = book.hidden("victims.victim.corrected", said, OWN)
    assert corrected["data"]["victim_pid"] == sent["victim_pid"]


def test_who_is_forgotten_is_nowhere_in_the_book_and_has_another_stand_in_later(book, tmp_path):
    before = book.hidden("victims.victim.identified", IDENTIFIED, OWN)
    event = recorded("victims.victim.identified", before)
    shared = book.hidden("victims.referral.sent", SENT, OWN)["case_id"]
    assert book.hidden("victims.referral.sent", {"case_id": "case 17"}, "another")["case_id"] == shared
    assert book.forget(OWN) == 4, "all but the case, which concerns another as well"
    assert book.shown(event) == event
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for said in (OWN, "ref 17", "con 17", "17/x", before["victim_pid"]):
        assert said.encode() not in content
    assert book.hidden("victims.victim.identified", IDENTIFIED, OWN) != before
    assert book.hidden("victims.referral.sent", {"case_id": "case 17"}, "another")["case_id"] == shared
    assert book.forget("nobody") == 0


def test_the_file_is_its_owners_and_stays(book, tmp_path):
    file = tmp_path / "book.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = book.hidden("victims.victim.identified", IDENTIFIED, OWN)
    book.close()
    again = Book(file, "GTM")
    assert again.hidden("victims.victim.identified", IDENTIFIED, OWN) == before
    again.close()


@settings(deadline=None)  # each makes a file
@given(st.text(min_size=1, max_size=60).filter(str.isprintable))
def test_any_identifier_has_a_stand_in_that_every_contract_takes(own):
    agreed = registry()["crm.victims.victim.updated.v1"]
    with tempfile.TemporaryDirectory() as folder:
        book = Book(Path(folder) / "book.sqlite", "GTM")
        hidden = book.hidden(agreed.name, dict(agreed.good) | {"victim_pid": own}, own)
        book.close()
    assert fits(agreed, whole(agreed, "GTM") | {"data": hidden, "subject": hidden["victim_pid"]}, "GTM")


def test_every_type_that_is_reported_can_be_hidden(book):
    for agreed in contracts.registry().values():
        if agreed.reported and not agreed.generic:
            data = of_own(dict(agreed.good), "GTM")
            hidden = book.hidden(agreed.name, data, OWN)
            assert hidden.keys() == data.keys()
