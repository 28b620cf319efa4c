"""The OpenAPI 3.1 document of some HTTP addresses, from what they declare."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from shared.contracts.prose import fields_said, plain
from shared.run import refusals
from shared.run.addresses import JSON, Address, Gives, Nothing, Parameter
from shared.run.refusals import Problem

PATH = "/api/openapi.json"
TOKEN = "operator"  # noqa: S105 - a name of the document, no secret
_REFS = "#/components/schemas/{name}"
_REFUSALS = {
    400: "A parameter is unknown, given twice, missing, no value of its kind, or contradicts another.",
    403: "Only operators may ask this.",
    404: "There is nothing of that name.",
    414: "The address is longer than 4 KiB.",
    431: "The headers are longer than 16 KiB.",
    503: "Not now: too many of its kind, or events are read for others; ask again later.",
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "The language of pages and refusals, unless `lang` names one.",
    "schema": {"type": "string", "examples": ["fr, en;q=0.8"]},
}


def described(addresses: Sequence[Address], title: str, about: str) -> Sequence[Address]:
    """Return the addresses and that of their document."""
    made: list[asyncio.Task[bytes]] = []

    async def openapi(_request: Request, _asked: Nothing) -> Response:
        """Serve this document: every address with what it takes and gives."""
        if not made:  # it takes some time to make: once, in a thread of its own
            making = asyncio.to_thread(lambda: msgspec.json.encode(document(found, title, about)))
            made.append(asyncio.create_task(making))
        return Response(await asyncio.shield(made[0]), media_type=JSON)

    found = [*addresses, Address(PATH, openapi, "Document", gives=[Gives(schema=dict[str, Any])])]
    return found


def document(addresses: Sequence[Address], title: str, about: str) -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, Any] = {}
    kinds = [Problem, *(form.schema for address in addresses for form in address.forms if form.schema is not None)]
    schemas, parts = msgspec.json.schema_components(kinds, ref_template=_REFS)
    # Types need not be hashable, or equal only to themselves: each is found by its place.
    shapes = iter(schemas[1:])
    for address in addresses:
        named = [(form, next(shapes) if form.schema is not None else {"type": "string"}) for form in address.forms]
        paths.setdefault(address.path.replace(":path}", "}"), {})[address.method.lower()] = _operation(address, named)
    for kind in _structs(kinds):
        for name, said in fields_said(kind).items():
            part = parts[kind.__name__]["properties"].get(kind.__struct_encode_fields__[_place(kind, name)])
            if part is not None and said.text:
                part.setdefault("description", said.text)
    found = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": about},
        "paths": paths,
        "components": {
            "schemas": parts,
            "responses": {str(status): _refusal(status) for status in _REFUSALS},
            "parameters": {"Accept-Language": _LANGUAGE},
            "securitySchemes": {
                TOKEN: {"type": "http", "scheme": "bearer", "description": "The operator's token: exact figures."}
            },
        },
    }
    plainly: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))  # defaults are structs and tuples
    return plainly


def _place(kind: type[Struct], name: str) -> int:
    return kind.__struct_fields__.index(name)


def _structs(kinds: Iterable[Any]) -> Iterator[type[Struct]]:
    """Yield every struct in some types, each once."""
    seen: set[type[Struct]] = set()

    def walk(info: msgspec.inspect.Type) -> Iterator[type[Struct]]:
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in seen:
                return
            seen.add(info.cls)
            yield info.cls
            for field in info.fields:
                yield from walk(field.type)
        for name in ("item_type", "value_type", "type"):
            if isinstance(inner := getattr(info, name, None), msgspec.inspect.Type):
                yield from walk(inner)
        for inner in (*getattr(info, "item_types", ()), *getattr(info, "types", ())):
            yield from walk(inner)

    for one in msgspec.inspect.multi_type_info(kinds):
        yield from walk(one)


def _operation(address: Address, named: Sequence[tuple[Gives, dict[str, Any]]]) -> dict[str, Any]:
    summary, _, more = plain(address.handler.__doc__ or "").partition(". ")
    module = address.handler.__module__.rpartition(".")[2]
    security: list[dict[str, list[str]]] = [{}, {TOKEN: []}] if address.exact else [{TOKEN: []}] if address.only else []
    return {
        "operationId": f"{module}_{address.handler.__name__}",
        "tags": [address.about],
        "summary": summary.removesuffix(".") + ".",
        **({"description": more} if more else {}),
        "parameters": [
            *(_parameter(one, address.asked) for one in address.parameters.values()),
            {"$ref": "#/components/parameters/Accept-Language"},
        ],
        "security": security,
        "responses": _responses(address, named),
    }


def _parameter(one: Parameter, asked: type[Struct]) -> dict[str, Any]:
    schema = dict(one.schema)
    about = schema.pop("description", "") or fields_said(asked)[one.name].text
    empty = {} if one.required or one.place == "path" else {"allowEmptyValue": True}
    return {
        "name": one.name,
        "in": one.place,
        "required": one.required,
        **({"description": about} if about else {}),
        **empty,
        "schema": schema,
    }


def _responses(address: Address, named: Sequence[tuple[Gives, dict[str, Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for form, schema in named:
        default = f"{HTTPStatus(form.status).phrase}."
        one = found.setdefault(str(form.status), {"description": form.says or default, "content": {}})
        if form.media:
            example = {} if form.example is None else {"example": form.example}
            one["content"][re.sub(r";.*", "", form.media)] = {"schema": schema, **example}
        else:
            one.pop("content")
    if address.method == "GET":
        found.setdefault("304", {"description": "The client has it as it is, by `If-None-Match`."})
    for status in sorted({400, 414, 431, *address.refuses, *([403] if address.only else [])}):
        found[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return found


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": _REFS.format(name=Problem.__name__)}
    return {"description": _REFUSALS[status], "content": {refusals.MEDIA: {"schema": schema}}}
