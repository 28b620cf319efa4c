"""A country's own part: referrals that it has not answered and its refused reports, for nobody else."""

import re
from pathlib import Path

import msgspec
import pytest

from services.indicators.publish.access import country_token
from services.indicators.publish.words import words
from shared.contracts import SERVICES
from tests.harness.golden import before
from tests.services.indicators.making import event, folded, instant, raw
from tests.services.indicators.serving import get, served, viewed
from tests.services.indicators.test_desk import Streams

GOLDEN = Path(__file__).parents[2] / "golden"
NOW = instant("2004-06-15")
SERVICE = "urn:crm:service:victims"


def referral(verb, of, to, time, *, source=SERVICE, **data):
    return raw(f"crm.victims.referral.{verb}.v1", {"referral_id": of, **data}, to, time, source=source)


def offered(of, sender, due, to="MEX"):
    return referral("offered", of, to, "2004-06-01T10:00:00Z", sender=sender, due=due, case_id="c", needs=[])


def rejected(to, report):
    wrong = [{"pointer": "/data/offence", "code": "missing_field", "message": "this field is required"}]
    data = {"problems": wrong, "intake_sequence": 7, "report_id": report, "report_type": "crm.legal.charge.filed.v1"}
    return raw("crm.legal.report.rejected.v1", data, to, "2004-06-02T10:00:00Z", source="urn:crm:service:legal")


VICTIMS = [
    offered("ref-open", "GTM", "2004-06-16T00:00:00Z"),
    offered("ref-late", "HND", "2004-06-14T22:00:00Z"),
    offered("ref-yes", "GTM", "2004-06-16T00:00:00Z"),
    offered("ref-back", "GTM", "2004-06-16T00:00:00Z"),
    offered("ref-gone", "GTM", "2004-05-01T00:00:00Z"),
    offered("ref-other", "GTM", "2004-06-16T00:00:00Z", to="SLV"),
    referral("accepted", "ref-yes", "MEX", "2004-06-03T10:00:00Z", source="urn:crm:country:MEX:sys", sender="GTM"),
    referral("revoked", "ref-back", "GTM", "2004-06-03T10:00:00Z", source="urn:crm:country:GTM:sys"),
    referral("lapsed", "ref-gone", "GTM", "2004-06-03T10:00:00Z", sender="GTM", receiver="MEX"),
    # another country's referral of the same name stays what it was
    referral("revoked", "ref-open", "BLZ", "2004-06-03T10:00:00Z", source="urn:crm:country:BLZ:sys"),
]


def noticed(identity, kind, to, time, **more):
    data = {"kind": kind, "about": "x", "about_type": "crm.intel.location.reported.v1", **more}
    one = msgspec.json.decode(raw("crm.intel.alert.issued.v1", data, to, time, source="urn:crm:service:intel"))
    return msgspec.json.encode(one | {"id": identity})


PLACE = {"entity": "place-77", "country": "HND", "due": "2004-06-18T00:00:00Z"}
INTEL = [
    noticed("n-1", "location_reported", "MEX", "2004-06-10T10:00:00Z", **PLACE),
    noticed("n-2", "commitment_overdue", "MEX", "2004-06-11T10:00:00Z", due="2004-06-01T00:00:00Z"),
    noticed("n-3", "trafficker_matched", "MEX", "2004-06-12T10:00:00Z", entity="place-78"),
    noticed("n-4", "taken_back", "MEX", "2004-06-13T10:00:00Z", about="n-3"),
    noticed("n-5", "location_reported", "GTM", "2004-06-13T10:00:00Z", entity="place-79"),
    noticed("n-7", "target_crossed", "MEX", "2004-06-13T11:00:00Z", entity="PC-1a", reason="lost"),
    noticed("n-8", "target_crossed", "MEX", "2004-06-13T12:00:00Z", entity="IE-1.1", reason="reached"),
    noticed("n-6", "something_of_a_later_version", "MEX", "2004-06-14T10:00:00Z"),
]
LEGAL = [rejected("MEX", "mx-17"), rejected("GTM", "gt-18")]


