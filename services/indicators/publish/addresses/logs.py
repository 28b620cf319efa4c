"""The trees of the services' logs, for standard tools (C2SP tlog-tiles): signed checkpoints, and tiles of hashes.

How long a log is moves with each event. So these addresses are for the countries and the operator, each with its token.
Entries are not served: what the rows say is for whom it concerns (`crm witness receipt`).
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish.access import PUBLIC, bearer, who
from services.indicators.publish.recalling import busy
from services.indicators.publish.signed import Signed
from services.indicators.publish.view import View
from shared.contracts import SERVICES, questions
from shared.contracts.logs import CheckpointAnswer
from shared.flow.streams import BOARD
from shared.record import note, tree
from shared.run.addresses import Address, Gives
from shared.run.refusals import Refused

ASK_S = 3.0
ABOUT = "Logs"
_PLACE = re.compile(r"(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII)

Ask = Callable[[str, str, Mapping[str, Any]], Awaitable[Any]]
"""(service, question, data) -> the answer."""


class OneLog(Struct, frozen=True, kw_only=True):
    """A service's log."""

    service: Annotated[str, Meta(description="The service whose log it is.", examples=["intel"])]


class OneTile(OneLog, frozen=True, kw_only=True):
    """A tile of the tree over a service's log."""

    level: Annotated[int, Meta(ge=0, le=7, description="0: hashes of rows; each level above: of 256 times as many.")]
    place: Annotated[
        str,
        Meta(
            description="The tile's number in groups of three digits, all but the last with `x` before them; with"
            " `.p/` and a width, as much of it as a smaller tree has.",
            examples=["x001/x234/067", "000.p/17"],
        ),
    ]


def asking(client: Client) -> Ask:
    """Return how the board asks the services."""

    async def ask(service: str, question: str, data: Mapping[str, Any]) -> Any:
        agreed = questions.of(service, question)
        assert isinstance(agreed, questions.Question)
        try:
            subject = f"crm.ask.{BOARD}.{service}.{question}"
            message = await client.request(subject, msgspec.json.encode(data), timeout=ASK_S)
            reply = msgspec.json.decode(message.data, type=questions.Reply)
        except (NatsError, OSError, TimeoutError):
            raise busy("streams_away") from None
        if reply.error:
            raise busy("streams_away")
        return msgspec.json.decode(reply.answer, type=agreed.answer)

    return ask


def signed(client: Client) -> Signed:
    """Return what gives the newest checkpoint of a service's log."""
    ask = asking(client)

    async def newest(service: str) -> str:
        try:
            answer: CheckpointAnswer = await ask(service, "checkpoint", {})
        except Refused:
            return ""
        return answer.checkpoint

    return newest


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses."""

    def members(request: Request) -> None:
        if who(bearer(request.headers.get("authorization", "")), view.token) == PUBLIC:
            raise Refused(403, "members_only")

    async def ask(service: str, question: str, data: Mapping[str, Any]) -> Any:
        if service not in SERVICES:
            raise Refused(404, "no_log", names=", ".join(SERVICES))
        if view.ask is None:
            raise busy("streams_away")
        return await view.ask(service, question, data)

    async def checkpoint(_request: Request, asked: OneLog) -> Response:
        """Give the newest checkpoint of a service's log, with its cosignatures (C2SP tlog-checkpoint)."""
        answer = await ask(asked.service, "checkpoint", {})
        if not answer.checkpoint:
            raise Refused(404, "nothing_signed")
        return Response(answer.checkpoint, media_type="text/plain; charset=utf-8")

    async def tile(_request: Request, asked: OneTile) -> Response:
        """Give a tile of the tree over a service's log (C2SP tlog-tiles)."""
        number, width = read(asked.place)
        answer = await ask(asked.service, "tile", {"level": asked.level, "number": number})
        hashes = note.decoded(answer.hashes)[: width * tree.BYTES]
        if len(hashes) != width * tree.BYTES:
            raise Refused(404, "no_tile")
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        return Response(hashes, media_type="application/octet-stream", headers=headers)

    text, binary = [Gives("text/plain; charset=utf-8")], [Gives("application/octet-stream")]
    return [
        Address("/log/{service}/checkpoint", checkpoint, ABOUT, gives=text, refuses=[403, 404, 503], only=members),
        Address(
            "/log/{service}/tile/{level}/{place:path}", tile, ABOUT, gives=binary, refuses=[403, 404, 503], only=members
        ),
    ]


def read(place: str) -> tuple[int, int]:
    """Return a tile's number and how many hashes of it are asked for; refuses (404) what is no place of one."""
    found = _PLACE.fullmatch(place)
    number = int(found["number"].replace("x", "").replace("/", "")) if found else -1
    width = int(found["width"] or tree.WIDTH) if found else 0
    if not found or path(number) != found["number"] or width > tree.WIDTH or number > questions.POSITION_MAX:
        raise Refused(404, "no_tile")
    return number, width


def path(number: int) -> str:
    """Return a tile's number as it stands in its address."""
    groups: list[str] = []
    while True:
        number, last = divmod(number, 1000)
        groups.append(f"{'x' if groups else ''}{last:03}")
        if not number:
            return "/".join(reversed(groups))
