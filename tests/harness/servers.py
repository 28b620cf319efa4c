"""The kit's servers as fixtures of the suite: one PostgreSQL per session, one NATS and one region per test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from infra.local.nats import Nats
from infra.testkit.servers import ROOT, Keys, PostgresServer, Region, Servers, root, with_root

__all__ = ["ROOT", "Keys", "PostgresServer", "Region", "root", "with_root"]


@pytest.fixture(scope="session")
def nats_keys(crm_servers: Servers) -> Keys:
    return crm_servers.keys


@pytest.fixture(scope="session")
def postgres_server(crm_servers: Servers) -> PostgresServer:
    return crm_servers.postgres


@pytest.fixture
def nats_server(tmp_path, crm_servers: Servers) -> Iterator[Nats]:
    """A NATS server of the test's own, with all accounts and rights, and no streams yet."""
    with crm_servers.nats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def region(nats_server, crm_servers: Servers) -> AsyncIterator[Region]:
    async with crm_servers.region(nats_server) as fresh:
        yield fresh
