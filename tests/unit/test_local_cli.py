import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import asyncpg
import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.nats.provision import ask
from infra.nats.rights import principals
from shared.contracts import SERVICES
from shared.flow.streams import stream_configs

FLAGGED = {
    "specversion": "1.0",
    "id": "0193-abc",
    "source": "urn:crm:country:GTM:sicam",
    "type": "crm.intel.document.flagged.v1",
    "time": "2004-03-01T10:00:00Z",
    "subject": "doc-5f2",
    "datacontenttype": "application/json",
    "data": {
        "doc_code": "PP",
        "issuing": "HND",
        "fraud_type": "photo_substitution",
        "detected_by": "second_line",
        "reported_by": "immigration",
    },
}
METRICS = b"""# TYPE crm_fold_sequence gauge
crm_fold_sequence{stream="INTEL"} 1
# TYPE crm_rejected_total counter
crm_rejected_total{service="intel",country="GTM",code="unknown_value"} 2
crm_rejected_total{service="intel",country="MEX",code="unknown_value"} 1
# TYPE crm_intake_total counter
crm_intake_total{service="intel",stream="INTAKE",outcome="recorded"} 9
crm_intake_total{service="intel",stream="INTAKE",outcome="failed"} 2
crm_intake_total{service="intel",stream="LEGAL",outcome="failed"} 5
"""
ROW = {
    "id": "LE-2.1",
    "title": {"en": "Parties", "es": "Estados parte", "fr": "Parties"},
    "unit": "countries",
    "as_of": "2004-01-01",
    "target": 11,
    "direction": "at_least",
    "met": False,
    "kind": "countries",
    "values": [
        {"country": code, "labels": {"instrument": "TIP"}, "value": value, "suppressed": False}
        for code, value in (("GTM", 1), ("HND", 0), ("REG", 3))
    ],
}
DELAY = ROW | {
    "id": "PC-1c.delay",
    "unit": "seconds",
    "kind": "latency",
    "target": None,
    "direction": "at_least",
    "met": None,
    "values": [{"country": "GTM", "labels": {}, "value": 432_000.0, "numerator": 864_000, "denominator": 2}],
}
SUMMARY = {
    **{key: ROW[key] for key in ("id", "title", "unit", "as_of", "target", "direction", "met")},
    "coverage": 3 / 11,
    "value": 3,
    "suppressed": False,
}


@pytest.fixture
def board():
    """A board that answers with fixed figures."""

    class Fixed(BaseHTTPRequestHandler):
        def do_GET(self):
            one, all_of_them = json.dumps(ROW).encode(), json.dumps([SUMMARY]).encode()
            answers = {
                "/metrics": METRICS,
                "/metrics/operator": METRICS,
                "/api/indicators/LE-2.1": one,
                "/api/indicators": all_of_them,
                "/api/indicators/PC-1c.delay": json.dumps(DELAY).encode(),
            }
            body = answers.get(self.path.partition("?")[0])
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Fixed)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def state(region, board, tmp_path):
    """The folder of a copy that runs, as its run.json tells."""
    addresses = {
        "nats": region.nats.url,
        "http": board,
        "ops": {"intel": board, "legal": "http://127.0.0.1:1"},
        "postgres": region.database_url("operator"),
        "creds": {principal: str(region.seed(principal)) for principal in principals()},
    }
    (tmp_path / "run.json").write_text(json.dumps(addresses))
    return tmp_path


async def crm(*arguments, stdin=None):
    """Run a verb in a thread of its own, as it runs a loop of its own."""
    import asyncio  # noqa: PLC0415 - used here only

    return await asyncio.to_thread(CliRunner().invoke, app, [str(part) for part in arguments], input=stdin)


async def test_pub_publishes_through_the_countrys_account(region, state):
    done = await crm("pub", "--as", "GTM", "-", "--state-dir", state, stdin=json.dumps(FLAGGED))
    assert (done.exit_code, done.stdout) == (0, "stored 0193-abc (intake 1)\n")
    answer = await ask(await region.connect("operator"), "STREAM.INFO.INTAKE_GTM", {"subjects_filter": ">"})
    assert answer["state"]["subjects"] == {"crm.in.GTM.intel.document.flagged": 1}


async def test_pub_says_what_is_wrong_and_sends_nothing(region, state):
    wrong = {**FLAGGED, "data": {**FLAGGED["data"], "detected_by": "second_lin"}}
    done = await crm("pub", "--as", "GTM", "-", "--state-dir", state, stdin=json.dumps(wrong))
    assert done.exit_code == 1
    assert "/data/detected_by" in done.stderr
    assert "did you mean second_line?" in done.stderr
    info = await ask(await region.connect("operator"), "STREAM.INFO.INTAKE_GTM")
    assert info["state"]["messages"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--as", "FRA", "-"], "--as is one of"), (["--as", "GTM", "missing.json"], "No such file")],
)
async def test_pub_explains_a_wrong_call(state, arguments, said):
    done = await crm("pub", *arguments, "--state-dir", state)
    assert done.exit_code == 2
    assert said in done.stderr


