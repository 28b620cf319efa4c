"""Questions to the JetStream API, in the server's own JSON."""

import json
from typing import Any

from nats.aio.client import Client

from shared.flow.streams import Config

API = "$JS.API"
NO_STREAM, NO_CONSUMER = 10059, 10014
TIMEOUT_S = 5.0


class ProvisionError(RuntimeError):
    """Something on the server differs and cannot be changed safely; the message names each difference."""


async def ask(nc: Client, question: str, body: Any = None) -> dict[str, Any]:
    """Ask the JetStream API; the answer may hold an `error`."""
    answer = await nc.request(f"{API}.{question}", json.dumps(body).encode() if body else b"", timeout=TIMEOUT_S)
    result: dict[str, Any] = json.loads(answer.data)
    return result


async def config(nc: Client, question: str) -> Config | None:
    """Return the configuration of what `question` names; None: there is no such stream or consumer."""
    answer = await ask(nc, question)
    if error := answer.get("error"):
        if error["err_code"] in (NO_STREAM, NO_CONSUMER):
            return None
        raise ProvisionError(f"{question}: {error['description']}")
    found: Config = answer["config"]
    return found


def ok(what: str, answer: dict[str, Any]) -> None:
    """Raise ProvisionError when the server refused."""
    if error := answer.get("error"):
        raise ProvisionError(f"{what}: the server refuses: {error['description']}")
