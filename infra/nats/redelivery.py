"""Having what a service acknowledged delivered to it once more: its log takes each message once."""

from collections.abc import Iterable, Sequence

from nats.aio.client import Client

from infra.nats.asking import ask, ok
from shared.flow.provisioned import read_by


async def again(nc: Client, service: str, streams: Iterable[str]) -> None:
    """Have the durable of a service on these streams begin with the first message."""
    for stream in streams:
        ok(f"durable {service} on {stream}", await ask(nc, f"CONSUMER.RESET.{stream}.{service}", {"seq": 1}))


async def heard_again(nc: Client, services: Sequence[str]) -> list[str]:
    """Have all that services hear of others delivered again; return what was done, in words."""
    for service in services:
        await again(nc, service, read_by(service))
    return [f"{service}: what it heard is delivered again, to be kept" for service in services]
