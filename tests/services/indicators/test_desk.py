import re
import urllib.error
import urllib.parse
import urllib.request
from html import escape

import msgspec
import pytest

from services.indicators.publish import ical
from services.indicators.publish.access import country_token
from services.indicators.publish.commitments import Commitments
from services.indicators.publish.desk import following, meeting
from services.indicators.publish.recalling import Recalled
from services.indicators.publish.words import words
from shared.contracts.vocabulary import SEATS
from tests.services.indicators.language import faults
from tests.services.indicators.making import amend, event, folded, instant, raw
from tests.services.indicators.serving import get, served, viewed

NOW = instant("2004-06-15")  # the next first Tuesday is July 6
MEX, HND, GTM = (f"Bearer {country_token('secret', one)}" for one in ("MEX", "HND", "GTM"))


def agreed(ref, country, due, by="MEX", time="2004-03-02T10:00:00Z", **more):
    data = {"commitment_id": ref, "country": country, "due": due, "reported_by": "ppt", **more}
    return told("agreed", by, time, f"e-{ref}", data | {"owners": {"commitment_id": by}})


def kept(ref, country, time, by="MEX"):
    data = {"commitment_id": ref, "country": country, "reported_by": "immigration"}
    return told("fulfilled", country, time, f"k-{ref}", data | {"owners": {"commitment_id": by}})


def told(verb, by, time, identity, data):
    one = msgspec.json.decode(raw(f"crm.intel.commitment.{verb}.v1", data, by, time))
    return msgspec.json.encode(one | {"id": identity})


def waiting(referral, meeting_at, kind="agenda_item", to="MEX"):
    data = {"kind": kind, "about": "x", "about_type": "crm.victims.referral.escalated.v1"}
    data |= {"entity": referral, "owner": "GTM", "due": meeting_at}
    return raw("crm.victims.alert.issued.v1", data, to, "2004-06-10T10:00:00Z", source="urn:crm:service:victims")


FLOW = [
    agreed("co-late", "HND", "2004-05-01T00:00:00Z", text_ref="urn:crm:vault:MEX:minutes-3"),
    agreed("co-open", "GTM", "2004-07-01T00:00:00Z"),
    agreed("co-kept", "CRI", "2004-04-01T00:00:00Z"),
    kept("co-kept", "CRI", "2004-03-20T00:00:00Z"),
]
ALERTS = [
    waiting("ref-77", "2004-07-06T00:00:00Z"),
    waiting("ref-12", "2004-05-04T00:00:00Z"),
    waiting("ref-88", "2004-07-06T00:00:00Z", kind="referral_escalated"),
]


class Streams:
    """Two streams without a server: what stands in each, read as far as it is asked for."""

    def __init__(self, **flow):
        self.flow, self.taken = flow, 0

    async def read(self, wanted, after, until, take, _limit_s):
        for service in wanted:
            for sequence, payload in enumerate(self.flow.get(service, ()), 1):
                if after.get(service, 0) < sequence <= until[service]:
                    self.taken += 1
                    take(service, sequence, payload)
        return Recalled(dict(until))


def seated(*lines):
    async def found():
        return lines

    return found


def desk_of(flow=FLOW, alerts=ALERTS, **named):
    fold = folded(event("intel.meeting.held", "MEX", "2003-06-03T00:00:00Z", date="2003-06-03"))
    fold.state.sequences |= {"intel": len(flow), "victims": len(alerts)}
    streams = Streams(intel=flow, victims=alerts)
    return viewed(fold, **({"now": lambda: NOW, "recall": streams, "seats": seated()} | named))


@pytest.fixture(scope="module")
def base():
    with served(desk_of()) as address:
        yield address


