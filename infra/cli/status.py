"""`crm status`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.up import State

FIGURES = ("log", "stream", "fold", "aside", "rejected", "failed")
"""Of each service: rows, messages, events folded, of these set aside and not counted, reports refused, failures."""

if TYPE_CHECKING:
    from prometheus_client.samples import Sample


def status(
    *,
    state: State = Path(".crm"),
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show whether each service keeps up: log, stream, fold, what waits, what was refused, what differs."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running  # noqa: PLC0415
    from shared.flow.lost import LOST  # noqa: PLC0415

    addresses = running(state)
    kept = state / "creds" / "operator.token"
    token = os.environ.get("CRM_OPERATOR_TOKEN") or (kept.read_text() if kept.exists() else "")
    try:
        found = asyncio.run(_gathered(addresses, token))
    except LOST as error:
        typer.echo(f"the servers named in {state / 'run.json'} do not answer: is it running?", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(found, indent=2)) if as_json else _show(found)


async def _gathered(addresses: dict[str, Any], token: str) -> dict[str, Any]:
    """Return the state of everything, as it stands; positions are read in the order log, stream, fold."""
    import asyncpg  # noqa: PLC0415

    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.provision import all_differences  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415
    from shared.contracts import SERVICES  # noqa: PLC0415

    board = samples(addresses["http"], "/metrics/operator", token)
    ops = addresses.get("ops", {})
    database = await asyncpg.connect(addresses["postgres"])
    try:
        async with connected(addresses["nats"], Path(addresses["creds"][OPERATOR]), OPERATOR) as nc:
            services = {name: await _service(name, database, nc, board) for name in SERVICES}
            for name, row in services.items():
                row["failed"] = _failed(samples(ops[name])) if name in ops else None
                row["set_aside"] = await _set_aside(name, database)
            waiting, intakes = await _durables(nc), await _intakes(nc)
            return {
                "services": services,
                "durables": waiting,
                "intakes": intakes,
                "differences": await all_differences(nc),
            }
    finally:
        await database.close()


async def _service(name: str, database: Any, nc: Any, board: "list[Sample]") -> dict[str, Any]:
    from infra.nats.asking import ask  # noqa: PLC0415
    from shared.flow.streams import stream_of  # noqa: PLC0415

    head = await database.fetchval(f"select coalesce(max(position), 0) from {name}.log")  # noqa: S608 - our own names
    stream = stream_of(name)
    answer = await ask(nc, f"STREAM.INFO.{stream}")
    return {
        "log": head,
        "stream": answer.get("state", {}).get("last_seq"),
        "fold": next((one.value for one in _named(board, "crm_fold_sequence", stream=stream)), None),
        "aside": next((one.value for one in _named(board, "crm_fold_aside_events", stream=stream)), None),
        "rejected": sum(one.value for one in _named(board, "crm_rejected_total", service=name)),
    }


async def _set_aside(name: str, database: Any) -> list[dict[str, Any]]:
    """Return what the service has set aside, by stream and kind: messages, and deadlines that failed."""
    rows = await database.fetch(
        f"select stream, kind, count(*) as number, min(since) as since from {name}.aside group by 1, 2 union all"  # noqa: S608 - our own names
        f" select 'deadline', 'failed', count(*), min(due) from {name}.deadline where tries > 0 having count(*) > 0"
        " order by 1, 2"
    )
    return [dict(row) | {"since": row["since"].isoformat()} for row in rows]


async def _intakes(nc: Any) -> dict[str, dict[str, int]]:
    """Return by sender what its intake holds, and how much it may."""
    from infra.nats.asking import ask  # noqa: PLC0415
    from shared.flow.streams import SENDERS, intake_of  # noqa: PLC0415

    found = {}
    for sender in SENDERS:
        answer = await ask(nc, f"STREAM.INFO.{intake_of(sender)}")
        held, most = answer.get("state", {}), answer.get("config", {})
        sizes = {key: held.get(key, 0) for key in ("messages", "bytes")}
        found[sender] = {**sizes, "messages_max": most.get("max_msgs", 0), "bytes_max": most.get("max_bytes", 0)}
    return found


async def _durables(nc: Any) -> list[dict[str, Any]]:
    from infra.nats.asking import ask  # noqa: PLC0415
    from shared.flow.streams import durables  # noqa: PLC0415

    rows = []
    for stream, wanted in durables().items():
        for name in wanted:
            answer = await ask(nc, f"CONSUMER.INFO.{stream}.{name}")
            counts = {key: answer.get(f"num_{key}", 0) for key in ("pending", "ack_pending", "redelivered")}
            rows.append({"stream": stream, "durable": name, **counts})
    return rows


def _failed(process: "list[Sample]") -> float | None:
    """Return how many messages met a fault of ours since the process began; each waits and is tried again."""
    return sum(one.value for one in _named(process, "crm_intake_total", outcome="failed")) if process else None


def _named(samples: "list[Sample]", name: str, **labels: str) -> "list[Sample]":
    return [one for one in samples if one.name == name and labels.items() <= one.labels.items()]


def samples(http: str, path: str = "/metrics", token: str = "") -> "list[Sample]":
    """Return the metrics of the process at this address; none while it is away."""
    import urllib.request  # noqa: PLC0415

    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        asked = urllib.request.Request(f"{http}{path}", headers=headers)  # noqa: S310 - from our run.json
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
            text = answer.read().decode()
    except OSError:
        return []
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console, table = Console(highlight=False), Table(*("service", *FIGURES))
    for name, row in found["services"].items():
        table.add_row(name, *(_figure(row[key]) for key in FIGURES))
    console.print(table)
    waiting = Table("durable", "on", "pending", "unacknowledged", "redelivered")
    for row in found["durables"]:
        if any(row[key] for key in ("pending", "ack_pending", "redelivered")):
            figures = (_figure(row[key]) for key in ("pending", "ack_pending", "redelivered"))
            waiting.add_row(row["durable"], row["stream"], *figures)
    console.print(waiting)
    for name, row in found["services"].items():
        for one in row["set_aside"]:
            said = f"{name}: {one['number']} of {one['stream']} set aside ({one['kind']}) since {one['since']}"
            console.print(said, markup=False)
        if row["aside"]:
            console.print(f"{name}: {_figure(row['aside'])} not counted in the figures", markup=False)
    held = Table("intake", "messages", "of", "MiB", "of")
    for sender, row in found["intakes"].items():
        mib = (f"{row[key] / 2**20:,.1f}" for key in ("bytes", "bytes_max"))
        held.add_row(sender, f"{row['messages']:,}", f"{row['messages_max']:,}", *mib)
    console.print(held)
    for fault in found["differences"]:
        console.print(f"differs: {fault}", markup=False)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
