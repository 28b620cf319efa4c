"""`crm status`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from infra.cli.showing import Json, Out, Output, Watch, again, form, show_rows, table, verdict
from infra.cli.up import State

FIGURES = ("log", "stream", "fold", "aside", "rejected", "failed")
"""Of each service: rows, messages, events folded, of these set aside and not counted, reports refused, failures."""
BEHIND = 1000
"""So many messages behind is a lag, and no moment's work."""

if TYPE_CHECKING:
    from prometheus_client.samples import Sample


def status(
    *,
    state: State = Path(".crm"),
    watch: Watch = False,
    output: Out = Output.TABLE,
    as_json: Json = False,
) -> None:
    """Show whether each service keeps up: log, stream, fold, what waits, what was refused, what differs.

    Exit code 1 when something is wrong: not ready, behind, set aside, not counted, or not as the contracts ask for.
    """
    again(lambda: _told(state, form(output, as_json=as_json)), watch=watch)


def _told(state: Path, output: Output) -> int:
    """Show it once; return the exit code."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running, token  # noqa: PLC0415
    from shared.flow.lost import LOST  # noqa: PLC0415

    addresses = running(state)
    try:
        found = asyncio.run(_gathered(addresses, token(state, addresses)))
    except LOST as error:
        where = addresses.get("context") or state / "run.json"
        typer.echo(f"the servers named in {where} do not answer: is it running? `crm doctor` says more", err=True)
        raise typer.Exit(1) from error
    if output is Output.JSON:
        typer.echo(json.dumps(found, indent=2))
    elif output is Output.CSV:
        rows = [{"service": name, **row} for name, row in found["services"].items()]
        show_rows(rows, ("service", "ready", *FIGURES), output)
    else:
        _show(found, output)
    return verdict(_wrong(found), "all services keep up")


def _wrong(found: dict[str, Any]) -> int:
    """Return how much is wrong."""
    rows = found["services"].values()
    wrong = sum(row["ready"] is False for row in rows) + sum(bool(row["aside"]) for row in rows)
    wrong += sum(one["kind"] == "failed" for row in rows for one in row["set_aside"])
    wrong += sum((row["stream"] or 0) > row["log"] or row["log"] - (row["stream"] or 0) > BEHIND for row in rows)
    wrong += sum(one["pending"] > BEHIND for one in found["durables"] if one["stream"] != "MAILBOX")
    return int(wrong) + len(found["differences"])


async def _gathered(addresses: dict[str, Any], token: str) -> dict[str, Any]:
    """Return the state of everything, as it stands; positions are read in the order log, stream, fold."""
    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.provision import all_differences  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415
    from shared.contracts import SERVICES  # noqa: PLC0415
    from shared.run.database import connected as connected_database  # noqa: PLC0415

    board = samples(addresses["http"], "/metrics/operator", token)
    ops = addresses.get("ops", {})
    database = await connected_database(addresses["postgres"], timeout=10)
    try:
        async with connected(addresses["nats"], Path(addresses["creds"][OPERATOR]), OPERATOR) as nc:
            services = {name: await _service(name, database, nc, board) for name in SERVICES}
            for name, row in services.items():
                process = samples(ops[name]) if name in ops else []
                row["failed"], row["ready"] = _failed(process), _ready(process)
                row["faults"] = _faults(ops[name]) if row["ready"] is False else []
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


def _ready(process: "list[Sample]") -> bool | None:
    """Return whether it does its work; None: it has not told."""
    return next((bool(one.value) for one in _named(process, "crm_ready")), None)


def _faults(address: str) -> list[str]:
    """Return in its own words why a process does not do its work."""
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    try:
        urllib.request.urlopen(f"{address}/readyz", timeout=5).close()  # noqa: S310 - of the deployment asked for
    except urllib.error.HTTPError as error:
        return [str(one) for one in json.load(error).get("faults", [])]
    except (OSError, ValueError):
        return ["does not answer"]
    return []


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


def _show(found: dict[str, Any], output: Output) -> None:
    rows = [
        [name, {True: "yes", False: "no", None: "-"}[row["ready"]], *(_figure(row[key]) for key in FIGURES)]
        for name, row in found["services"].items()
    ]
    table(rows, ("service", "ready", *FIGURES), output)
    counts = ("pending", "ack_pending", "redelivered")
    waiting = [row for row in found["durables"] if any(row[key] for key in counts)]
    if waiting:
        typer.echo()
        rows = [[row["durable"], row["stream"], *(_figure(row[key]) for key in counts)] for row in waiting]
        table(rows, ("durable", "on", "pending", "unacknowledged", "redelivered"), output)
    typer.echo()
    rows = [
        [
            sender,
            f"{row['messages']:,}",
            f"{row['messages_max']:,}",
            *(f"{row[key] / 2**20:,.1f}" for key in ("bytes", "bytes_max")),
        ]
        for sender, row in found["intakes"].items()
    ]
    table(rows, ("intake", "messages", "of", "MiB", "of MiB"), output)
    typer.echo()
    for name, row in found["services"].items():
        for fault in row["faults"]:
            typer.echo(f"{name}: {fault}")
        for one in row["set_aside"]:
            typer.echo(f"{name}: {one['number']} of {one['stream']} set aside ({one['kind']}) since {one['since']}")
        if row["aside"]:
            typer.echo(f"{name}: {_figure(row['aside'])} not counted in the figures")
    for fault in found["differences"]:
        typer.echo(f"differs: {fault}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
