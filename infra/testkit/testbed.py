"""The kit over HTTP, for tests in any language: `crm testbed`.

Every answer is JSON; what is wrong is told in `detail`, with 400 (the request), 404 (no such thing), 409 (the system
did not get where it was awaited). Systems end when they are deleted, and all of them with the testbed.
"""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from nats.errors import Error as NatsError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from infra.testkit.clock import START
from infra.testkit.country import Country, Outcome
from infra.testkit.robots import Answer
from infra.testkit.servers import Servers
from infra.testkit.system import CrmSystem, fresh
from shared.contracts import SERVICES, registry, reported_type

PAGE = Path(__file__).with_name("testbed.html")
BODY_BYTES_MAX = 256 * 1024


class New(Struct, forbid_unknown_fields=True):
    """A system that is wanted."""

    start: datetime = START
    settings: dict[str, str] = {}
    """Further `CRM_` settings of its services."""


class Advance(Struct, forbid_unknown_fields=True):
    """How far the clock is to be set forward: "3d", "8h"."""

    advance: str


class Tell(Struct, forbid_unknown_fields=True):
    """A report that a country sends: the contract's example with other fields (null: without one)."""

    country: str
    name: str
    fields: dict[str, Any] = {}
    id: str | None = None


class Reaction(Struct, forbid_unknown_fields=True):
    """What a robot reports when it reads something."""

    report: str
    after: str = "0s"
    fields: dict[str, Any] = {}


class Robot(Struct, forbid_unknown_fields=True):
    """A country that answers by itself: what it reads -> what it reports."""

    country: str
    script: dict[str, str | Reaction]


class Fault(Struct, forbid_unknown_fields=True):
    """What breaks: a country's link, or processes that are killed and started again (none: all)."""

    country: str = ""
    link: Literal["cut", "hang", "deafen", "slow", "mend", ""] = ""
    restart: list[str] | None = None


class Missing(LookupError):  # noqa: N818 - says what it is
    """There is no such thing."""


