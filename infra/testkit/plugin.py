"""The pytest plugin: a fresh system for each test that asks for one.

async def test_a_forged_passport_is_told(country, crm_system):
gtm, hnd = await country("GTM"), await country("HND")
outcome = await gtm.tell("intel.document.flagged", issuing="HND")
assert outcome.recorded
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from infra.testkit.country import Country
from infra.testkit.robots import Robot
from infra.testkit.servers import Servers, servers
from infra.testkit.system import CrmSystem, TestClock, fresh


@pytest.fixture(scope="session")
def crm_servers() -> Iterator[Servers]:
    """Return what all systems of a session share; it is started once, which takes seconds."""
    with asyncio.Runner() as runner:
        running = servers()
        yield runner.run(running.__aenter__())
        runner.run(running.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def crm_settings() -> dict[str, str]:
    """Return further `CRM_` settings of the services; a suite may define its own."""
    return {}


@pytest_asyncio.fixture
async def crm_system(crm_servers: Servers, crm_settings: dict[str, str]) -> AsyncIterator[CrmSystem]:
    """Run a system of the test's own: nothing in it yet, the clock at 2004-03-01T12:00Z."""
    async with fresh(crm_servers, crm_settings) as system:
        yield system


@pytest.fixture
def country(crm_system: CrmSystem) -> Callable[[str], Awaitable[Country]]:
    """Give a test its countries by their codes."""
    return crm_system.country


@pytest.fixture
def other_country(crm_system: CrmSystem) -> Callable[..., Awaitable[Robot]]:
    """Give a test countries that answer by a script."""
    return crm_system.other_country


@pytest.fixture
def clock(crm_system: CrmSystem) -> TestClock:
    """Return the clock of the test's system."""
    return crm_system.clock


@pytest.fixture
def figures(crm_system: CrmSystem) -> Callable[..., Awaitable[Any]]:
    """Give a test the figures of a row of the Plan by its id."""
    return crm_system.figures
