"""What the Plan's rows must mean, rule by rule: with a rule broken, the worked example of its row shows another figure.

Each entry breaks one rule in a copy of the plan's data. A worked example that still fits would hold nothing.
"""

import re
import shutil

import pytest

from infra.examples.playing import ALL, played
from services.indicators.figures import examples
from services.indicators.planned.plan import FOLDER, load

pytestmark = pytest.mark.long

ONCE = 'once = "once"'
BOTH = ', where = { "offences.?" = ["tip", "som"] }'
COUNTRIES = 'countries = "all"\n'
EACH = ("IE-7", "VA-2", "VA-3", "VA-5.2", "LE-1", "LE-4", "LE-7", "LE-8", "PC-1", "PC-2", "IP-3", "IP-5")
"""Milestones that each country has to reach."""
BROKEN = [
    # What several tell counts once.
    ("a meeting counts once in the region", "IE-2.1", f", {ONCE}", ""),
    ("a meeting of the Technical Group counts once", "LE-1.M", f", {ONCE}", ""),
    ("a joint operation counts once", "PC-1a.count", f"{ONCE}, where = {{ joint = true }}", "add = 1"),
    ("an evaluation of an operation counts once", "PC-1b", f"{ONCE}, where = {{ joint = true }}, ", ""),
    ("a case counts once", "VA-6.1.documented", f", {ONCE}", ""),
    ("a training is one of its plan, whoever tells it", "IE-3.1.1", 'add = "at_border", before = 1', "add = 1"),
    ("a session of a commission counts once", "IE-1.3.sessions", f", {ONCE}", ""),
    ("a campaign counts once", "VA-2.1c.campaigns", f'    {{ event = "victims.campaign.launched", {ONCE} }},\n', ""),
    # The Plan's numeric targets.
    ("other institutions' headcounts add up", "IP-3.1", ', apart = "institution|reported_by"', ""),
    ("technical staff are persons, not certificates", "IE-3.2b", f", {ONCE}", ""),
    ("no more are trained than there are", "IE-3.2b", "part = true\n", ""),
    ("the code is signed in the version in force", "IP-3.1.1", 'add = "signed"', 'add = "change"'),
    # Offences.
    ("only proceedings for trafficking or smuggling", "PC-1d", ', where = { "offences.*" = ["tip", "som"] }', ""),
    ("the same of the ratio to detentions", "PC-1d.ratio", BOTH, ""),
    ("detentions for trafficking or smuggling", "PC-1d.ratio", ', where = { offence = ["tip", "som"] }', ""),
    ("only laws on trafficking or smuggling", "LE-1.R3", ', where = { "crime_types.?" = ["tip", "som"] }', ""),
    ("only officials' reports of those", "IP-b", ', where = { offence = ["tip", "som"] }', ""),
    ("only regional cases of those", "IP-e", ', "offences.?" = ["tip", "som"]', ""),
    ("only regional cases", "IP-e", "regional = true, ", ""),
    ("a law counts for each of its crimes", "LE-1.R3", '"crime_types.*"', '"crime_types.0"'),
    ("whichever of its crimes it is", "VA-1.1", '"crime_types.?"', '"crime_types.0"'),
    (
        "a law that changes opens the obligation again",
        "LE-1.R1",
        "legal.transposition.changed",
        "legal.provision.mapped",
    ),
    # What the words say.
    ("a vacated post is no contact", "IE-1.1b", '    { event = "intel.contactpoint.vacated", add = "change" },\n', ""),
    (
        "documents in the days of the inspections",
        "IE-3.1ii.rate",
        ', on = "since" }',
        ', on = "until" }',
    ),
    (
        "places count by victims, not by inspection",
        "IE-3.2.1.victims",
        "intel.location.proven",
        "intel.location.verified",
    ),
    ("the first service, not all", "VA-4.1.delay", "first_delay_s", "latency_s"),
    (
        "a return without a referral can be lost, too",
        "VA-5.1b.lost",
        '    { event = "victims.repatriation.lost", country = "to" },\n',
        "",
    ),
    ("recall weighs by the persons asked", "VA-2.1c", ', weight = "sample_n"', ""),
    ("reach is a level", "VA-2.1c.reach", 'add = "reached", before = "reach"', 'add = "reach"'),
    ("training is the plan's, wherever it is given", "IE-3.1.1", ', country = "plan_id"', ""),
    ("training at land borders", "IE-3.1.1", 'where = { place = "bcp" }, add = "at_border", before = 1', "add = 1"),
    ("training by topic", "IE-3.1.1.topics", 'where = { place = "bcp" }, ', ""),
    (
        "feedback is to information that was received",
        "PC-1.1.3",
        'event = "intel.feedback.given", add = "fed_back", before = "change"',
        'event = "intel.feedback.given", add = "change"',
    ),
    ("occupation by persons", "VA-5.2", 'add = "assessed", before = 1', "add = 1"),
    (
        "knowledge gained is after less before",
        "IP-c.change",
        'where = { phase = "before" }',
        'where = { phase = "after" }',
    ),
    ("evaluations of the return, not of services", "VA-5.1", 'where = { subject = "repatriation" }, ', ""),
    ("amounts, not numbers of pledges", "XC-7", ', add = "value.amount"', ""),
    ("each currency by itself", "XC-7", 'currency = "value.currency"', 'currency = "kind"'),
    # Definitions.
    (
        "by the kind of harm",
        "VA-2.1.harm",
        '"harm.?" = ["physical", "moral", "patrimonial", "other"]',
        '"harm.?" = ["other"]',
    ),
    ("next of kin are victims", "VA-2.1.indirect", 'add = "indirect", before = "indirect_victims.#"', "add = 1"),
    ("next of kin receive services", "VA-4.1.indirect", 'add = "kin_served"', 'add = "served"'),
    ("provisions on women and children", "LE-1.R3.vulnerable", '"protects.*"', '"crime_types.*"'),
    # Milestones.
    ("all four data sets", "MS-IE-2", '"entry_rules", "modalities", "routes", "traffickers"', '"entry_rules"'),
    ("of each country", "MS-IE-2", COUNTRIES, ""),
    ("the printed August 2003", "MS-IE-1", ", printed = 2003-08-31", ""),
    ("the printed December 2003", "MS-IE-2", ", printed = 2003-12-31", ""),
    (
        "no date for the definitions",
        "MS-VA-1",
        "done =",
        'after = { event = "indicators.plan.approved", months = 1 }\ndone =',
    ),
    (
        "no date for the other activities",
        "MS-PC-2",
        "done =",
        'after = { event = "indicators.plan.approved", months = 1 }\ndone =',
    ),
    ("a quarter's report is due until the next is over", "MS-IE-5", "last = 2005-06-30", "last = 2003-07-31"),
    *((f"all countries: MS-{one}", f"MS-{one}", COUNTRIES, "") for one in EACH),
    ("the three who offer training", "MS-IE-6", 'countries = ["MEX", "USA", "CAN"]\n', ""),
    ("each of the three treaties", "MS-LE-8", '"UNTOC", "TIP", "SOM"', '"TIP"'),
    ("the Network's own meeting", "MS-IE-4", 'where = { body = "liaison_network" }, ', ""),
]
EXAMPLES = examples.load()


@pytest.fixture
async def addresses(postgres_server):
    async with postgres_server.lent() as database:
        server, secrets = postgres_server.server, postgres_server.passwords
        yield {one.name: server.url(one.name, secrets[one.name], database) for one in ALL}


def broken(folder, identity, old, new):
    """The plan with a rule of one row or milestone changed: everywhere in that entry."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("examples"))
    for file in folder.glob("*.toml"):
        entries = re.split(r"(?m)^(?=\[\[)", file.read_text(encoding="utf-8"))
        place = next((n for n, one in enumerate(entries) if f'\nid = "{identity}"\n' in one), None)
        if place is not None:
            assert old in entries[place], entries[place]
            entries[place] = entries[place].replace(old, new)
            file.write_text("".join(entries), encoding="utf-8")
            return load(folder)
    raise LookupError(identity)


@pytest.mark.parametrize(("identity", "old", "new"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN])
async def test_an_example_tells_when_the_rule_is_broken(addresses, tmp_path, identity, old, new):
    plan = broken(tmp_path / "plan", identity, old, new)
    mine = [one for one in EXAMPLES if one.about(identity)]
    found = await played(plan, mine, addresses)
    assert any(difference.startswith(f"{identity} ") for told in found.values() for difference in told)
