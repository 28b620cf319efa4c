"""HTTP addresses, each declared once: what it takes and gives. Requests are checked by it, the document made of it.

An address's handler is a function of the request and of what was asked, a msgspec struct. A field of the struct that
the path names is taken from there; every other is a query parameter. What the handler returns is its JSON.
"""

import inspect
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.run import refusals
from shared.run.refusals import Refused
from shared.run.sending import sent
from shared.run.telemetry import HTTP, HTTP_SECONDS

JSON = "application/json"
_WHOLE = r"-?(0|[1-9][0-9]{0,15})"


class Nothing(Struct, frozen=True):
    """An address without parameters."""


@dataclass(frozen=True)
class Gives:
    """One form of an answer."""

    media: str = JSON
    """Empty: it has no body."""
    schema: Any = None
    """The type of its JSON; None: it is no JSON."""
    status: int = 200
    says: str = ""
    """When it is given, where the address does not say so."""
    example: Any = None


HTML = Gives("text/html; charset=utf-8")


@dataclass(frozen=True)
class Parameter:
    """One thing that may be asked for."""

    name: str
    kind: Any
    """The type of its values; never that of none."""
    place: Literal["path", "query"]
    required: bool

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its value."""
        return msgspec.json.schema(self.kind)

    def read(self, given: str) -> Any:
        """Return a value from its text; refuses what is none: 404 in a path, else 400."""
        pattern = _WHOLE if self.schema.get("type") == "integer" else self.schema.get("pattern", "")
        if pattern and not re.fullmatch(pattern, given, re.ASCII):
            raise self.refused()
        try:
            return msgspec.convert(given, self.kind, strict=False)
        except msgspec.ValidationError:  # of its text nothing may be told: it quotes the value
            raise self.refused() from None

    def refused(self) -> Refused:
        """Return why a value is refused: what it must be."""
        schema, status = self.schema, 404 if self.place == "path" else 400
        if "enum" in schema:
            return Refused(status, "one_of", name=self.name, values=", ".join(map(str, schema["enum"])))
        if schema.get("format") == "date":
            return Refused(status, "day", name=self.name, first=schema["formatMinimum"], last=schema["formatMaximum"])
        if schema.get("type") == "integer":
            bounds = {"first": schema.get("minimum", 0), "last": schema.get("maximum", 10**15)}
            return Refused(status, "whole", name=self.name, **bounds)
        example = next(iter(schema.get("examples", ())), "")
        return Refused(status, "text", name=self.name, example=example)


Handler = Callable[[Request, Any], Awaitable[Any]]


@dataclass(frozen=True)
class Address:
    """One method of one address; its handler's docstring describes it."""

    path: str
    handler: Handler
    about: str
    """The subject that it belongs to in the document."""
    method: Literal["GET", "POST"] = "GET"
    gives: Sequence[Gives] = ()
    """Empty: what the handler returns, as JSON."""
    refuses: Sequence[int] = ()
    """The statuses of its refusals beside 400."""
    exact: bool = False
    """The operator's token changes the answer: it has exact figures."""
    watch: bool = False
    """What watches the system asks here, and gets its answer also while nothing can be recorded."""
    only: Callable[[Request], None] | None = None
    """Refuses who may not ask at all, before anything else is looked at."""

    @cached_property
    def asked(self) -> type[Struct]:
        """Return the type of what may be asked."""
        name = [*inspect.signature(self.handler).parameters][1]
        return get_type_hints(self.handler, include_extras=True)[name]  # type: ignore[no-any-return] # by the module's rule

    @cached_property
    def forms(self) -> Sequence[Gives]:
        """Return every form of its answers."""
        returns = get_type_hints(self.handler, include_extras=True)["return"]
        return self.gives or (Gives(schema=returns),)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Return what may be asked, by name."""
        within = set(re.findall(r"\{(\w+)", self.path))
        return {
            one.encode_name: Parameter(
                one.encode_name, _given(one.type), "path" if one.encode_name in within else "query", one.required
            )
            for one in msgspec.structs.fields(self.asked)
        }

    def read(self, request: Request) -> Struct:
        """Return what a request asks; refuses what is unknown, given twice, missing or no value.

        An empty value is as good as none: forms send it.
        """
        given = request.query_params.multi_items()
        query = [name for name, one in self.parameters.items() if one.place == "query"]
        if not {name for name, _ in given} <= {*query}:
            raise Refused(400, "unknown_parameter", names=", ".join(query)) if query else Refused(400, "no_parameters")
        if len(given) != len({name for name, _ in given}):
            raise Refused(400, "given_twice")
        found = {name: text for name, text in given if text} | request.path_params
        for name, one in self.parameters.items():
            if one.required and name not in found:
                raise Refused(400, "missing_parameter", name=name)
        fields = {one.encode_name: one.name for one in msgspec.structs.fields(self.asked)}
        return self.asked(**{fields[name]: self.parameters[name].read(text) for name, text in found.items()})

    async def answer(self, request: Request) -> Response:
        """Answer a request, and count it."""
        begun, status = time.perf_counter(), 500
        try:
            answer = await self._answer(request)
            status = answer.status_code
        except HTTPException as error:
            status = error.status_code
            raise
        finally:
            HTTP.labels(self.path, _class(status)).inc()
            HTTP_SECONDS.labels(self.path).observe(time.perf_counter() - begun)
        return answer

    async def _answer(self, request: Request) -> Response:
        if self.only:
            self.only(request)
        found = await self.handler(request, self.read(request))
        answer = found if isinstance(found, Response) else encoded(found)
        if self.method != "GET":
            return answer
        if self.exact:
            answer.headers.add_vary_header("Authorization")
        return await sent(request, answer)

    @property
    def route(self) -> Route:
        """Return it for Starlette."""
        return Route(self.path, self.answer, methods=[self.method])


def _class(status: int) -> str:
    return f"{status // 100}xx"


def encoded(content: Any, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(msgspec.json.encode(content), status, media_type=JSON)


def accepted(request: Request, offers: Mapping[str, str]) -> str:
    """Return the name of the form that the client likes best of `offers`, media type -> name; else the first."""
    best = refusals.liked(request.headers.get("accept", ""))
    return next((offers[media] for media in best if media in offers), next(iter(offers.values())))


def application(addresses: Sequence[Address], *more: BaseRoute) -> Starlette:
    """Return the web application of some addresses."""
    routes = [*(one.route for one in addresses), *more]
    for one in addresses:
        HTTP.labels(one.path, _class(500))  # from the start, so that the first failure is a rise
    found = Starlette(routes=routes, exception_handlers={HTTPException: refusals.answered})
    found.router.redirect_slashes = False  # it would answer with the address that was asked for, Host included
    return found


def _given(kind: Any) -> Any:
    """Return the type of what may be absent as it is when it is there: else the text `null` would be read as none."""
    named = [one for one in get_args(kind) if one is not NoneType]
    return named[0] if NoneType in get_args(kind) and len(named) == 1 else kind
