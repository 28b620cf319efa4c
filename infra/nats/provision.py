"""Bring a server's streams and durables to what `shared.streams` wants; say precisely what cannot be changed."""

import json
from typing import Any

from nats.aio.client import Client

from shared.streams import TUNED, Config, differing, durables, stream_configs

API = "$JS.API"
NO_STREAM, NO_CONSUMER, NO_ROOM = 10059, 10014, 10047
ROOM_BYTES_MIN = 64 * 1024**2
TIMEOUT_S = 5.0


class ProvisionError(RuntimeError):
    """Something on the server differs and cannot be changed safely; the message names each difference."""


async def provision(nc: Client) -> list[str]:
    """Make or adapt every stream and durable; return what was done, in words. Idempotent.

    ProvisionError where the server refuses a change (another storage or retention, say): nothing is ever
    deleted here.
    """
    done = []
    for name, wanted in stream_configs().items():
        done += await _stream(nc, name, wanted)
    for stream, consumers in durables().items():
        for name, wanted in consumers.items():
            done += await _durable(nc, stream, name, wanted)
    return done


async def all_differences(nc: Client) -> list[str]:
    """Tell what differs from the desired state anywhere; empty: nothing."""
    faults = []
    for name, wanted in stream_configs().items():
        faults += _told(f"stream {name}", wanted, await stream_config(nc, name))
    for stream, consumers in durables().items():
        for name, wanted in consumers.items():
            faults += _told(f"durable {name} on {stream}", wanted, await consumer_config(nc, stream, name))
    return faults


async def stream_config(nc: Client, name: str) -> Config | None:
    """Return a stream's configuration as the server has it; None: there is no such stream."""
    return await _config(nc, f"STREAM.INFO.{name}", NO_STREAM)


async def consumer_config(nc: Client, stream: str, name: str) -> Config | None:
    """Return a durable's configuration as the server has it; None: there is no such durable."""
    return await _config(nc, f"CONSUMER.INFO.{stream}.{name}", NO_CONSUMER, NO_STREAM)


async def ask(nc: Client, question: str, body: Any = None) -> dict[str, Any]:
    """Ask the JetStream API; the answer may hold an `error`."""
    answer = await nc.request(f"{API}.{question}", json.dumps(body).encode() if body else b"", timeout=TIMEOUT_S)
    result: dict[str, Any] = json.loads(answer.data)
    return result


async def _config(nc: Client, question: str, *missing: int) -> Config | None:
    answer = await ask(nc, question)
    if error := answer.get("error"):
        if error["err_code"] in missing:
            return None
        raise ProvisionError(f"{question}: {error['description']}")
    config: Config = answer["config"]
    return config


def _told(what: str, wanted: Config, found: Config | None) -> list[str]:
    return [f"{what} is missing"] if found is None else differing(what, wanted, found)


async def _stream(nc: Client, name: str, wanted: Config) -> list[str]:
    found = await stream_config(nc, name)
    if found is None:
        return [await _made(nc, name, wanted)]
    faults = differing(f"stream {name}", wanted, found)
    if faults:
        kept = {key: found[key] for key in TUNED if key in found}
        _ok("; ".join(faults), await ask(nc, f"STREAM.UPDATE.{name}", {**found, **wanted, **kept}))
    return [f"changed {fault}" for fault in faults]


async def _made(nc: Client, name: str, wanted: Config) -> str:
    """Make a stream; on a small disk with half, a quarter ... of the room that it should have."""
    answer, room = await ask(nc, f"STREAM.CREATE.{name}", wanted), wanted.get("max_bytes", 0)
    while answer.get("error", {}).get("err_code") == NO_ROOM and room > ROOM_BYTES_MIN:
        room //= 2
        answer = await ask(nc, f"STREAM.CREATE.{name}", {**wanted, "max_bytes": room})
    _ok(f"stream {name}", answer)
    smaller = room != wanted.get("max_bytes", 0)
    return f"made stream {name}" + (f" for {room >> 20} MiB only: the server has no more room" if smaller else "")


async def _durable(nc: Client, stream: str, name: str, wanted: Config) -> list[str]:
    what = f"durable {name} on {stream}"
    found = await consumer_config(nc, stream, name)
    faults = [] if found is None else differing(what, wanted, found)
    if found is None or faults:
        body = {"stream_name": stream, "config": wanted, "action": "create" if found is None else "update"}
        _ok("; ".join(faults) or what, await ask(nc, f"CONSUMER.DURABLE.CREATE.{stream}.{name}", body))
    return [f"made {what}"] if found is None else [f"changed {fault}" for fault in faults]


def _ok(what: str, answer: dict[str, Any]) -> None:
    if error := answer.get("error"):
        raise ProvisionError(f"{what}: the server refuses: {error['description']}")