async def test_status_shows_log_stream_fold_refusals_and_failures(state):
    done = await crm("status", "--json", "--state-dir", state)
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    intel = {"log": 0, "stream": 0, "fold": 1, "rejected": 3, "failed": 7, "aside": None, "set_aside": []}
    intel |= {"ready": None, "faults": []}
    assert found["services"]["intel"] == intel
    assert found["services"]["legal"]["failed"] is None, "a process that is away has not told"
    assert found["differences"] == []
    assert {row["durable"] for row in found["durables"]} >= {"intel", "training", "GTM"}
    shown = await crm("status", "--state-dir", state)
    assert "indicators" in shown.stdout


async def test_status_shows_what_differs(region, state):
    nc = await region.connect("provisioner")
    await ask(nc, "STREAM.UPDATE.LEGAL", {**stream_configs()["LEGAL"], "allow_direct": False})
    done = await crm("status", "--state-dir", state)
    assert "differs: stream LEGAL: allow_direct is False, should be True" in done.stdout
    assert (done.exit_code, done.stderr) == (1, "1 finding: see above\n")


async def test_verify_finds_a_lost_stream_and_restore_makes_it_anew(region, state):
    whole = await crm("verify", "--state-dir", state)
    assert whole.exit_code == 0, whole.output
    await ask(await region.connect("provisioner"), "STREAM.DELETE.LEGAL")
    lost = await crm("verify", "legal", "--state-dir", state)
    assert (lost.exit_code, "stream: there is none" in lost.stdout) == (1, True)
    own = ["--database-url", region.database_url("legal"), "--creds", region.keys.folder]
    restored = await crm("restore", "legal", "--state-dir", state, *own)
    assert restored.exit_code == 0, restored.output
    again = await crm("verify", "--json", "--state-dir", state)
    assert (again.exit_code, [row["faults"] for row in json.loads(again.stdout)]) == (0, [[]] * 5)


async def test_indicators_shows_one(state):
    done = await crm("indicators", "LE-2.1", "--lang", "es", "--state-dir", state)
    assert "Estados parte" in done.stdout
    assert "instrument TIP" in done.stdout
    told = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert " sí " in told["GTM"], "where countries are counted, one is among them or is not, as on the pages"
    assert " no " in told["HND"]
    assert " 3 países " in told["REG"]


async def test_indicators_shows_a_sum_of_times_as_a_time(state):
    done = await crm("indicators", "PC-1c.delay", "--state-dir", state)
    assert [line.split() for line in done.stdout.splitlines() if line.startswith("GTM")] == [
        ["GTM", "5", "days", "10", "days", "2"]
    ]


async def test_indicators_shows_all(state):
    done = await crm("indicators", "--state-dir", state)
    assert "LE-2.1" in done.stdout
    assert "27%" in done.stdout


async def test_indicators_says_that_there_is_none(state):
    done = await crm("indicators", "LE-9.9", "--state-dir", state)
    assert (done.exit_code, done.stderr) == (1, "there is no such indicator; is one of these meant? LE-2.1\n")
    done = await crm("indicators", "nothing", "--state-dir", state)
    assert (done.exit_code, done.stderr) == (1, "there is no such indicator\n")


async def test_without_a_running_copy_the_verbs_say_how_to_start_one(tmp_path):
    done = await crm("status", "--state-dir", tmp_path)
    assert done.exit_code == 1
    assert "make run" in done.stderr


async def test_what_a_killed_copy_left_behind_is_no_traceback(region, state):
    addresses = json.loads((state / "run.json").read_text())
    (state / "run.json").write_text(json.dumps({**addresses, "postgres": "postgresql://operator:x@127.0.0.1:1/crm"}))
    done = await crm("status", "--state-dir", state)
    assert done.exit_code == 1
    assert "do not answer" in done.stderr


async def test_provision_against_servers_of_their_own(nats_server, nats_keys, postgres_server):
    address = postgres_server.server.url()
    creds = ["--creds", nats_keys.folder]
    first = await crm("provision", "--nats-url", nats_server.url, *creds)
    assert "made stream INTAKE_GTM" in first.stdout
    again = await crm("provision", "--nats-url", nats_server.url, *creds)
    assert again.stdout == "nothing to do\n"
    secrets = postgres_server.server.home.parent / "passwords"
    tables = await crm("provision", "--database-url", address, "--creds", secrets)
    assert (tables.exit_code, tables.stdout) == (0, "nothing to do\n")


async def test_provision_writes_a_configuration_and_keys_for_other_servers(tmp_path, postgres_server):
    done = await crm("provision", "--write-config", tmp_path / "out")
    assert done.exit_code == 0
    config = json.loads((tmp_path / "out" / "nats.json").read_text())
    assert config["jetstream"]["sync_interval"] == "always"
    assert set(config["accounts"]) == {"CRM", *principals()} - {*SERVICES}
    files = list((tmp_path / "out" / "creds").iterdir())
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    login = (tmp_path / "out" / "creds" / "intel.pgpass").read_text().strip().split(":")
    assert login[:4] == ["*", "*", "crm", "intel"]


async def test_services_log_in_with_the_password_file(postgres_server):
    folder = postgres_server.server.home.parent / "passwords"
    address = f"postgresql://intel@127.0.0.1:{postgres_server.server.port}/crm"
    connection = await asyncpg.connect(address, passfile=str(folder / "intel.pgpass"))
    assert await connection.fetchval("select current_user") == "intel"
    await connection.close()
