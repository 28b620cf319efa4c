"""Who looks at what is not published leaves an event in the log of indicators, before it is answered.

The same look again within the hour leaves none: a scrape every 15 seconds would be most of the log. What watches the
system (`Address.watch`) is answered whether it can be recorded or not, since alerts are needed most when nothing can.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from starlette.requests import Request

from services.indicators.publish.announce import event_of
from services.indicators.publish.recalling import busy
from services.indicators.publish.view import View
from shared.contracts.indicators import ExactRead
from shared.record.log import Draft, Log
from shared.run.addresses import Address
from shared.run.database import LOST

log = structlog.get_logger()

AGAIN_S = 3600.0
"""Of real time: plan time may pass in days a second, and each scrape would be on record."""
ABOUT = ("id", "code", "country", "quarter", "service", "sequence", "name", "rows")
"""What may be asked for that names a figure, a country, a report or an event."""


class Audit:
    """The looks that are on record, of this process."""

    def __init__(self, own: Log) -> None:
        """Remember where they are recorded."""
        self._own = own
        self._known: dict[tuple[str, str], float] = {}
        self._beside: asyncio.Task[None] | None = None

    async def __call__(self, address: str, about: str) -> None:
        """Record a look of the operator's, unless it is known; raises as recording does."""
        looked = time.monotonic()
        self._known = {key: at for key, at in self._known.items() if looked - at < AGAIN_S}
        if (address, about) in self._known:
            return
        now = self._own.clock.now()
        data = ExactRead(by="operator", address=address, about=about)
        told = event_of(data, now, now, "exact-read", address, about, now.isoformat())
        (outcome,) = await self._own.record([Draft(told)])
        if outcome is not None:
            raise outcome
        self._known[address, about] = looked

    def beside(self, address: str, about: str) -> None:
        """Record a look while it is answered; one that could not be recorded is tried again with the next look."""
        if self._beside is None or self._beside.done():
            self._beside = asyncio.create_task(self._tried(address, about))

    async def _tried(self, address: str, about: str) -> None:
        try:
            await self(address, about)
        except Exception as error:  # noqa: BLE001 - whatever it is, the look was answered
            log.warning("a look is not on record yet", address=address, error=type(error).__name__)


def audited(view: View, addresses: Sequence[Address]) -> list[Address]:
    """Return the addresses; those that tell the operator more than the public record that it asks."""
    return [_noted(view, one) if one.watch else _audited(view, one) if one.exact else one for one in addresses]


def _noted(view: View, address: Address) -> Address:
    handler = address.handler

    @wraps(handler)
    async def noted(request: Request, asked: Struct) -> Any:
        view.noted(address.path, _about(asked))
        return await handler(request, asked)

    return replace(address, handler=noted)


def _audited(view: View, address: Address) -> Address:
    handler = address.handler

    @wraps(handler)
    async def recorded(request: Request, asked: Struct) -> Any:
        if view.exact(request):
            try:
                await view.audit(address.path, _about(asked))
            except LOST:
                raise busy("streams_away") from None
        return await handler(request, asked)

    return replace(address, handler=recorded)


def _about(asked: Struct) -> str:
    """Return what was asked for, from closed or bounded values only; a text of the asker's own is not among them."""
    given = {field.name: getattr(asked, field.name) for field in msgspec.structs.fields(asked) if field.name in ABOUT}
    return " ".join(f"{name}={value}" for name, value in given.items() if value is not None)[:128]
