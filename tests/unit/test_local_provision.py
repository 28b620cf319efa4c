import asyncio

import asyncpg
import pytest

from infra.nats.provision import ProvisionError, all_differences, ask, provision
from infra.postgres.provision import ROOT, MigrationError, _schema
from infra.postgres.provision import provision as provision_postgres
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.provisioned import differences, intakes
from shared.flow.streams import intake_of, stream_configs
from shared.run.database import missing_migrations


async def test_provisioning_twice_changes_nothing(region):
    nc = await region.connect("provisioner")
    assert await provision(nc) == []
    assert await all_differences(nc) == []


async def test_a_service_sees_with_its_own_rights_what_differs(region):
    operator = await region.connect("provisioner")
    found = (await ask(operator, "STREAM.INFO.INTEL"))["config"]
    await ask(operator, "STREAM.UPDATE.INTEL", {**found, "allow_direct": False})
    intel = await region.connect("intel")
    assert await differences(intel, "intel") == ["stream INTEL: allow_direct is False, should be True"]
    assert await provision(operator) == ["changed stream INTEL: allow_direct is False, should be True"]
    assert await differences(intel, "intel") == []


async def test_what_cannot_be_changed_is_said_and_left(region):
    nc, root = await region.connect("provisioner"), await region.connect("root")
    await ask(root, "STREAM.DELETE.QUARANTINE")
    wrong = {**stream_configs()["QUARANTINE"], "storage": "memory"}
    await ask(root, "STREAM.CREATE.QUARANTINE", wrong)
    with pytest.raises(ProvisionError, match="stream QUARANTINE: storage is memory, should be file"):
        await provision(nc)


@pytest.mark.parametrize("chosen", [{"max_bytes": 2 * 1024**3}, {"duplicate_window": 3600 * 10**9}], ids=str)
async def test_an_operators_choice_is_no_difference(region, chosen):
    nc = await region.connect("provisioner")
    found = (await ask(nc, "STREAM.INFO.QUARANTINE"))["config"]
    await ask(nc, "STREAM.UPDATE.QUARANTINE", {**found, **chosen})
    assert await provision(nc) == []
    assert (await ask(nc, "STREAM.INFO.QUARANTINE"))["config"].items() >= chosen.items()


async def test_how_long_other_streams_know_repeats_is_no_choice(region):
    """Only of QUARANTINE: elsewhere it decides what is kept."""
    nc = await region.connect("provisioner")
    found = (await ask(nc, "STREAM.INFO.INTEL"))["config"]
    await ask(nc, "STREAM.UPDATE.INTEL", {**found, "duplicate_window": 10**9})
    assert any("stream INTEL: duplicate_window" in change for change in await provision(nc))


async def test_on_a_small_disk_streams_get_less_room(nats_server, region):
    root = await region.connect("root")
    for name in (*intakes(), "QUARANTINE", "EMPTY"):
        await ask(root, f"STREAM.DELETE.{name}")
    nats_server.stop()
    nats_server.base["jetstream"]["max_file"] = 3 * 1024**3
    nats_server._base = lambda: nats_server.base
    nats_server.start(region.accounts())
    nc = await region.connect("provisioner")
    done = await provision(nc)
    rooms = {(await ask(nc, f"STREAM.INFO.{name}"))["config"]["max_bytes"] for name in map(intake_of, MEMBERS)}
    assert len(rooms) == 1, "a small disk is shared out evenly"
    assert any(
        line.startswith("made stream INTAKE_GTM for ") and "the server has no more room" in line for line in done
    )
    assert await all_differences(nc) == []


async def test_every_migration_is_applied_in_each_schema(region):
    for service in SERVICES:
        pool = await asyncpg.create_pool(
            region.database_url(service), min_size=1, max_size=1, server_settings={"search_path": service}
        )
        assert await missing_migrations(pool, ROOT / "services" / service) == []
        await pool.close()


async def test_a_changed_migration_stops_provisioning(region):
    connection = await asyncpg.connect(region.database_url())
    real = await connection.fetchval("select sha256 from intel.migration where name = 'shared/0001_log.sql'")
    await connection.execute("update intel.migration set sha256 = 'other' where name = 'shared/0001_log.sql'")
    with pytest.raises(MigrationError, match=r"intel: migration shared/0001_log\.sql was changed after it was applied"):
        async with connection.transaction():
            await _schema(connection, "intel")
    await connection.execute("update intel.migration set sha256 = $1 where name = 'shared/0001_log.sql'", real)
    await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_adds_to_its_log_and_never_rewrites_it(region, service):
    connection = await asyncpg.connect(region.database_url(service))
    other = SERVICES[(SERVICES.index(service) + 1) % len(SERVICES)]
    assert await connection.fetchval(f"select count(*) from {service}.log") == 0
    forbidden = [
        f"update {service}.log set type = 'x'",
        f"delete from {service}.log",
        f"truncate {service}.log",
        f"drop table {service}.log",
        f"alter table {service}.log disable trigger all",
        f"delete from {service}.migration",
        f"select count(*) from {other}.log",
        f"insert into {other}.log (position) values (1)",
        f"create table {service}.mine (x int)",
        "create table public.mine (x int)",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to program 'true'",
        f"set role {other}",
    ]
    for statement in forbidden:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_an_operator_reads_and_changes_nothing(region):
    connection = await asyncpg.connect(region.database_url("operator"))
    for service in SERVICES:
        assert await connection.fetchval(f"select count(*) from {service}.log") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"delete from {service}.deadline")
    await connection.close()


async def test_provisioners_at_once_do_not_trip_over_each_other(region):
    nc = [await region.connect("provisioner") for _ in range(3)]
    assert await asyncio.gather(*(provision(one) for one in nc)) == [[], [], []]


async def test_databases_are_provisioned_once_however_many_try(postgres_server):
    tries = [provision_postgres(postgres_server.server.url(), postgres_server.passwords) for _ in range(3)]
    assert await asyncio.gather(*tries) == [[], [], []]
