"""What may change in a published type: a field with a default may be added. Anything else is a new version.

Released types stand in a folder, one file each: the schema of the data as last released, and every example
ever published; what all types share (envelopes, amendments) is in one file more. Senders and readers are
upgraded at different times, so both directions count.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from shared.contracts import GENERIC as VERBS
from shared.contracts import Contract, Envelope, Event, registry
from shared.contracts.prose import compact
from shared.contracts.schema import LOCAL, Schema, data_schema

GENERIC = "generic.json"
PROSE = ("title", "description", "examples")
NAMED = {
    "type": "its JSON type",
    "format": "its format",
    "pattern": "the form of its text",
    "minLength": "its least length",
    "maxLength": "its greatest length",
    "minimum": "its least value",
    "maximum": "its greatest value",
    "minItems": "its least number of items",
    "maxItems": "its greatest number of items",
    "default": "its default",
}


def broken(folder: Path) -> list[str]:
    """Return, in plain words, what in the registry would break those who rely on the released types."""
    now = registry()
    found = []
    for path in _files(folder):
        before = json.loads(path.read_text())
        if before["type"] not in now:
            found.append(f"{before['type']} was released and is gone: its events could no longer be read")
            continue
        found += compared(before, _released(now[before["type"]]))
    if (folder / GENERIC).exists():
        before, after = json.loads((folder / GENERIC).read_text()), _generic()
        for name in before:
            found += [f"{name}: {one}" for one in _objects(before[name], after[name], "", closed=False)]
    return found


def unreleased(folder: Path) -> list[str]:
    """Return the types whose schema or example is not in the released files yet."""
    return [agreed.type for agreed in _own() if _update(folder, agreed)]


def release(folder: Path) -> list[str]:
    """Write what is new to the released files and return the types written; raises ValueError if anything breaks."""
    if found := broken(folder):
        raise ValueError("\n".join(found))
    written = []
    for agreed in _own():
        if update := _update(folder, agreed):
            _path(folder, agreed.type).write_text(compact(update) + "\n")
            written.append(agreed.type)
    (folder / GENERIC).write_text(compact(_generic()) + "\n")
    return written


def digest() -> str:
    """Return the SHA-256 (hexadecimal) of all that can break whoever relies on the contracts: no prose, no examples."""
    whole = {"types": [_released(agreed) for agreed in sorted(_own(), key=lambda one: one.type)], "shared": _generic()}
    return hashlib.sha256(compact(whole).encode()).hexdigest()


def compared(before: Schema, after: Schema) -> list[str]:
    """Return what `after` breaks of `before`, both the content of a released file."""
    name = before["type"]
    found = [f"{name}: {one}" for one in _objects(before["data"], after["data"], "", closed=False)]
    if before["reported"] != after["reported"]:
        found.append(f"{name}: who produces it changed (reported by countries, or derived by the service)")
    found += [
        f"{name}: reports may no longer carry {field}, the service fills it in"
        for field in set(after["derived"]) - set(before["derived"])
        if field in before["data"]["properties"]
    ]
    return found


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.json")) if path.name != GENERIC]


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _released(agreed: Contract) -> dict[str, Any]:
    fields = {field.name: field.encode_name for field in msgspec.structs.fields(agreed.data)}
    return {
        "type": agreed.type,
        "reported": agreed.reported,
        "derived": [fields[attribute] for attribute in agreed.derived],
        "data": _bare(data_schema(agreed)),
    }


def _update(folder: Path, agreed: Contract) -> dict[str, Any] | None:
    """Return the new content of the type's file, None if it stands as it is."""
    path = _path(folder, agreed.type)
    before = json.loads(path.read_text()) if path.exists() else {"examples": []}
    good = dict(agreed.good)
    examples = before["examples"] if good in before["examples"] else [*before["examples"], good]
    after = _released(agreed) | {"examples": examples}
    return None if after == before else after


def _own() -> list[Contract]:
    return [agreed for agreed in registry().values() if agreed.data not in VERBS.values()]


def _generic() -> dict[str, Schema]:
    names = ("report", "event", *VERBS)
    roots, parts = msgspec.json.schema_components((Envelope[Any], Event[Any], *VERBS.values()), ref_template=LOCAL)
    keys = [root["$ref"].rpartition("/")[2] for root in roots]
    return {name: _bare(parts[key]) for name, key in zip(names, keys, strict=True)}


def _bare(schema: Any) -> Any:
    """Return the schema without its groups' references and its prose, neither of which can break anything."""
    return _stripped(schema, schema.get("$defs", {}))


def _stripped(node: Any, groups: Schema) -> Any:
    if isinstance(node, list | tuple):
        return [_stripped(one, groups) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _stripped(groups[node["$ref"].rpartition("/")[2]], groups)
    if isinstance(node.get("properties"), dict):
        inner = {name: _stripped(one, groups) for name, one in node["properties"].items()}
        node = node | {"properties": inner}
    kept = {key: value for key, value in node.items() if key not in (*PROSE, "$defs")}
    return {key: value if key == "properties" else _stripped(value, groups) for key, value in kept.items()}


def _objects(before: Schema, after: Schema, at: str, *, closed: bool) -> Iterator[str]:
    """Compare two structs; one inside an event (closed) may not even gain a field."""
    old, new = before["properties"], after["properties"]
    required, requires = set(before.get("required", ())), set(after.get("required", ()))
    for name in old:
        where = f"{at}/{name}"
        if name not in new:
            yield f"field {where} was removed: reports that carry it would be refused"
            continue
        if name in requires - required:
            yield f"field {where} was made required: reports without it would be refused"
        if name in required - requires:
            yield f"field {where} was made optional: readers that rely on it would fail"
        yield from _values(old[name], new[name], where)
    for name in new.keys() - old.keys():
        if name in requires:
            yield f"field {at}/{name} is new and required: give it a default"
        elif closed:
            yield f"field {at}/{name} is new in a group: readers not yet upgraded would refuse the event"


def _values(before: Schema, after: Schema, at: str) -> Iterator[str]:
    old, new = _plain(before), _plain(after)
    if old.pop("null") != new.pop("null"):
        yield f"field {at} changed in whether it may be null"
    if "enum" in old and "enum" in new:
        for value in sorted(set(old["enum"]) - set(new["enum"])):
            yield f"field {at} lost the value {value}: reports that carry it would be refused"
        for value in sorted(set(new["enum"]) - set(old["enum"])):
            yield f"field {at} gained the value {value}: readers not yet upgraded would refuse the event"
    elif "enum" in old or "enum" in new:
        yield f"field {at} changed between a closed list and an open value"
        return
    elif "properties" in old and "properties" in new:
        yield from _objects(old, new, at, closed=True)
    for keyword, name in NAMED.items():
        if old.get(keyword) != new.get(keyword):
            yield f"field {at} changed {name} from {_word(old.get(keyword))} to {_word(new.get(keyword))}"
    if "items" in old and "items" in new:
        yield from _values(old["items"], new["items"], f"{at}/*")


def _plain(schema: Schema) -> dict[str, Any]:
    """Return the schema of a value without its "or null"."""
    kinds = [one for one in schema.get("anyOf", [schema]) if one != {"type": "null"}]
    merged = {key: value for one in kinds for key, value in one.items()}
    return merged | {"null": len(kinds) < len(schema.get("anyOf", kinds)), "default": schema.get("default")}


def _word(value: Any) -> str:
    return "none" if value is None else json.dumps(value)
