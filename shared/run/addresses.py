"""HTTP addresses, each declared once: what it takes and gives. Requests are checked by it, the document made of it.

An address's handler is a function of the request and of what was asked, a msgspec struct. A field of the struct that
the path names is taken from there; every other is a query parameter. What the handler returns is its JSON.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
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

JSON = "application/json"
_WHOLE = r"-?(0|[1-9][0-9]{0,15})"


class Nothing(Struct, frozen=True):
    """An address without parameters."""


@dataclass(frozen=True)
class Gives:
    """One form of an answer."""

    media: str = JSON
    schema: Any = None
    """The type of its JSON; None: it is no JSON."""
    status: int = 200
    says: str = ""
    """What it says, where the address does not say so itself."""


HTML = Gives("text/html; charset=utf-8")


@dataclass(frozen=True)
class Parameter:
    """One thing that may be asked for."""

    name: str
    schema: dict[str, Any]
    """JSON Schema of its value."""
    place: Literal["path", "query"]
    required: bool

    def check(self, given: str) -> None:
        """Refuse a text that is none of its values: 404 in a path, else 400."""
        pattern = _WHOLE if self.schema.get("type") == "integer" else self.schema.get("pattern", "")
        if pattern and not re.fullmatch(pattern, given, re.ASCII):
            raise self.refused()

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
                one.encode_name, _schema(one.type), "path" if one.name in within else "query", one.required
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
            if name in found:
                one.check(found[name])
            elif one.required:
                raise Refused(400, "missing_parameter", name=name)
        try:
            return msgspec.convert(found, self.asked, strict=False)
        except msgspec.ValidationError as error:
            # `Expected ... - at `$.as_of``: nothing of it but the name may be told, it quotes the value.
            at = re.search(r"`\$\.(\w+)`$", str(error))
            assert at is not None
            raise self.parameters[at[1]].refused() from None

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        if self.only:
            self.only(request)
        found = await self.handler(request, self.read(request))
        return found if isinstance(found, Response) else encoded(found)

    @property
    def route(self) -> Route:
        """Return it for Starlette."""
        return Route(self.path, self.answer, methods=[self.method])


def encoded(content: Any, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(msgspec.json.encode(content), status, media_type=JSON)


def application(addresses: Sequence[Address], *more: BaseRoute) -> Starlette:
    """Return the web application of some addresses."""
    routes = [*(one.route for one in addresses), *more]
    found = Starlette(routes=routes, exception_handlers={HTTPException: refusals.answered})
    found.router.redirect_slashes = False  # it would answer with the address that was asked for, Host included
    return found


def _schema(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a parameter's type, without that it may be absent."""
    named = [one for one in get_args(kind) if one is not NoneType]
    if NoneType in get_args(kind) and len(named) == 1:
        kind = named[0]
    return msgspec.json.schema(kind)
