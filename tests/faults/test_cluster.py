"""With one NATS server of three gone, publishing and recording go on; also when then another goes."""

import asyncio

import asyncpg
import nats

from infra.nats.config import seed_file
from infra.nats.connection import connected
from infra.nats.rights import OPERATOR
from infra.recovery.verify import compare
from shared.client import Unreachable, connect
from tests.faults.cluster import PATIENCE_S, Cluster
from tests.harness.servers import Keys, Region
from tests.harness.speaking import NOW, clock, example
from tests.harness.system import System, until

NAME = "training.official.enrolled"


async def published(gtm, first, number=20):
    for n in range(first, first + number):
        key = f"officer-{n}"
        report = gtm.report(NAME, example(NAME, officer_pid=key), id=key, time=NOW)
        while True:
            try:
                await gtm.publish(report)
                break
            except Unreachable:
                await asyncio.sleep(0.5)


async def test_publishing_and_recording_go_on_with_one_server_of_three_gone(tmp_path, postgres_server):
    cluster = Cluster(tmp_path)
    region = Region(cluster, postgres_server, Keys(cluster.creds, {}), await postgres_server.lend())
    system = System(region, tmp_path)
    try:
        await cluster.start()
        cluster.monitor = cluster.nodes[0].monitor
        system.start("training", "training-2", **clock())
        await system.ready(patience_s=PATIENCE_S)
        async with connect(cluster.nodes[2].url, seed_file(cluster.creds, "GTM"), "GTM") as gtm:
            await published(gtm, 0)
            cluster.lose(0)
            await published(gtm, 20)
            await until(lambda: counted(system, 40), "recording with one server gone", PATIENCE_S)
            await cluster.bring_back(0)
            await until(lambda: caught_up(cluster), "the first to catch up", PATIENCE_S)
            cluster.lose(1)
            await published(gtm, 40)
            await until(lambda: counted(system, 60), "recording with another gone", PATIENCE_S)
        await until(lambda: whole(system, cluster), "log and stream to be copies", PATIENCE_S)
        assert sorted(event.id for event in await system.log("training")) == sorted(f"officer-{n}" for n in range(60))
    finally:
        await system.close()
        for process in system.processes.values():
            process.kill()
            process.wait()
        cluster.stop()
        await postgres_server.take_back(region.database)


async def counted(system, number):
    (row,) = await system.rows("training", "select count(*) as rows from log")
    return row["rows"] == number


async def caught_up(cluster):
    """Whether the server that was away is current in every group of which it is a member."""
    try:
        async with connected(cluster.nodes[2].url, seed_file(cluster.creds, OPERATOR), OPERATOR) as nc:
            infos = [await nc.jetstream().stream_info(name) for name in ("INTAKE_GTM", "TRAINING")]
            members = [peer for info in infos for peer in info.cluster.replicas or []]
            return all(peer.current for peer in members)
    except (nats.errors.Error, OSError):
        return False


async def whole(system, cluster):
    connection = await asyncpg.connect(system.region.database_url())
    try:
        async with connected(cluster.nodes[2].url, seed_file(cluster.creds, OPERATOR), OPERATOR) as nc:
            found = await compare(connection, nc, "training")
    except (nats.errors.Error, OSError):
        return False
    finally:
        await connection.close()
    return not found.faults() and found.sequence == found.position == 60
