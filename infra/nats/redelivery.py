"""Having what a service acknowledged delivered to it once more: its log takes each message once."""

from collections.abc import Iterable

from nats.aio.client import Client

from infra.nats.asking import ask, ok


async def again(nc: Client, service: str, streams: Iterable[str]) -> None:
    """Have the durable of a service on these streams begin with the first message."""
    for stream in streams:
        ok(f"durable {service} on {stream}", await ask(nc, f"CONSUMER.RESET.{stream}.{service}", {"seq": 1}))
