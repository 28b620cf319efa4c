"""Of several NATS servers, the first that is there is taken, by a country and by an operator."""

import asyncio

import nats
import pytest

from infra.nats.connection import connected
from infra.nats.rights import OPERATOR
from shared.client import Unreachable, connect
from tests.harness.system import free_port

pytestmark = pytest.mark.long


@pytest.fixture
def addresses(region):
    """Nobody's address, and the server's."""
    return f"nats://127.0.0.1:{free_port()},{region.nats.url}"


async def test_a_country_goes_to_the_next(region, addresses):
    async with connect(addresses, region.seed("GTM"), "GTM") as gtm:
        assert gtm.client.is_connected
    with pytest.raises(Unreachable):
        async with connect(addresses.partition(",")[0], region.seed("GTM"), "GTM", timeout_s=2):
            pass


async def test_an_operator_goes_to_the_next(region, addresses):
    async with connected(addresses, region.seed(OPERATOR), OPERATOR) as nc:
        assert nc.is_connected
    gone = addresses.partition(",")[0]
    with pytest.raises((OSError, nats.errors.Error)):
        async with asyncio.timeout(60), connected(f"{gone},{gone}", region.seed(OPERATOR), OPERATOR):
            pass
