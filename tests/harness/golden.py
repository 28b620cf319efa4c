"""Golden logs: what a version before recorded, batch by batch, judged anew; and what differs in what was told.

A file holds a line for each batch: when it was recorded, the drafts, what became of each, the rows that the log got. A
line that is `fired` is what fell due. `python -m tests.harness.golden intel <file>` prints the differences.
"""

import asyncio
import importlib
import itertools
import json
import lzma
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Event
from shared.contracts.tallies import Once
from shared.record import deadlines
from shared.record.log import Draft
from shared.service import Service
from tests.harness.desk import Desk

Told = Mapping[tuple[str, str], Event[Any]]
"""(source, id) -> event"""
UNLIKE = ("sequence", "recordedtime", "time")
"""What differs where an event was recorded with its correction, and not behind it."""
SINCE = {"commitment_due"}
"""Kinds of alerts that the version before did not tell."""


def lines(file: Path, most: int | None = None) -> Iterator[dict[str, Any]]:
    """The batches of a golden log, the first so many."""
    with lzma.open(file, "rt") if file.suffix == ".xz" else file.open() as batches:
        yield from map(json.loads, itertools.islice(batches, most))


def before(file: Path, most: int | None = None) -> dict[tuple[str, str], Event[Any]]:
    """What the version before recorded."""
    rows = (contracts.decode(row.encode()) for line in lines(file, most) for row in line["rows"])
    return {(event.source, event.id): event for event in rows}


async def judged_anew(desk: Desk, file: Path, most: int | None = None) -> dict[tuple[str, str], Event[Any]]:
    """What this version records of the same drafts, at the same times."""
    for line in lines(file, most):
        desk.clock.at = datetime.fromisoformat(line["now"])
        if line["fired"]:
            async with desk.log.pool.acquire() as connection, connection.transaction():
                while await deadlines.fire(desk.log, connection):
                    pass
            continue
        drafts = [
            Draft(
                contracts.decode(one["event"].encode()),
                tuple(one["heard"]) if one["heard"] else None,
                bytes.fromhex(one["said"]),
            )
            for one in line["drafts"]
        ]
        outcomes = await desk.log.record(drafts)
        for draft, was, outcome in zip(line["drafts"], line["outcomes"], outcomes, strict=True):
            now = None if outcome is None else type(outcome).__name__
            if (was is None) != (now is None):
                print(f"outcome of {json.loads(draft['event'])['type']}: {was} -> {now} {outcome}")
    return {(event.source, event.id): event for event in await desk.recorded()}


def differences(was: Told, now: Told) -> Iterator[str]:
    """What was told by the one and not, or otherwise, by the other."""
    for key in sorted(was.keys() | now.keys()):
        old, new = was.get(key), now.get(key)
        if old is None or new is None:
            event = old or new
            assert event
            if getattr(event.data, "kind", "") in SINCE:
                continue
            said = msgspec.json.encode(event.data).decode()
            when = "before" if old else "now"
            yield f"only {when}: {event.type} {event.country} {said} because of {event.causationid}"
        else:
            then, anew = _plain(old), _plain(new)
            _forget(old.type, then["data"], anew["data"])
            if then != anew:
                yield f"otherwise: {old.type} {old.country}:\n    {_changed(then, anew)}"


def _forget(wire: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Take out what this version counts besides: the version before did not fill it in."""
    agreed = contracts.registry().get(wire)
    names = (
        [one.field if isinstance(one, Once) else getattr(one, "shifts", "") for one in agreed.tallies] if agreed else []
    )
    for name in (*names, "by_label"):
        if name and old.get(name) is None:
            new.pop(name, None)
            old.pop(name, None)
    for name in ("previous", "data"):
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
            _forget(str(old.get("original", "")), old[name], new[name])


def _plain(event: Event[Any]) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(event)
    for name in UNLIKE:
        said.pop(name, None)
    for name in ("original_sequence", "replaced_by_sequence", "original_recordedtime"):
        said["data"].pop(name, None)
    return said


def _changed(old: Any, new: Any) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted(old.keys() | new.keys())
        return "; ".join(
            f"{name}: {_changed(old.get(name), new.get(name))}" for name in names if old.get(name) != new.get(name)
        )
    return f"{old} -> {new}"


async def compared(service: Service, file: Path) -> Iterable[str]:
    """All differences, of a database made for it."""
    from infra.examples.playing import servers  # noqa: PLC0415 - only as a program

    async with servers() as addresses, _desk(service, addresses[service.name]) as desk:
        return list(differences(before(file), await judged_anew(desk, file)))


@asynccontextmanager
async def _desk(service: Service, address: str) -> Any:
    import asyncpg  # noqa: PLC0415 - only as a program

    from shared.record.log import Log  # noqa: PLC0415
    from tests.harness.desk import Hand  # noqa: PLC0415

    settings = {"search_path": service.name, "timezone": "UTC", "enable_seqscan": "off"}
    async with asyncpg.create_pool(address, min_size=1, max_size=3, server_settings=settings) as pool:
        clock = Hand()
        yield Desk(Log(service.name, pool, clock, service.judged()), clock)  # type: ignore[arg-type]


if __name__ == "__main__":
    name, path = sys.argv[1:]
    contracts.registry()
    found = asyncio.run(compared(importlib.import_module(f"services.{name}.__main__").SERVICE, Path(path)))
    print("\n".join(found) or "no difference")
