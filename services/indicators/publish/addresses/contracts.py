"""The contracts of all event types, for people and for tools."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish import pages
from services.indicators.publish.asking import Page, language, page
from services.indicators.publish.view import View
from shared.contracts import SERVICES, registry
from shared.contracts.asyncapi import Part, asyncapi
from shared.contracts.schema import event_schema, report_schema
from shared.run.addresses import HTML, JSON, Address, Gives, Nothing
from shared.run.refusals import Refused


class OneType(Struct, frozen=True, kw_only=True):
    """One event type."""

    file: Annotated[
        str, Meta(description="An event type, and `.json`.", examples=["crm.intel.document.flagged.v1.json"])
    ]


class OneDocument(Struct, frozen=True, kw_only=True):
    """What is sent to one service, or what it tells."""

    document: Annotated[str, Meta(description="A service, `-sent` or `-told`, `.json`.", examples=["intel-sent.json"])]


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the contracts."""
    made: list[asyncio.Task[bytes]] = []
    parts: dict[tuple[str, Part], asyncio.Task[bytes]] = {}

    async def contracts(request: Request, _asked: Page) -> Response:
        """Show every event type."""
        return page(request, pages.contracts(language(request), view.plan))

    async def document(_request: Request, _asked: Nothing) -> Response:
        """Serve the AsyncAPI document of all contracts."""
        if not made:  # it takes a second to make: once, in a thread of its own
            made.append(asyncio.create_task(asyncio.to_thread(lambda: msgspec.json.encode(asyncapi()))))
        return Response(await asyncio.shield(made[0]), media_type=JSON)

    async def part(_request: Request, asked: OneDocument) -> Response:
        """Serve the AsyncAPI document of what is sent to one service, or of what it tells."""
        service, _, rest = asked.document.partition("-")
        kind: Part = "sent" if rest == "sent.json" else "told"
        if service not in SERVICES or rest not in {"sent.json", "told.json"}:
            raise Refused(404, "no_event_type")
        if (service, kind) not in parts:
            make = lambda: msgspec.json.encode(asyncapi(service, kind))  # noqa: E731 - for a thread
            parts[service, kind] = asyncio.create_task(asyncio.to_thread(make))
        return Response(await asyncio.shield(parts[service, kind]), media_type=JSON)

    async def schema(_request: Request, asked: OneType) -> dict[str, Any]:
        """Serve the JSON Schema of one event type."""
        name, _, suffix = asked.file.rpartition(".")
        agreed = registry().get(name) or registry().get(f"crm.{name}.v1")
        if suffix != "json" or agreed is None:
            raise Refused(404, "no_event_type")
        return report_schema(agreed) if agreed.reported else event_schema(agreed)

    return [
        Address("/contracts", contracts, "Contracts", gives=[HTML]),
        Address("/contracts/asyncapi.json", document, "Contracts", gives=[Gives(schema=dict[str, Any])]),
        Address(
            "/contracts/asyncapi/{document}", part, "Contracts", gives=[Gives(schema=dict[str, Any])], refuses=[404]
        ),
        Address("/contracts/schemas/{file}", schema, "Contracts", refuses=[404]),
    ]