@pytest.fixture(scope="module")
def base():
    fold = folded(event("intel.meeting.held", "MEX", "2003-06-03T00:00:00Z", date="2003-06-03"))
    fold.state.sequences |= {"victims": len(VICTIMS), "legal": len(LEGAL), "intel": len(INTEL)}
    with served(viewed(fold, now=lambda: NOW, recall=Streams(victims=VICTIMS, legal=LEGAL, intel=INTEL))) as address:
        yield address


def page(base, code, reader="", lang="en"):
    headers = {"Authorization": f"Bearer {country_token('secret', reader)}"} if reader else {}
    return get(f"{base}/countries/{code}?lang={lang}", **headers)[1]


def named(text):
    return {*re.findall(r"ref-\w+|mx-17|gt-18", text)}


def test_a_country_reads_what_waits_for_it_and_why_its_reports_were_refused(base):
    text = page(base, "MEX", "MEX")
    assert named(text) == {"ref-open", "ref-late", "mx-17"}
    assert text.index("ref-late") < text.index("ref-open")
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
    assert "2 hours late" in plain
    assert "this field is required" in plain
    assert "/data/offence" in plain


def test_notices_to_a_country_are_told_in_words_and_what_was_taken_back_no_more(base):
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page(base, "MEX", "MEX", "es").partition('id="notices"')[2]))
    assert re.search(r"10 jun 2004 lugar comunicado a su país, por contestar Honduras place-77 vence el 18 jun", plain)
    assert "compromiso vencido vencía el 1 jun 2004" in plain
    assert plain.index("compromiso vencido") < plain.index("lugar comunicado"), "the latest first"
    assert "14 jun 2004 aviso" in plain
    assert "something_of" not in plain
    assert "place-78" not in plain
    assert not {"place-77", "place-79"} & set(re.findall(r"place-\d+", page(base, "MEX", "HND")))
    assert "place-79" not in page(base, "MEX", "MEX")


def test_a_notice_of_a_target_says_whether_it_was_reached_or_lost_and_leads_to_it(base):
    notices = page(base, "MEX", "MEX", "es").partition('id="notices"')[2]
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", notices))
    assert "Ya no se cumple PC-1a Operaciones en conjunto, tendencia" in plain
    assert "Meta cumplida IE-1.1 Países que usan el manual de procedimientos" in plain
    assert 'href="/indicators/PC-1a?lang=es"' in notices


def test_every_kind_of_notice_that_was_ever_given_has_words_in_each_language():
    told = (event for name in SERVICES for event in before(GOLDEN / f"{name}.jsonl.xz").values())
    kinds = {event.data.kind for event in told if event.name.endswith("alert.issued")} - {"taken_back"}
    assert len(kinds) > 40
    for lang in ("es", "en", "fr"):
        assert not {one for one in kinds if not words(lang).called("notice", one)}, lang


@pytest.mark.parametrize("reader", ["", "GTM", "HND"])
def test_nobody_else_reads_it(base, reader):
    assert not named(page(base, "MEX", reader))


def test_what_came_since_is_read_with_the_next_look_and_nothing_twice(base):
    assert named(page(base, "MEX", "MEX")) == named(page(base, "MEX", "MEX", "es"))


def test_while_the_streams_are_away_the_page_says_so():
    fold = folded(event("intel.meeting.held", "MEX", "2003-06-03T00:00:00Z", date="2003-06-03"))
    with served(viewed(fold, now=lambda: NOW)) as address:
        assert "cannot be read just now" in page(address, "MEX", "MEX")
        assert "cannot be read just now" not in page(address, "MEX")


@pytest.mark.parametrize(("lang", "means"), [("es", "falta un campo"), ("fr", "un champ manque")])
def test_why_a_report_was_refused_is_said_in_the_readers_language(base, lang, means):
    own = page(base, "MEX", "MEX", lang)
    assert means in own
    assert "<code>missing_field</code>" in own
    assert '<span lang="en">this field is required</span>' in own
