"""What there is to ask for: the index, and the structure of the figures in SDMX."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish import sdmx
from services.indicators.publish.index import Index, index
from services.indicators.publish.view import View
from shared.run.addresses import Address, Gives, Nothing


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of what there is."""

    async def contents(_request: Request, _asked: Nothing) -> Index:
        """Say what there is to ask for: rows with units, labels, values and targets; milestones; words of all codes."""
        return index(view.plan)

    async def structure(_request: Request, _asked: Nothing) -> Response:
        """Give the data structure of the figures in SDMX: concepts, code lists with their words, definition, flow."""
        return Response(msgspec.json.encode(sdmx.structure(view.plan)), media_type=sdmx.STRUCTURE_MEDIA)

    structured = [Gives(sdmx.STRUCTURE_MEDIA, schema=dict[str, Any])]
    return [
        Address("/api/index", contents, "Contents"),
        Address("/api/structure", structure, "Contents", gives=structured),
    ]
