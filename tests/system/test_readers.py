"""Readers that cannot stand still: what one of them cannot digest is set aside and told, and the rest goes on."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.nats.config import seed_file
from infra.nats.rights import PROVISIONER, principals
from shared.contracts import registry
from shared.record.chain import GENESIS, chained
from tests.faults.verbs import crm
from tests.harness.speaking import NOW, clock
from tests.harness.system import free_port, until
from tests.services.indicators.making import counted

BAND = registry()["crm.intel.band.dismantled.v1"]
ROW = "PC-1c"
"""Bands dismantled: one for each event."""
LATER = datetime(2004, 12, 31, tzinfo=UTC)
ZERO = "0001-01-01T00:00:00+01:00"
"""A default date, written east of Greenwich: it has no UTC form."""


def band(time="2004-03-01T10:00:00Z", country="GTM", **more):
    """A band dismantled as intel recorded it; an older version took any time."""
    return {
        "specversion": "1.0",
        "id": f"band-{time}-{country}",
        "source": f"urn:crm:country:{country}:test",
        "type": "crm.intel.band.dismantled.v1",
        "time": time,
        "country": country,
        "datacontenttype": "application/json",
        "data": counted(BAND, dict(BAND.good), time) | dict(BAND.good),
        "recordedtime": "2004-03-01T10:00:01Z",
        "subject": "band-1",
    } | more


def retracted(one):
    """Its retraction, as recorded."""
    original = {"original": one["type"], "original_time": one["time"], "previous": one["data"]}
    data = {"supersedes": one["id"], "reported_by": "police", "reason": "mistaken", **original}
    return (
        one | {"id": f"r-{one['id']}", "type": "crm.intel.band.retracted.v1", "data": data} | {"time": NOW.isoformat()}
    )


class Region:
    """The log of intel as an older version left it, and what the region shows of it."""

    def __init__(self, system):
        self.system, self.http, self.ops = system, free_port(), free_port()
        self.state = system.folder / "copy"
        self.written = 0

    async def write(self, *events):
        """Append to the log, its chain whole: recorded once, whatever it is."""
        owner = await asyncpg.connect(self.system.region.database_url())
        try:
            before = await owner.fetchval("select hash from intel.log order by position desc limit 1") or GENESIS
            for event in events:
                self.written += 1
                payload = event if isinstance(event, bytes) else msgspec.json.encode(event | {"sequence": self.written})
                before = chained(before, payload)
                await owner.execute(
                    "insert into intel.log (position, source, id, type, country, entity, payload, hash)"
                    " values ($1, 'urn:crm:country:GTM:test', $2, 'crm.intel.band.dismantled.v1', 'GTM', 'b', $3, $4)",
                    *(self.written, f"e-{self.written}", payload, before),
                )
        finally:
            await owner.close()

    def start(self, *names):
        more = {"CRM_HTTP_PORT": str(self.http), "CRM_OPERATOR_TOKEN": self.token()}
        for name in names:
            mine = {**more, "CRM_OPS_PORT": str(self.ops)} if name == "indicators" else {}
            self.system.start(name, **clock(now=LATER), **mine)

    def token(self):
        (self.state / "creds").mkdir(parents=True, exist_ok=True)
        (self.state / "creds" / "operator.token").write_text("secret")
        region = self.system.region
        addresses = {
            "nats": region.nats.url,
            "http": f"http://127.0.0.1:{self.http}",
            "ops": {},
            "postgres": region.database_url(),
            "creds": {name: str(seed_file(region.keys.folder, name)) for name in principals()},
        }
        (self.state / "run.json").write_text(json.dumps(addresses))
        return "secret"

    def get(self, path, port=None, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.http}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def shown(self, path):
        """What the operator sees there; nothing while the service starts and refuses."""
        status, text = self.get(path, authorization=f"Bearer {self.token()}")
        return text if status == 200 else ""

    def metric(self, name):
        families = text_string_to_metric_families(self.shown("/metrics/operator"))
        samples = [one for family in families for one in family.samples if one.name == name]
        return next((one.value for one in samples if one.labels.get("stream") == "INTEL"), None)

    def figure(self):
        rows = json.loads(self.shown("/api/indicators") or "[]")
        return next((one["value"] for one in rows if one["id"] == ROW), None)

    async def folded(self, figure, uncounted):
        """Wait until the fold is at the end of the log, and the figure is this."""
        seen = None

        def there():
            nonlocal seen
            seen = self.metric("crm_fold_sequence"), self.metric("crm_fold_aside_events"), self.figure()
            return seen == (self.written, uncounted, figure)

        try:
            await until(there, "the figure", 120)
        except TimeoutError:
            assert seen == (self.written, uncounted, figure)


@pytest.fixture
async def region(system):
    return Region(system)


POISON = [
    band(ZERO),  # what a country of the year 1 sent
    retracted(band(ZERO)),
    band("9999-12-31T23:59:59-12:00"),
    b"\x00\xff no event",
    b'{"data":' + b"[" * 100_000,
    band(country="ATL"),
    band(data=[]),
    band(type="crm.\x00"),
]


@pytest.mark.long
async def test_what_an_old_log_holds_stops_no_reader_and_is_told_everywhere(region):
    await region.write(band(), *POISON, band("2004-03-02T10:00:00Z"))
    region.start("intel", "indicators")
    await region.system.ready()
    await region.folded(2, len(POISON))
    for lang, said in (("en", "8 events are not"), ("es", "8 eventos no están"), ("fr", "8 événements ne sont pas")):
        assert said not in region.get(f"/?lang={lang}")[1], "one of so few may be about a person"
        assert said not in region.get(f"/indicators/{ROW}?lang={lang}")[1]
    for headers, number in (({}, 0), ({"Authorization": f"Bearer {region.token()}"}, len(POISON))):
        told = json.loads(region.get("/api/indicators", **headers)[1])
        assert {one["uncounted"] for one in told} == {number}
    await until(lambda: region.get("/readyz")[0] == 200, "the board to be ready")
    await until(lambda: region.get("/readyz", region.ops)[0] == 200, "the process to be ready")
    await region.system.rows(
        "intel",
        "insert into aside (stream, sequence, country, kind, reason, retry_at)"
        " values ('INTAKE_GTM', 7, 'GTM', 'failed', 'KeyError', 'infinity')",
    )
    await region.system.rows(
        "intel", "insert into deadline (id, due, event, tries) values ('d', now() + interval '9 years', '', 3)"
    )
    status = json.loads((await crm(region.state, "status", "--json")).stdout)
    assert status["services"]["intel"]["aside"] == len(POISON)
    set_aside = [(one["stream"], one["kind"], one["number"]) for one in status["services"]["intel"]["set_aside"]]
    assert set_aside == [("INTAKE_GTM", "failed", 1), ("deadline", "failed", 1)]
    shown = (await crm(region.state, "status")).stdout
    assert "intel: 1 of INTAKE_GTM set aside (failed) since" in shown
    assert f"intel: {len(POISON)} not counted in the figures" in shown
    rebuilt = await crm(region.state, "rebuild")
    assert (rebuilt.returncode, "the same bytes as before" in rebuilt.stdout) == (0, True)
    assert f"{len(POISON)} are not counted" in rebuilt.stdout
    verified = await crm(region.state, "verify", "intel")
    assert verified.returncode == 1
    assert "the contract does not decode" in verified.stdout
    assert "Traceback" not in verified.stdout + verified.stderr
    await region.write(band("2004-03-03T10:00:00Z"))
    await region.folded(3, len(POISON))
    mail = await crm(region.state, "mailbox", "--as", "GTM", "--json")
    read = [json.loads(line)["time"] for line in mail.stdout.splitlines()]
    assert mail.returncode == 0
    assert "2004-03-03T10:00:00Z" in read
    assert "an event that this version cannot read is left out" in mail.stderr
    gtm = await region.system.country("GTM")
    told = await gtm.ask("intel", "mailbox", {"since": "2004-01-01T00:00:00Z"})
    assert len(told.events) == region.written
    assert [bytes(event) for event in told.events].count(b"null") == 2  # what is not even JSON
    log = (region.system.folder / "indicators.log").read_text()
    assert "event set aside" in log
    assert "no event" not in log


async def test_what_a_mended_version_can_digest_is_taken_in_and_equals_a_clean_fold(region):
    await region.write(band(), band("2004-03-07T10:00:00Z"), band(ZERO), band("2004-03-08T10:00:00Z"))
    region.system.modules["indicators"] = "tests.harness.misreading"
    region.start("intel", "indicators")
    await region.system.ready()
    await region.folded(2, 2)
    region.system.kill("indicators", 15)
    del region.system.modules["indicators"]
    region.start("indicators")
    await region.folded(3, 1)
    rebuilt = await crm(region.state, "rebuild")
    assert "4 " not in rebuilt.stdout.split(" events")[0]
    assert (rebuilt.returncode, "the same bytes as before" in rebuilt.stdout) == (0, True)


async def test_a_stream_that_was_emptied_makes_its_service_not_ready_and_says_what_to_run(region):
    region.system.modules = {}
    await region.write(*[band(f"2004-03-{day:02}T10:00:00Z") for day in range(1, 6)])
    port = free_port()
    region.system.start("intel", **clock(), CRM_OPS_PORT=str(port))
    await region.system.ready("intel")
    provisioner = (await region.system.region.connect(PROVISIONER)).jetstream()

    async def copied():
        return (await provisioner.stream_info("INTEL")).state.last_seq == region.written

    await until(copied, "the relay to copy all")
    await until(lambda: region.get("/readyz", port)[0] == 200, "intel to be ready")
    await provisioner.delete_stream("INTEL")
    await until(lambda: "crm restore intel" in region.get("/readyz", port)[1], "intel to say what to run")
