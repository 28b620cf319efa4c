"""The project's documents."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish import manuals
from services.indicators.publish.asking import Page, language, page
from services.indicators.publish.view import View
from shared.run.addresses import HTML, JSON, Address, Gives
from shared.run.refusals import Refused


class DocumentPage(Page, frozen=True, kw_only=True):
    """One document."""

    name: Annotated[
        str, Meta(description="Its name; with `.json`, one that is for programs.", examples=["integrating"])
    ]


class Picture(Page, frozen=True, kw_only=True):
    """One picture in a document."""

    folder: Annotated[str, Meta(description="What it belongs to.", examples=["drawings"])]
    file: Annotated[str, Meta(description="Its name.", examples=["event.svg"])]


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the documents."""

    async def contents(request: Request, _asked: Page) -> Response:
        """List the project's documents: for who reads, connects, operates and changes the system."""
        return page(request, manuals.contents(language(request), view.plan))

    async def document(request: Request, asked: DocumentPage) -> Response:
        """Show a document in the reader's language where there is one, else in English."""
        if asked.name in manuals.files():
            return Response(manuals.content(asked.name), media_type=JSON)
        if asked.name not in manuals.known():
            raise Refused(404, "not_found")
        text = await asyncio.to_thread(manuals.document, language(request), view.plan, asked.name)
        return page(request, text)

    async def picture(_request: Request, asked: Picture) -> Response:
        """Show a picture of a document."""
        name = f"{asked.folder}/{asked.file}"
        if name not in manuals.pictures():
            raise Refused(404, "not_found")
        return Response(manuals.content(name), media_type=manuals.PICTURES[name.rpartition(".")[2]])

    drawn = [Gives(media) for media in manuals.PICTURES.values()]
    forms = [HTML, Gives(schema=dict[str, Any])]
    return [
        Address("/docs", contents, "Pages", gives=[HTML]),
        Address("/docs/{name}", document, "Pages", gives=forms, refuses=[404]),
        Address("/docs/{folder}/{file}", picture, "Pages", gives=drawn, refuses=[404]),
    ]
