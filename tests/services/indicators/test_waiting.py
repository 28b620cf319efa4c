"""A country's own part: referrals that it has not answered and its refused reports, for nobody else."""

import re

import pytest

from services.indicators.publish.access import country_token
from tests.services.indicators.making import event, folded, instant, raw
from tests.services.indicators.serving import get, served, viewed
from tests.services.indicators.test_desk import Streams

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
LEGAL = [rejected("MEX", "mx-17"), rejected("GTM", "gt-18")]


@pytest.fixture(scope="module")
def base():
    fold = folded(event("intel.meeting.held", "MEX", "2003-06-03T00:00:00Z", date="2003-06-03"))
    fold.state.sequences |= {"victims": len(VICTIMS), "legal": len(LEGAL)}
    with served(viewed(fold, now=lambda: NOW, recall=Streams(victims=VICTIMS, legal=LEGAL))) as address:
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
