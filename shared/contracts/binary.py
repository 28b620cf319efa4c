"""CloudEvents in binary mode (NATS protocol binding): attributes in `ce-` headers, data as the payload."""

from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from shared.contracts import Problem, Refused
from shared.contracts.refusal import parsed

PREFIX = "ce-"
SPECVERSION = "ce-specversion"
CONTENT_TYPE = "content-type"
STRUCTURED = "application/cloudevents"


def structured(headers: Mapping[str, str] | None, payload: bytes) -> bytes:
    """Return the structured form of a report, whichever it came in; raises Refused for what has none."""
    attributes = said_in(headers)
    if attributes is None:
        return payload
    try:
        msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        problem = parsed(payload)[1]
        if problem:
            raise Refused(msgspec.structs.replace(problem, pointer="/data")) from None
    return msgspec.json.encode(attributes)[:-1] + b',"data":' + payload + b"}"


def said_in(headers: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return the attributes that the headers hold; None: the report is no binary one. Raises Refused.

    Values are percent-encoded UTF-8, names in any case (CloudEvents HTTP binding 3.1.3, which that of NATS follows).
    """
    if not headers or SPECVERSION not in {name.lower() for name in headers}:
        return None
    known = [(name.lower(), value) for name, value in headers.items()]
    types = [value for name, value in known if name == CONTENT_TYPE]
    if any(one.lower().startswith(STRUCTURED) for one in types):
        return None
    told = [(name.removeprefix(PREFIX), value) for name, value in known if name.startswith(PREFIX)]
    told += [("datacontenttype", value) for value in types]
    attributes: dict[str, str] = {}
    for name, value in told:
        if name == "data" or name in attributes:
            raise Refused(Problem("", "duplicate_key", "a header is there twice, or holds the data; send each once"))
        attributes[name] = _decoded(name, value)
    return attributes


def _decoded(name: str, value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"' and name != "datacontenttype":
        value = value[1:-1].replace("\\", "")
    try:
        plain = unquote(value, errors="strict")
        (name + plain).encode()
    except UnicodeError:
        pointer = f"/{name}" if name.isascii() and name.isalnum() else ""
        raise Refused(Problem(pointer, "bad_format", "a header holds percent-encoded UTF-8")) from None
    return plain