def shown(html):
    """The text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<main")[2]))


def test_the_desk_has_commitments_with_owner_and_due_and_the_next_meeting(base):
    text = shown(get(f"{base}/desk?lang=en")[1])
    assert "Tuesday, July 6, 2004" in text
    assert "overdue: 1 · open: 1" in text
    assert "Honduras Mar 2, 2004 May 1, 2004 45 days overdue" in text
    assert "Guatemala Mar 2, 2004 Jul 1, 2004 in 16 days" in text
    assert "Costa Rica Mar 2, 2004 Apr 1, 2004 Kept Mar 20, 2004" in text
    assert "Presidency pro tempore: Mexico" in text
    reminders = text.partition("Of what Reminder on Due To")[2]
    assert "Commitment Jun 24, 2004 Jul 1, 2004 Guatemala" in reminders
    assert "Honduras" not in reminders.partition("Body")[0], "it is overdue"


@pytest.mark.parametrize("path", ["/desk", "/desk/agenda", "/desk/calendar.ics"])
def test_the_public_is_told_no_identifier_and_no_referral(base, path):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "key=MEX.0"}, {"Authorization": "Bearer secret"}):
        body = get(f"{base}{path}?lang=en", **headers)[1]
        for name in ("co-late", "co-open", "minutes-3", "ref-77", "ref-12"):
            assert name not in body


def test_the_presidency_sees_its_own_part_and_no_cache_keeps_it(base):
    _, body, headers = get(f"{base}/desk/agenda?lang=en", Authorization=MEX)
    assert headers["cache-control"] == "no-store"
    assert {"co-late", "co-open", "minutes-3", "ref-77"} <= set(re.findall(r"[a-z]+-\w+", body))
    assert "ref-12" not in body  # of another meeting
    assert "ref-88" not in body  # no item of an agenda


def test_another_country_sees_the_names_of_its_own_commitments_only(base):
    body = get(f"{base}/desk?lang=en", Authorization=HND)[1]
    assert "co-late" in body
    assert not {"co-open", "co-kept", "ref-77"} & set(re.findall(r"[a-z]+-\w+", body))
    assert "names of the commitments of Honduras" in body


def test_a_countrys_page_has_its_own_figures_exact_and_the_names_of_its_commitments_for_itself_only():
    cared = [event("victims.service.provided", "HND", "2004-06-01T10:00:00Z") for _ in range(3)]
    fold = folded(*cared)
    fold.state.sequences |= {"intel": len(FLOW)}
    with served(viewed(fold, now=lambda: NOW, recall=Streams(intel=FLOW), seats=seated())) as base:
        own = get(f"{base}/countries/HND?lang=en", Authorization=HND)
        others = [get(f"{base}/countries/HND?lang=en", Authorization=key)[1] for key in (MEX, "Bearer secret", "")]
    assert "VA-4.1 Assistance services provided" in shown(own[1])
    assert "3 services" in shown(own[1])
    assert "co-late" in own[1]
    assert own[2]["cache-control"] == "no-store"
    for body in others:
        assert "45 days overdue May 1, 2004" in shown(body)
        assert "co-late" not in body
        assert "3 services" not in shown(body)


def test_a_new_presidency_sees_what_the_old_one_recorded_and_is_told_nothing_of_its_mail():
    handed = seated((instant("2004-06-01"), "ppt", "GTM"))
    with served(desk_of(seats=handed)) as base:
        own, old = (get(f"{base}/desk?lang=en", Authorization=key)[1] for key in (GTM, MEX))
    assert "Presidency pro tempore: Guatemala" in shown(own)
    assert "co-late" in own
    assert "ref-77" not in own
    assert "ref-77" not in old


def test_a_seat_handed_over_ahead_is_shown_with_its_day():
    handed = seated((instant("2004-07-01"), "ppt", "PAN"))
    with served(desk_of(seats=handed)) as base:
        text = shown(get(f"{base}/desk?lang=en")[1])
    assert "Presidency pro tempore Mexico May 8, 2003 Panama Jul 1, 2004" in text
    assert all(words("en").value("", body) in text for body in SEATS)


def test_a_browser_keeps_a_countrys_key_and_forgets_it(base):
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def send(key):
        body = urllib.parse.urlencode({"key": key}).encode()
        try:
            urllib.request.build_opener(Stay).open(f"{base}/desk/key?lang=en", body, timeout=20)
        except urllib.error.HTTPError as error:
            return error.code, error.headers
        raise AssertionError

    status, headers = send(MEX.removeprefix("Bearer "))
    kept_key = headers["set-cookie"]
    assert (status, headers["location"]) == (303, "/desk?lang=en")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {one.strip() for one in kept_key.split(";")}
    assert "co-late" in get(f"{base}/desk?lang=en", Cookie=kept_key.split(";")[0])[1]
    assert 'key=""' in send("")[1]["set-cookie"]
    for key in ("secret", "MEX.0", "x" * 2000):  # the operator's opens nothing here
        status, headers = send(key)
        assert status == 403
        assert "set-cookie" not in headers


def test_what_is_corrected_or_retracted_stands_so_on_the_desk():
    first, second = agreed("co-1", "HND", "2004-05-01T00:00:00Z"), agreed("co-2", "GTM", "2004-05-01T00:00:00Z")
    later = {"due": "2004-08-01T00:00:00Z"}
    flow = [first, second, amend("corrected", first, **later), amend("retracted", second)]
    with served(desk_of(flow)) as base:
        text = shown(get(f"{base}/desk?lang=en")[1])
    assert "overdue: 0 · open: 1" in text
    assert "Aug 1, 2004" in text


def test_what_two_countries_name_alike_is_told_apart():
    flow = [
        agreed("co-1", "HND", "2004-05-01T00:00:00Z", by="MEX"),
        agreed("co-1", "HND", "2004-05-02T00:00:00Z", by="GTM"),
        kept("co-1", "HND", "2004-04-20T00:00:00Z", by="GTM"),
    ]
    with served(desk_of(flow)) as base:
        assert "overdue: 1 · open: 0" in shown(get(f"{base}/desk?lang=en")[1])


async def test_a_look_reads_only_what_has_come_since_the_last():
    view = desk_of([*FLOW])
    found = Commitments(view.recall, view.state)
    await found.now()
    assert view.recall.taken == len(FLOW)
    view.recall.flow["intel"].append(agreed("co-new", "BLZ", "2004-09-01T00:00:00Z"))
    view.state().sequences["intel"] += 1
    assert [one.id for one in await found.now()][-1] == "co-new"
    assert view.recall.taken == len(FLOW) + 1


def test_without_streams_the_rest_of_the_desk_is_there():
    with served(desk_of(recall=None)) as base:
        text = shown(get(f"{base}/desk?lang=en")[1])
    assert "cannot be read just now" in text
    assert "Tuesday, July 6, 2004" in text


def test_milestones_say_who_is_missing_and_who_is_reminded_when(base):
    text = shown(get(f"{base}/desk?lang=en")[1])
    assert "Technical Group created Jun 30, 2003 Missing: All countries (0 of 11 done)" in text
    assert "Monthly virtual meeting Jun 29, 2004 Jul 6, 2004" in text  # seven days ahead, by the plan


@pytest.mark.parametrize(
    ("now", "day", "after"),
    [
        ("2004-07-05T23:59:59", "2004-07-06", "2004-08-03"),
        ("2004-07-06T12:00:00", "2004-07-06", "2004-08-03"),
        ("2004-07-07T00:00:00", "2004-08-03", "2004-09-07"),
        ("2008-12-31T00:00:00", "2009-01-06", "2009-02-03"),
    ],
)
def test_the_next_first_tuesday(now, day, after):
    found = meeting(instant(now))
    assert (str(found), str(following(found))) == (day, after)


def test_the_calendar_is_one_that_programs_read(base):
    status, body, headers = get(f"{base}/desk/calendar.ics?lang=es")
    assert (status, headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    lines = body.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert max(len(line.encode()) for line in lines) <= 75
    joined = body.replace("\r\n ", "")
    meetings = re.findall(r"DTSTART;VALUE=DATE:(\d+)\r\nDTEND;VALUE=DATE:(\d+)\r\nSUMMARY:Reunión virtual", joined)
    assert ("20040706", "20040707") in meetings
    assert "TRIGGER:-P7D" in joined
    assert re.search(r"DTSTART;VALUE=DATE:20040701\r\n.*\r\nSUMMARY:Compromiso: Guatemala", joined)
    uids = re.findall(r"UID:(.*)\r", joined)
    assert len(uids) == len({*uids}) > 10


def test_a_text_is_escaped_and_folded_between_letters():
    one = ical.Entry("a", NOW.date(), "ñ" * 60 + ";,\\\n", "", 0)
    body = ical.calendar("CRM", NOW, [one])
    assert "\\;\\,\\\\\\n" in body.replace("\r\n ", "")
    assert all(len(line.encode()) <= 75 for line in body.split("\r\n"))


@pytest.mark.parametrize("lang", ["es", "en", "fr"])
def test_the_desk_and_its_agenda_speak_one_language(base, lang):
    for path in ("/desk", "/desk/agenda"):
        for headers in ({}, {"Authorization": MEX}):
            assert not faults(get(f"{base}{path}?lang={lang}", **headers)[1], lang)
        assert escape(words(lang).text["agenda"]) in get(f"{base}{path}?lang={lang}")[1]
