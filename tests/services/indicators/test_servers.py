"""What NATS and PostgreSQL are asked for reaches Prometheus; what is not seen any more does not."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from services.indicators import servers
from services.indicators.folded.delay import FIGURE_DELAY, delayed
from services.indicators.servers import Servers
from shared.contracts.vocabulary import MEMBERS
from shared.run import database, upkeep
from shared.run.clock import Clock
from shared.run.settings import Settings
from tests.services.indicators.making import event


@pytest.fixture
async def pool(region):
    settings = Settings(database_url=region.database_url("indicators"))
    async with await database.connect(settings, "indicators") as opened:
        yield opened


def told(collector):
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return {(one.name, *one.labels.values()): one.value for family in registry.collect() for one in family.samples}


async def test_streams_mailboxes_and_both_servers_are_told(region, pool, tmp_path):
    victims = await region.connect("victims")
    await victims.jetstream().publish("crm.evt.victims.referral.offered.GTM", b"{}")
    looking = Servers(await region.connect("indicators"), pool, region.nats.monitor, tmp_path)
    for _ in range(100):  # MAILBOX is filled by the server itself, a moment later
        await looking.look()
        if told(looking)["crm_mailbox_unread_messages", "GTM"]:
            break
        await asyncio.sleep(0.1)
    found = told(looking)
    assert found["crm_mailbox_unread_messages", "GTM"] == 1
    assert found["crm_mailbox_unread_messages", "HND"] == 0
    assert {*MEMBERS} <= {name[1] for name in found if name[0] == "crm_mailbox_read_total"}
    assert found["crm_stream_messages", "VICTIMS"] == 1
    assert found["crm_stream_arrived_total", "VICTIMS"] == 1
    assert found["crm_stream_bytes_max", "QUARANTINE"] > found["crm_stream_bytes", "QUARANTINE"]
    assert ("crm_stream_bytes_max", "VICTIMS") not in found, "a log's copy has no limit"
    assert found["crm_stream_replicas", "VICTIMS"] == found["crm_stream_replicas_current", "VICTIMS"] == 1
    assert found["crm_postgres_standbys",] == 0
    for name in ("crm_nats_storage_bytes", "crm_nats_storage_max_bytes", "crm_nats_connections", "crm_postgres_bytes"):
        assert found[name,] > 0
    assert found["crm_postgres_connections_max",] >= found["crm_postgres_connections",] > 0


@pytest.mark.parametrize(
    ("followers", "current"),
    [
        ([{"current": True}, {"current": True}], 3),
        ([{"current": False}, {"current": True}], 2),
        ([{"current": True, "offline": True}, {"current": False, "offline": True}], 1),
    ],
)
def test_a_copy_that_lags_or_is_away_is_not_counted(followers, current):
    """As nats-server tells of a stream with three replicas (`STREAM.LIST`, `cluster`)."""
    state = {"bytes": 1, "messages": 1, "last_seq": 1}
    stream = {"config": {"name": "INTEL", "num_replicas": 3}, "state": state, "cluster": {"replicas": followers}}
    found = {one.name: one.value for family in servers.streams([stream]) for one in family.samples}
    assert (found["crm_stream_replicas"], found["crm_stream_replicas_current"]) == (3, current)


async def test_what_was_not_seen_for_a_while_is_told_no_more(region, pool, monkeypatch):
    looking = Servers(await region.connect("indicators"), pool, region.nats.monitor, None)
    await looking.look()
    assert ("crm_postgres_bytes",) in told(looking)
    monkeypatch.setattr(servers, "STALE_S", 0.0)
    assert told(looking) == {}


async def test_a_server_that_is_away_hides_no_other(region, pool):
    looking = Servers(await region.connect("indicators"), pool, "http://127.0.0.1:1", None)
    await looking.look()
    found = told(looking)
    assert ("crm_postgres_bytes",) in found
    assert ("crm_nats_storage_bytes",) not in found


def test_upkeep_is_told_from_its_folder_and_never_done_is_long_ago(tmp_path):
    def of(folder):
        return {(one.name, one.labels["what"]): one.value for f in servers.kept(folder) for one in f.samples}

    assert of(None) == {}
    assert of(tmp_path)["crm_upkeep_timestamp_seconds", "verify"] == 0
    before = datetime.now(UTC).timestamp()
    upkeep.note(tmp_path / "made", "verify", 3)
    found = of(tmp_path / "made")
    assert found["crm_upkeep_timestamp_seconds", "verify"] == pytest.approx(before, abs=60)
    assert found["crm_upkeep_findings", "verify"] == 3
    assert found["crm_upkeep_timestamp_seconds", "backup"] == 0
    (tmp_path / "made" / "verify.json").write_text("{half")
    assert of(tmp_path / "made")["crm_upkeep_timestamp_seconds", "verify"] == 0


def test_a_delay_is_measured_in_real_time_whatever_the_plan_time():
    """A day a second: an event of twelve plan hours ago was recorded half a second ago."""
    now = datetime(2004, 3, 1, tzinfo=UTC)
    clock = Clock(start=now, epoch=datetime.now(UTC), speed=86_400.0)
    measured = delayed(clock)

    def counts():
        return [
            REGISTRY.get_sample_value("crm_figure_delay_seconds_bucket", {"stream": "INTEL", "le": le}) or 0
            for le in ("0.25", "2.0")
        ]

    before = counts()
    measured("INTEL", event("intel.band.dismantled", recorded=f"{now - timedelta(hours=12):%Y-%m-%dT%H:%M:%SZ}"))
    assert [b - a for a, b in zip(before, counts(), strict=True)] == [0, 1]
    measured("INTEL", b"no event")
    assert [b - a for a, b in zip(before, counts(), strict=True)] == [0, 1]
    assert FIGURE_DELAY.labels("VICTIMS")
