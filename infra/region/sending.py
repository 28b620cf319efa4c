"""How a country's steps reach the region: in order, in atomic batches, however long the region is away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import structlog
from nats.errors import Error as NatsError

from infra.region.scene import Step
from shared.client import CountryClient, Unreachable, Unstored
from shared.flow.batch import publish_batch

log = structlog.get_logger()

RETRY_S = 1.0
AWAY = (Unreachable, Unstored, NatsError, OSError)


async def send(country: CountryClient, steps: Sequence[Step]) -> None:
    """Publish one country's steps and wait until they are stored; what is already recorded does not count again.

    Raises Invalid and Denied: a fault of ours, or of the keys, that waiting does not mend.
    """
    checked = [envelope(country, step) for step in steps if not step.careless]
    if checked:
        await _until_stored(partial(country.publish_all, checked))
    for step in steps:
        if step.careless:
            message = (f"report.{step.name}", msgspec.json.encode(envelope(country, step)))
            await _until_stored(partial(publish_batch, country.client, [message]))


def envelope(country: CountryClient, step: Step) -> dict[str, Any]:
    """Return the step as the report that its country sends."""
    report = country.report(step.name, step.data, id=step.id, time=step.due, subject=step.subject)
    return report | step.envelope


async def _until_stored(publish: Callable[[], Awaitable[int]]) -> None:
    while True:
        try:
            await publish()
        except AWAY as error:
            log.warning("the region is away; waiting", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)
        else:
            return
