"""The reports that all ways are measured with, put into its intake beforehand as a country's backlog is."""

from datetime import UTC, datetime

from shared import contracts
from shared.client import connect
from tests.harness.servers import Region

NAME = "intel.document.flagged"


async def fill(region: Region, number: int, first: int = 0) -> None:
    """Store `number` different reports of one country in its intake, in atomic batches, their ids from `first` on."""
    good = dict(contracts.registry()[f"crm.{NAME}.v1"].good)
    when = datetime(2004, 3, 1, 10, tzinfo=UTC)
    async with connect(region.nats.url, region.seed("GTM"), "GTM", "bench") as country:
        await country.publish_all(
            country.report(NAME, good, id=f"bench-{i}", subject=f"doc-{i}", time=when)
            for i in range(first, first + number)
        )
