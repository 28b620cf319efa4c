"""Attacks on the authority of bodies, by their effects: on logs, figures, milestones and others' mailboxes.

Each attack runs twice: against the services as they are, and as a control against services whose guard is taken out;
there it has its effect, so that none of these tests can pass for want of one.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime

import msgspec
import pytest

from shared.contracts.notice import Alert
from shared.flow.batch import publish_batch
from tests.harness.scraping import scraped
from tests.harness.speaking import NOW, Mailbox, clock, say
from tests.harness.system import ROOT, free_port, until

LATER = datetime(2004, 2, 20, tzinfo=UTC)
TIP_5 = {"instrument": "TIP", "article": "5"}


def differing(before, after):
    """Ids of the milestones and rows that have changed, but for the row that counts refused reports."""
    return {key for key, row in after.items() if row != before.get(key)} - {"XC-6.rejected"}


class Played:
    """A region under attack: its services, its board, its countries."""

    def __init__(self, system, port, guarded):
        self.system, self.port, self.guarded = system, port, guarded

    def board(self):
        """Milestones and figures, as everybody sees them."""
        seen = {}
        for part in ("milestones", "indicators"):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/{part}", timeout=10) as answer:
                seen |= {row["id"]: row for row in json.load(answer)}
        return seen

    async def settled(self):
        """Wait until the board counts all that is recorded; return what it shows."""

        async def folded():
            text = scraped(self.port)
            for service in ("intel", "legal", "indicators"):
                (row,) = await self.system.rows(service, "select coalesce(max(position), 0) as at from log")
                if f'crm_fold_sequence{{stream="{service.upper()}"}} {float(row["at"])}' not in text and row["at"]:
                    return False
            return True

        await until(folded, "the fold")
        return self.board()

    async def sent(self, country, *reports):
        """Send past the client's own checks; return what the country is told of each: its codes, or nothing."""
        for report in reports:
            name = report["type"].removeprefix("crm.").removesuffix(".v1")
            await publish_batch(country.client, [(f"report.{name}", msgspec.json.encode(report))])
        return [await self.outcome(report) for report in reports]

    async def outcome(self, report):
        service = report["type"].split(".")[1]

        async def judged():
            for event in await self.system.log(service):
                if event.id == report["id"] and event.source == report["source"]:
                    return [set()]
                if event.name == f"{service}.report.rejected" and event.data.report_id == report["id"]:
                    return [{problem.code for problem in event.data.problems}]
            return None

        (codes,) = await until(judged, f"{report['type']} to be judged")
        return codes


@pytest.fixture(params=["guarded", "unguarded"])
async def played(system, request):
    port, when = free_port(), clock()
    names = ("intel", "legal", "indicators")
    for name in names:
        if request.param == "unguarded":
            system.modules[name] = "tests.harness.unguarded"
        system.start(name, **when, CRM_HTTP_PORT=str(port), UNGUARDED=name)
    await system.ready()
    return Played(system, port, request.param == "guarded")