@dataclass
class Testbed:
    """All systems that were asked for."""

    __test__ = False  # no test of pytest's
    servers: Servers
    systems: dict[str, tuple[CrmSystem, AsyncExitStack, asyncio.Lock]] = field(default_factory=dict)
    _number: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def app(self) -> Starlette:
        """Return the application that answers."""
        routes = [
            ("POST", "/systems", self.begin),
            ("GET", "/systems", self.all),
            ("GET", "/systems/{system}", self.show),
            ("DELETE", "/systems/{system}", self.end),
            ("POST", "/systems/{system}/countries/{country}", self.country),
            ("POST", "/systems/{system}/clock", self.clock),
            ("POST", "/systems/{system}/settled", self.settled),
            ("POST", "/systems/{system}/reports", self.tell),
            ("GET", "/systems/{system}/outcomes/{country}/{service}/{report}", self.outcome),
            ("GET", "/systems/{system}/mailbox/{country}", self.mailbox),
            ("GET", "/systems/{system}/log/{service}", self.log),
            ("GET", "/systems/{system}/figures/{row}", self.figures),
            ("POST", "/systems/{system}/robots", self.robot),
            ("POST", "/systems/{system}/faults", self.fault),
        ]
        page = Route("/", lambda _: HTMLResponse(PAGE.read_text(encoding="utf-8")))
        return Starlette(routes=[page, *(Route(path, _told(do), methods=[method]) for method, path, do in routes)])

    async def close(self) -> None:
        """End all systems."""
        for _, stack, _ in self.systems.values():
            await stack.aclose()
        self.systems.clear()

    async def begin(self, request: Request) -> Any:
        """Start a system of its own."""
        new = await _body(request, New)
        if not all(name.startswith("CRM_") for name in new.settings) or new.start.tzinfo is None:
            raise ValueError("settings are CRM_ variables; start is a time with an offset")
        stack = AsyncExitStack()
        system = await stack.enter_async_context(fresh(self.servers, new.settings, start=new.start))
        name = str(next(self._number))
        self.systems[name] = system, stack, asyncio.Lock()
        return _shown(name, system)

    async def all(self, _: Request) -> Any:
        """List the systems that run."""
        return [_shown(name, system) for name, (system, _, _) in self.systems.items()]

    async def show(self, request: Request) -> Any:
        """Say where a system is found, and what its clock shows."""
        name = request.path_params["system"]
        return _shown(name, self._system(name)[0])

    async def end(self, request: Request) -> Any:
        """End a system; nothing of it is left."""
        name = request.path_params["system"]
        _, stack, lock = self._system(name)
        async with lock:
            del self.systems[name]
            await stack.aclose()
        return {}

    async def country(self, request: Request) -> Any:
        """Give a country's address and key; both are this system's own."""
        system, country = await self._at(request)
        seed = country.key.read_text().strip()
        return {"country": country.name, "address": country.address, "seed": seed, "now": system.clock.now()}

    async def clock(self, request: Request) -> Any:
        """Set the clock forward; what is due happens, each thing at its time."""
        asked = await _body(request, Advance)
        system, _, lock = self._system(request.path_params["system"])
        async with lock:
            await system.clock.advance(asked.advance)
        return {"now": system.clock.now()}

    async def settled(self, request: Request) -> Any:
        """Answer when all consequences are there."""
        system, _, lock = self._system(request.path_params["system"])
        async with lock:
            await system.settled()
        return {"now": system.clock.now()}

    async def tell(self, request: Request) -> Any:
        """Have a country report something, and say what became of it."""
        asked = await _body(request, Tell)
        if reported_type(asked.name) not in registry():
            raise ValueError("no contract has this type (see /contracts of the board)")
        country = await self._country(request.path_params["system"], asked.country)
        fields = {name: ... if value is None else value for name, value in asked.fields.items()}
        envelope = {"id": asked.id} if asked.id else {}
        return _outcome(await country.tell(asked.name, envelope=envelope, **fields))

    async def outcome(self, request: Request) -> Any:
        """Wait until a country's report is recorded or refused, whoever sent it."""
        _, country = await self._at(request)
        service = request.path_params["service"]
        if service not in SERVICES:
            raise Missing(f"one of {', '.join(SERVICES)}")
        return _outcome(await country.outcome(service, request.path_params["report"]))

    async def mailbox(self, request: Request) -> Any:
        """Read and acknowledge a country's mailbox; give all that was read so far."""
        _, country = await self._at(request)
        return await country.mailbox(request.query_params.get("name"))

    async def log(self, request: Request) -> Any:
        """Give what a service has recorded."""
        service = request.path_params["service"]
        if service not in SERVICES:
            raise Missing(f"one of {', '.join(SERVICES)}")
        system, _, _ = self._system(request.path_params["system"])
        return await system.log(service, request.query_params.get("name"))

    async def figures(self, request: Request) -> Any:
        """Give a row of the Plan, exact, with all consequences there."""
        system, _, lock = self._system(request.path_params["system"])
        async with lock:
            return await system.figures(request.path_params["row"], country=request.query_params.get("country", ""))

    async def robot(self, request: Request) -> Any:
        """Have a country answer by a script."""
        asked = await _body(request, Robot)
        system, _, _ = self._system(request.path_params["system"])
        script = {
            name: Answer(one) if isinstance(one, str) else Answer(one.report, one.after, one.fields)
            for name, one in asked.script.items()
        }
        await system.other_country(asked.country, script)
        return {}

    async def fault(self, request: Request) -> Any:
        """Break something, or mend a link."""
        asked = await _body(request, Fault)
        system, _, lock = self._system(request.path_params["system"])
        if asked.link:
            getattr((await system.country(asked.country)).link, asked.link)()
        if asked.restart is not None:
            if unknown := {*asked.restart} - {*SERVICES, "nats"}:
                raise ValueError(f"{len(unknown)} of these are neither nats nor one of {', '.join(SERVICES)}")
            async with lock:
                await system.restart(*asked.restart)
        return {}

    def _system(self, name: str) -> tuple[CrmSystem, AsyncExitStack, asyncio.Lock]:
        if name not in self.systems:
            raise Missing("there is no such system")
        return self.systems[name]

    async def _country(self, system: str, name: str) -> Country:
        found, _, lock = self._system(system)
        async with lock:
            return await found.country(name)

    async def _at(self, request: Request) -> tuple[CrmSystem, Country]:
        name = request.path_params["system"]
        return self._system(name)[0], await self._country(name, request.path_params["country"])


def _shown(name: str, system: CrmSystem) -> dict[str, Any]:
    return {"id": name, "now": system.clock.now(), **system.addresses()}


def _outcome(found: Outcome) -> dict[str, Any]:
    state = "recorded" if found.event else "refused" if found.problems else "waiting"
    return {"id": found.id, "outcome": state, "event": found.event, "problems": found.problems}


async def _body(request: Request, kind: type[Any]) -> Any:
    """Return what was sent; ValueError where it is not that. What it holds is never told."""
    payload = await request.body()
    if len(payload) > BODY_BYTES_MAX:
        raise ValueError(f"at most {BODY_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(payload or b"{}", type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError):
        fields = ", ".join(one.name for one in msgspec.structs.fields(kind))
        raise ValueError(f"the body is one JSON object with the fields {fields}") from None


def _told(do: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return Response(msgspec.json.encode(await do(request)), media_type="application/json")
        except LookupError as error:
            return _refused(404, str(error.args[0]))
        except ValueError as error:
            return _refused(400, str(error))
        except (AssertionError, TimeoutError, NatsError, OSError) as error:
            return _refused(409, str(error) or type(error).__name__)

    return answer


def _refused(status: int, detail: str) -> Response:
    return Response(json.dumps({"detail": detail}), status, media_type="application/json")
