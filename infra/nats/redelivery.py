"""Having what a service acknowledged delivered to it once more: its log takes each message once."""

from collections.abc import Iterable

from nats.aio.client import Client

from infra.nats.asking import ask, ok


async def again(nc: Client, durables: Iterable[tuple[str, str]]) -> None:
    """Have these durables (stream, name) begin with the first message."""
    for stream, name in durables:
        ok(f"durable {name} on {stream}", await ask(nc, f"CONSUMER.RESET.{stream}.{name}", {"seq": 1}))