async def test_a_country_that_is_not_seated_speaks_for_no_body(played):
    mex, gtm, blz, usa = [await played.system.country(name) for name in ("MEX", "GTM", "BLZ", "USA")]
    await played.sent(mex, say(mex, "indicators.plan.approved", time=datetime(2003, 5, 30, tzinfo=UTC)))
    await played.sent(gtm, say(gtm, "legal.treaty.ratified", time=datetime(2004, 1, 1, tzinfo=UTC)))
    told = {one.country: Mailbox(one) for one in (gtm, blz, usa)}
    await told["GTM"].awaited("legal.gap.opened", 9)
    before = await played.settled()
    attacks = {
        "moves the Plan's first day": say(blz, "indicators.plan.approved", time=datetime(2003, 5, 10, tzinfo=UTC)),
        "declares the final evaluation": say(blz, "indicators.evaluation.published", time=LATER, text_ref=...),
        "sets a baseline": say(blz, "indicators.baseline.set", time=LATER),
        "amends the Plan": say(blz, "indicators.plan.amended", time=LATER),
        "binds the USA": say(blz, "intel.commitment.agreed", time=LATER, country="USA", due="2004-02-25T00:00:00Z"),
        "binds the USA again": say(
            blz, "intel.commitment.agreed", time=LATER, country="USA", commitment_id="co-5", reported_by="sv"
        ),
        "frees the USA": say(
            blz, "intel.commitment.fulfilled", time=LATER, country="USA", commitment_id="co-5", reported_by="st"
        ),
        "sets a date that the Plan leaves open": say(blz, "indicators.milestone.scheduled", time=LATER),
        "meets as the secretariat": say(blz, "intel.meeting.held", time=LATER, date="2004-02-03"),
        "presents a manual": say(blz, "intel.manual.presented", time=LATER),
        "judges Guatemala's law": say(
            blz, "legal.provision.mapped", time=LATER, country="GTM", obligation=TIP_5, reported_by="technical_group"
        ),
        "publishes the Group's study": say(blz, "legal.study.published", time=LATER),
        "asks for ratification": say(blz, "legal.ratification.requested", time=LATER),
        "gives itself the presidency": say(
            blz, "indicators.seat.assigned", time=NOW, holder="BLZ", effective_from="2004-03-01"
        ),
    }
    codes = dict(zip(attacks, await played.sent(blz, *attacks.values()), strict=True))
    changed = differing(before, await played.settled())
    recorded = {event.id for service in ("intel", "legal", "indicators") for event in await played.system.log(service)}
    believed = {what for what, report in attacks.items() if report["id"] in recorded}
    # The calendar tells the countries of what they have missed, attacks or not; what else comes is the attacks' doing.
    mails = {event.name for one in (gtm, usa) async for event in one.mailbox(idle_s=1)} - {"indicators.alert.issued"}
    if played.guarded:
        assert {what: found for what, found in codes.items() if found != {"not_seated"}} == {}
        assert believed == set()
        assert changed == set()
        assert mails <= {"legal.gap.opened"}  # of before; the last one read comes again
        rejected = [event async for event in blz.mailbox(idle_s=1) if event.name.endswith("report.rejected")]
        assert {event.data.report_id for event in rejected} == {report["id"] for report in attacks.values()}
        return
    assert believed == set(attacks)
    assert {
        "MS-IE-1",
        "MS-XC-1",
        "MS-IE-4/2004-02-03",
        "MS-IE-7",
        "MS-LE-3",
        "IE-2.1b",
        "LE-1.R1",
        "LE-1.2.studies",
    } <= changed
    assert "legal.gap.closed" in mails
    assert "intel.commitment.overdue" in mails


async def test_a_presidency_that_was_handed_over_is_over(played):
    mex, pan = [await played.system.country(name) for name in ("MEX", "PAN")]
    early = say(pan, "indicators.plan.amended", time=datetime(2004, 2, 19, tzinfo=UTC), reported_by="ppt")
    handed = say(mex, "indicators.seat.assigned", time=NOW, holder="PAN", effective_from="2004-02-20")
    assert await played.sent(mex, handed) == [set()]
    for service in ("intel", "legal"):
        # Heard there, too, before anything else is asked of them.
        await until(lambda service=service: played.system.rows(service, "select 1 from seat"), f"{service} to hear")
    own, late = [
        say(mex, "intel.manual.approved", time=time) for time in (LATER, datetime(2004, 2, 19, 23, 59, 59, tzinfo=UTC))
    ]
    back = say(mex, "indicators.seat.assigned", time=datetime(2004, 2, 1, tzinfo=UTC), effective_from="2004-02-25")
    back["data"]["holder"] = "MEX"
    new = say(pan, "legal.ratification.requested", time=LATER)
    refused = {"not_seated"} if played.guarded else set()
    assert await played.sent(mex, own, late, back) == [refused, set(), refused]
    assert await played.sent(pan, early, new) == [refused, set()]


async def test_a_plan_that_nobody_knows_is_not_named(played):
    mex = await played.system.country("MEX")
    before = await played.settled()
    reports = [
        say(mex, f"indicators.{name}", time=LATER, plan="crm-2019", reported_by="ppt", text_ref=...)
        for name in ("plan.approved", "plan.amended", "evaluation.published")
    ]
    assert await played.sent(mex, *reports) == [{"unknown_plan"} if played.guarded else set()] * 3
    assert (differing(before, await played.settled()) == set()) is played.guarded


