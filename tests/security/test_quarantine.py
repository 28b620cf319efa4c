"""What was refused is read by its sender and the operator on call; from NATS, disk and log nobody else learns of it."""

import asyncio
import json
import subprocess

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.cli.quarantine import printable
from infra.keyfiles import identity_file
from shared.flow.sealing import opened

NAME = "Maria Canary"
RAW = json.dumps({"specversion": "1.0", "id": NAME, "data": {"victim": NAME}}).encode()


@pytest.fixture
async def refused(system, monkeypatch):
    """A report of Guatemala that is refused, and one as it was kept before."""
    system.start("victims")
    await system.ready()
    gtm = await system.region.connect("GTM")
    await gtm.request("report.victims.victim.identified", RAW, timeout=30)
    await gtm.request("report.victims.Maria.Canary", RAW, timeout=30)
    await system.recorded("victims", "victims.report.rejected", 2)
    service = await system.region.connect("victims")
    await service.jetstream().publish("crm.bad.GTM.victims", b"as before", headers={"Crm-Codes": "not_json"})
    return system.region


async def crm(region, *arguments, key="operator"):
    where = ["--nats-url", region.nats.url, "--seed", region.seed("operator")]
    if arguments[0] == "show":
        where += ["--key", identity_file(region.keys.folder, key)]
    return await asyncio.to_thread(CliRunner().invoke, app, ["quarantine", *map(str, (*arguments, *where))])


async def test_the_operator_lists_without_content_and_opens_one(refused):
    found = await crm(refused, "list")
    assert found.exit_code == 0
    assert found.output.count("victims.victim.identified") == 1
    assert "Canary" not in found.output
    rows = json.loads((await crm(refused, "list", "-o", "json")).stdout)
    assert [row["kept"] for row in rows] == ["sealed", "sealed", "in clear"]
    listed = (await crm(refused, "list", "-o", "csv")).stdout.splitlines()
    assert listed[0] == "number,time,subject,codes,kept"
    assert [line.split(",")[0] for line in listed[1:]] == ["1", "2", "3"]
    for number in (1, 2):
        assert (await crm(refused, "show", number)).stdout_bytes == RAW
    assert (await crm(refused, "show", 3)).stdout_bytes == b"as before", "of before: in clear"


async def test_the_sender_opens_what_is_handed_to_it_and_others_do_not(refused, tmp_path):
    handed = await crm(refused, "show", 1, "--sealed")
    assert opened(handed.stdout_bytes, identity_file(refused.keys.folder, "GTM")) == RAW
    assert (await crm(refused, "show", 1, key="GTM")).stdout_bytes == RAW
    for name in ("MEX", "ST"):
        other = await crm(refused, "show", 1, key=name)
        assert other.exit_code == 1
        assert "the key does not open it" in other.stderr
    assert "name it with --key" in (await crm(refused, "show", 1, key="nobody")).stderr
    assert "no refused report 99" in (await crm(refused, "show", 99)).stderr


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b'{"id": "a"}\n', '{"id": "a"}\n'),
        ("ni\u00f1a".encode(), "ni\u00f1a"),
        (b"\x1b[2J\x1b]0;x\x07\r\xff", "\\x1b[2J\\x1b]0;x\\x07\\r\\xff"),
        ("\u202egnp\u009b2J".encode(), "\\u202egnp\\x9b2J"),
    ],
)
def test_what_a_sender_wrote_moves_nothing_on_the_operators_terminal(content, shown):
    assert printable(content) == shown


async def test_on_the_servers_disk_it_stands_sealed(refused):
    folder = refused.nats.home / "jetstream"
    found = subprocess.run(["grep", "-rlaF", NAME, folder], capture_output=True, text=True, check=False).stdout
    assert "INTAKE_GTM" in found, "the search finds it where it arrived"
    assert "QUARANTINE" not in found
    assert "VICTIMS" not in found
    assert "MAILBOX" not in found
