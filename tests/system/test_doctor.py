"""`crm doctor` finds what is wrong, says what to do about it, and ends with 1; where all is well, with 0."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from infra.cli import app
from infra.doctor import here
from infra.nats.asking import ask
from infra.nats.rights import principals
from shared.contracts import SERVICES
from shared.flow.streams import MAILBOX, stream_configs
from shared.run import upkeep


class Process(HTTPServer):
    """What stands for all processes and the board: it answers as a test says."""

    faults: tuple[str, ...] = ()
    late_s = 0
    uncounted = 0

    def answer(self, path):
        if path == "/readyz":
            return (503 if self.faults else 200), json.dumps({"faults": self.faults}).encode()
        lines = [f'crm_fold_sequence{{stream="{name.upper()}"}} 0' for name in SERVICES]
        lines += [f'crm_fold_aside_events{{stream="INTEL"}} {self.uncounted}']
        lines += [f'crm_deadline_late_seconds{{service="victims"}} {self.late_s}']
        return 200, "\n".join([*lines, ""]).encode()


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = self.server.answer(self.path)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def process():
    server = Process(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def state(region, process, tmp_path):
    """The folder of a copy on this machine, with keys of its own, that was verified and backed up."""
    creds = tmp_path / "creds"
    creds.mkdir()
    for name in principals():
        seed = creds / f"{name}.nk"
        seed.touch(0o600)
        seed.write_text(region.seed(name).read_text())
    (creds / "operator.token").touch(0o600)
    (creds / "operator.token").write_text("a-token")
    address = f"http://127.0.0.1:{process.server_port}"
    addresses = {
        "nats": region.nats.url,
        "monitor": region.nats.monitor,
        "http": address,
        "ops": {"victims": address},
        "postgres": region.database_url("operator"),
        "creds": {name: str(creds / f"{name}.nk") for name in principals()},
    }
    (tmp_path / "run.json").write_text(json.dumps(addresses))
    for what in upkeep.WHAT:
        upkeep.note(tmp_path / "upkeep", what)
    return tmp_path


async def doctor(state, *more, **env):
    run = lambda: CliRunner(env=env).invoke(app, ["doctor", "--state-dir", str(state), *more])  # noqa: E731
    return await asyncio.to_thread(run)


async def findings(state, **env):
    """Every finding, as (what was looked at, what was said, the cure)."""
    done = await doctor(state, "-o", "json", **env)
    assert done.exit_code in {0, 1}, done.output
    found = [one for one in json.loads(done.stdout) if one["level"] == "finding"]
    assert done.exit_code == bool(found)
    assert all(one["cure"] for one in found), "each with its cure"
    return [(one["check"], one["said"], one["cure"]) for one in found]


@pytest.fixture(autouse=True)
def _roomy(monkeypatch):
    monkeypatch.setattr(here, "FREE_SHARE", 0.0)
    monkeypatch.setattr(here, "FREE_BYTES", 0)


async def test_where_all_is_well_it_says_so(state):
    done = await doctor(state)
    assert (done.exit_code, done.stderr) == (0, "all is well\n"), done.output
    assert "streams, durables and rights are as the contracts ask for" in done.stdout
    assert "->" not in (await doctor(state, "--quiet")).stdout


@pytest.mark.long
async def test_servers_that_are_away_are_told_and_hide_nothing_else(state):
    file = state / "run.json"
    away = {"nats": "nats://127.0.0.1:1", "monitor": "http://127.0.0.1:1", "postgres": "postgresql://x@127.0.0.1:1/crm"}
    file.write_text(json.dumps(json.loads(file.read_text()) | away | {"ops": {"intel": "http://127.0.0.1:1"}}))
    found = await findings(state)
    assert [check for check, *_ in found] == ["NATS", "PostgreSQL", "NATS", "processes"]


async def test_what_differs_from_the_contracts_is_provisioned(region, state):
    nc = await region.connect("provisioner")
    await ask(nc, "STREAM.UPDATE.LEGAL", {**stream_configs()["LEGAL"], "allow_direct": False})
    owner = await asyncpg.connect(region.database_url())
    whole = await owner.fetch("delete from legal.migration where name like '%0015%' returning *")
    try:
        found = await findings(state)
    finally:  # the next test gets this database as it is
        await owner.executemany(
            f"insert into legal.migration ({', '.join(whole[0].keys())}) values ($1, $2, $3)",
            [tuple(row) for row in whole],
        )
        await owner.close()
    assert [(check, cure) for check, _, cure in found] == [("provisioning", "crm provision")] * 2
    assert "allow_direct" in found[0][1] or "allow_direct" in found[1][1]


async def test_a_process_says_itself_what_it_lacks(state, process):
    process.faults = ("stream ends at 7, log at 5: run `crm restore`",)
    found = await findings(state)
    assert [cure for check, _, cure in found if check == "processes"] == [
        "crm restore victims, as it says",
        "crm restore the board, as it says",
    ]


async def test_deadlines_and_figures_that_stand_are_told(state, process):
    process.late_s, process.uncounted = 300, 2
    found = await findings(state)
    assert [check for check, *_ in found] == ["deadlines", "figures"]
    assert "crm restore intel" in found[1][2]


async def test_what_is_set_aside_and_unread_is_told(region, state, monkeypatch):
    owner = await asyncpg.connect(region.database_url())
    await owner.execute("insert into intel.deadline (id, due, event, tries) values ('d', now(), '\\x00', 3)")
    await owner.close()
    victims = await region.connect("victims")
    await victims.jetstream().publish("crm.evt.victims.referral.offered.GTM", b"{}")
    nc = await region.connect("operator")
    while not (await ask(nc, f"CONSUMER.INFO.{MAILBOX}.GTM"))["num_pending"]:
        await asyncio.sleep(0.05)
    monkeypatch.setattr("infra.doctor.servers.UNREAD", timedelta(0))
    found = await findings(state)
    assert ("mailboxes", True) in {(check, "GTM has read nothing" in said) for check, said, _ in found}
    assert "set aside" in {check for check, *_ in found}


async def test_a_misspelt_setting_is_told_without_its_value(state):
    found = await findings(state, CRM_SPED="hunter2")
    assert [check for check, *_ in found] == ["settings"]
    assert "CRM_SPEED" in found[0][1]
    assert "hunter2" not in str(found)


async def test_secrets_that_others_may_read_are_told(state):
    (state / "creds" / "GTM.nk").chmod(0o644)
    ((check, said, cure),) = await findings(state)
    assert (check, "GTM.nk" in said, cure) == ("keys", True, f"chmod go-rwx {state / 'creds'}/*")


def certificate(ends):
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    building = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    building = building.serial_number(1).not_valid_before(datetime(2003, 1, 1, tzinfo=UTC)).not_valid_after(ends)
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return building.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(("days", "wrong"), [(-1, True), (20, True), (31, False)])
async def test_certificates_that_end_are_told(tmp_path, days, wrong):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    (tmp_path / "intel.crt").write_bytes(certificate(now + timedelta(days=days)))
    (told,) = here.certificates(tmp_path, now)
    assert (told.level == "finding", told.cure) == (wrong, "crm keys rotate intel" if wrong else "")


async def test_backups_and_proofs_of_long_ago_are_told(tmp_path):
    now = datetime.now(UTC)
    later = now + timedelta(days=3)
    assert [one.level for one in here.kept_up(None, now, local=False)] == ["finding", "finding"]
    assert [one.level for one in here.kept_up(None, now, local=True)] == ["note", "note"], "it is for trying out"
    for what in upkeep.WHAT:
        upkeep.note(tmp_path, what)
    assert [one.level for one in here.kept_up(tmp_path, now, local=False)] == ["ok", "ok"]
    assert [one.level for one in here.kept_up(tmp_path, later, local=False)] == ["finding", "finding"]
    upkeep.note(tmp_path, "verify", 2)
    assert [one.level for one in here.kept_up(tmp_path, now, local=True)] == ["finding", "ok"]


async def test_it_speaks_to_a_deployment_elsewhere_by_a_context(state, tmp_path):
    """And so do the other verbs: nothing of it runs here."""
    told = json.loads((state / "run.json").read_text())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "CRM_STATE_DIR": str(elsewhere)}

    async def crm(*words):
        return await asyncio.to_thread(CliRunner().invoke, app, [*words], env=env)

    missing = await crm("status")
    assert (missing.exit_code, "crm context add" in missing.stderr) == (1, True)
    addresses = [
        "--nats",
        told["nats"],
        "--board",
        told["http"],
        "--database",
        told["postgres"],
        "--monitor",
        told["monitor"],
    ]
    added = await crm(
        "context", "add", "there", "--creds", str(state / "creds"), *addresses, "--upkeep", str(state / "upkeep")
    )
    assert added.exit_code == 0, added.output
    done = await crm("doctor")
    assert (done.exit_code, done.stderr) == (0, "all is well\n"), done.output
    status = await crm("status", "-o", "json")
    assert status.exit_code == 0, status.output
    unknown = await crm("--context", "nowhere", "status")
    assert (unknown.exit_code, "there are there" in unknown.stderr) == (2, True)