async def test_a_secretariat_and_the_operator_report_with_keys_of_their_own_and_only_what_is_theirs(system):
    port = free_port()
    system.start("intel", "victims", "indicators", **clock(), CRM_HTTP_PORT=str(port))
    await system.ready()
    played = Played(system, port, guarded=True)
    region, operator = system.region, await system.region.connect("operator")
    command = [sys.executable, "-m", "infra.cli", "seat", "assign", "sv", "SV", "--from", "2004-02-10"]
    command += ["--why", "appointment", "--seed", str(region.seed("operator"))]
    command += ["--database-url", region.database_url("operator"), "--nats-url", region.nats.url]
    # The log is empty: its clock, and so the command's, is the real one, which for the services lies ahead.
    mex, secretariat = await system.country("MEX"), await system.country("SV")
    await played.sent(mex, say(mex, "indicators.plan.amended", reported_by="st"))
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "sv to SV from 2004-02-10: recorded\n"), done.stderr
    shown = [*command[:4], "show", "--at", "2004-02-10", "--database-url", region.database_url("operator")]
    told = await asyncio.to_thread(subprocess.run, shown, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "sv                SV" in told.stdout.splitlines()
    await until(lambda: system.rows("intel", "select 1 from seat"), "intel to hear")

    met = say(secretariat, "intel.meeting.held", time=datetime(2004, 2, 11, tzinfo=UTC), date="2004-02-03")
    assert met["source"] == "urn:crm:service:sv"
    assert await played.sent(secretariat, met) == [set()]
    [event] = await system.log("intel", "intel.meeting.held")
    assert event.country == "REG"
    corrected = say(
        secretariat,
        "intel.meeting.corrected",
        supersedes=met["id"],
        data=met["data"] | {"attending": ["MEX"]},
        reported_by="sv",
    )
    assert await played.sent(secretariat, corrected) == [set()]
    late = say(mex, "intel.meeting.held", time=datetime(2004, 2, 11, tzinfo=UTC), meeting_id="vm-2004-02")
    assert await played.sent(mex, late) == [{"not_seated"}]
    await played.settled()
    assert "MS-IE-4/2004-02-03" in {key for key, row in played.board().items() if row.get("state") == "reached"}

    presented = say(mex, "intel.manual.presented", time=datetime(2004, 2, 12, tzinfo=UTC))
    assert await played.sent(mex, presented) == [set()]
    of_region = "select 1 from log where type like 'crm.indicators.alert.%' and entity = 'MS-IE-1' and country = 'REG'"
    await until(lambda: system.rows("indicators", of_region), "the secretariat to be told what it is responsible for")
    person = say(secretariat, "victims.victim.registered")
    nation = say(secretariat, "intel.actionplan.advanced", reported_by="sv")
    posing = say(secretariat, "intel.meeting.held", meeting_id="vm-2004-03", reported_by="ppt")
    told = await played.sent(secretariat, person, nation, posing)
    assert told == [{"not_permitted"}, {"not_permitted"}, {"not_seated"}]
    heard = [one.data async for one in secretariat.mailbox(idle_s=2)]
    assert {report["id"] for report in (person, nation, posing)} <= {getattr(one, "report_id", "") for one in heard}
    assert ("milestone_reached", "MS-IE-1", "sv") in {
        (one.kind, one.entity, one.body) for one in heard if isinstance(one, Alert)
    }

    forged = say(mex, "intel.meeting.held", meeting_id="vm-2004-04") | {"source": "urn:crm:service:operator"}
    await operator.jetstream().publish("crm.in.OPERATOR.intel.meeting.held", msgspec.json.encode(forged))
    assert await played.outcome(forged) == {"not_permitted"}
    disguised = say(mex, "intel.meeting.held", meeting_id="vm-2004-05") | {"source": "urn:crm:service:sv"}
    assert await played.sent(mex, disguised) == [{"country_mismatch"}]
    assert {one.data.meeting_id for one in await system.log("intel", "intel.meeting.held")} == {
        met["data"]["meeting_id"]
    }
