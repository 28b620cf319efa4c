"""What nats-server itself bounds: accounts by their quota, open batches, and what it keeps in memory for anybody."""

from typing import Any

from shared.contracts import SERVICES
from shared.flow import quotas
from shared.flow.streams import SENDERS

WAITING_BYTES = 16 * 1024**2
"""What may wait in memory for one stream to store it; beyond it a publisher is answered 10167, too many requests."""
UNREAD_BYTES = 16 * 1024**2
"""What may wait in memory for one connection to read it; one slower than that is cut off."""


def account(name: str) -> dict[str, int]:
    """Return the limits of a sender's account; those of subscriptions and payload are for each connection."""
    quota = quotas.of(name)
    return {
        "max_connections": quota.connections,
        "max_subscriptions": quota.subscriptions,
        "max_payload": quota.payload_kib << 10,
    }


def jetstream() -> dict[str, Any]:
    """Return what the `jetstream` part of the configuration needs beside where and how it stores."""
    each = quotas.region().open_batches
    streams = len(SENDERS) + len(SERVICES)
    batch = {"max_inflight_per_stream": each, "max_inflight_total": each * streams}
    return {"max_buffered_size": WAITING_BYTES, "limits": {"batch": batch}}


def server() -> dict[str, Any]:
    """Return what the server's own part of the configuration needs."""
    return {"max_pending": UNREAD_BYTES}
