"""`crm explain` and `crm token`."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from infra.cli.showing import harmless, printable
from infra.cli.up import State

WAIT_S = 60.0
TRIES = 5
ACTS = ("reported", "corrected", "retracted")
EVENT = ("recorded", "happened", "country", "place", "event", "moved", "id", "amends")
"""The columns of what is told of an event."""


def explain(  # noqa: PLR0913 - each is an argument or a flag
    figure: Annotated[str, typer.Argument(help="An indicator or a milestone, such as PC-1c or MS-LE-1.")],
    *,
    country: Annotated[str, typer.Option(help="A country's figure, such as HND; without it, the region's.")] = "",
    label: Annotated[list[str] | None, typer.Option(help="Such as offence=tip; again for another.")] = None,
    as_of: Annotated[str, typer.Option(help="As of the end of this day (YYYY-MM-DD).")] = "",
    since: Annotated[str, typer.Option(help="First day of the period whose own figure is meant.")] = "",
    until: Annotated[str, typer.Option(help="Last day of that period.")] = "",
    known_on: Annotated[str, typer.Option(help="Only what was recorded by the end of this day.")] = "",
    token: Annotated[
        str, typer.Option(envvar="CRM_TOKEN", help="A country's, or `public` for none; by default the operator's here.")
    ] = "",
    state: State = Path(".crm"),
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show which events are behind a figure: when each happened and was known, from where, what was corrected."""
    from infra.cli.running import running  # noqa: PLC0415 - late: `crm --help` answers at once

    labels = ",".join(one.replace("=", ":", 1) for one in label or [])
    asked = {"country": country, "labels": labels, "as_of": as_of, "since": since, "until": until, "known_on": known_on}
    address = f"{running(state)['http']}/api/behind/{quote(figure, safe='')}"
    found, after = None, ""
    while found is None or after:
        query = urlencode({name: value for name, value in (asked | {"after": after}).items() if value})
        part = get(f"{address}?{query}", _token(token, state))
        if found is None:
            found = part
        else:
            found["events"] += part["events"]
            found["counts"] += part["counts"]
            found |= {name: part[name] for name in ("folded", "complete")}
        after = part.get("next", "")
    found.pop("next", None)
    found["counts"] = _together(found["counts"])
    typer.echo(harmless(json.dumps(found, indent=2, ensure_ascii=False))) if as_json else _show(found)


def token(
    country: Annotated[str, typer.Argument(help="Such as HND.")],
    *,
    state: State = Path(".crm"),
) -> None:
    """Print a country's token: with it, it sees its own events behind each figure. A new operator's token voids it.

    CRM_OPERATOR_TOKEN is taken where it is set, else the token of the copy that runs here.
    """
    from infra.cli import running as deployments  # noqa: PLC0415
    from services.indicators.publish.access import country_token  # noqa: PLC0415
    from shared.contracts.vocabulary import MEMBERS  # noqa: PLC0415

    if country not in MEMBERS:
        raise typer.BadParameter(f"one of {', '.join(MEMBERS)}")
    operators = os.environ.get("CRM_OPERATOR_TOKEN") or deployments.token(state, deployments.running(state))
    typer.echo(country_token(operators, country))


def _token(given: str, state: Path) -> str:
    from infra.cli import running as deployments  # noqa: PLC0415

    return "" if given == "public" else given or deployments.token(state, deployments.running(state))


def get(address: str, bearer: str = "") -> Any:
    """Return the JSON that the board answers; otherwise as `fetched`."""
    return json.loads(fetched(address, bearer))


def fetched(address: str, bearer: str = "") -> bytes:
    """Return what the board answers; where it asks for patience, ask again. Exit 1 with the reason for its refusal."""
    import time  # noqa: PLC0415
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - from our run.json
    for left in range(TRIES, 0, -1):
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After", "")
            if wait.isdecimal() and left > 1:
                time.sleep(int(wait))
                continue
            typer.echo(printable(str(json.load(error).get("detail", f"the board answers {error.code}"))), err=True)
        except OSError:
            typer.echo("the board does not answer", err=True)
        raise typer.Exit(1)
    raise AssertionError


def _together(counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add up what several answers counted of one country, month and type."""
    if any(one[act] is None for one in counts for act in ACTS):
        return counts  # guarded: told in one answer, and not to be added up
    sums: Counter[tuple[str, str, str, str]] = Counter()
    for one in counts:
        for act in ACTS:
            sums[one["country"], one["month"], one["type"], act] += one[act]
    places = sorted({key[:3] for key in sums})
    return [
        dict(zip(("country", "month", "type"), place, strict=True)) | {act: sums[*place, act] for act in ACTS}
        for place in places
    ]


def _show(found: dict[str, Any]) -> None:
    from infra.cli.showing import table  # noqa: PLC0415

    labels = "".join(f", {name} {value}" for name, value in found["labels"].items())
    typer.echo(printable(f"{found['id']}, {found['country']}{labels}, as of {found['as_of']}"))
    if found["made_of"]:
        typer.echo(printable(f"made of {', '.join(found['made_of'])}: ask for what is behind these"))
    for one in found["numbers"]:
        typer.echo(printable(f"  {_number(one)}"))
    if found["events"]:
        typer.echo("")
        table([*map(_event, found["events"])], EVENT)
    typer.echo("")
    table([*map(_count, found["counts"])], ("country", "month", "event", *ACTS))
    for service, last in found["archived"].items():
        typer.echo(printable(f"{service}: events up to {last} are in the archive, and not told here"))


def _event(one: dict[str, Any]) -> list[str]:
    moved = "; ".join(map(_number, one["moved"]))
    where = f"{one['service']} {one['sequence']}"
    when = [f"{one[name]:.16}" for name in ("recordedtime", "time")]
    return [*when, one["country"], where, one["type"][4:], moved, one["id"], one["amends"] or "-"]


def _count(one: dict[str, Any]) -> list[str]:
    told = ["" if one[act] is None else str(one[act]) for act in ACTS]
    if one.get("suppressed"):
        told = ["not published", "", ""]
    return [one["country"], one["month"], one["type"][4:], *told]


def _number(one: dict[str, Any]) -> str:
    labels = "".join(f" {value}" for value in one["labels"].values())
    amount = f"{one['amount']:+}" if isinstance(one["amount"], int) and not one.get("level") else str(one["amount"])
    if one.get("level"):
        amount = f"taken back: {amount}" if one.get("sign") == -1 else f"declared: {amount}"
        amount += ", in force" if one.get("holds") else ""
    return f"{one['part']} {one['country']}{labels} {amount}"
