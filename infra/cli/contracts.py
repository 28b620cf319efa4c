"""`crm contracts`: which types there are, and each with its fields and an example."""

import json
from typing import Annotated, Any

import typer

from infra.cli.reports import contract
from infra.cli.showing import Out, Output, show_rows

contracts = typer.Typer(name="contracts", help="Shows what may be reported, field by field.", no_args_is_help=True)


@contracts.callback()
def verbs() -> None:
    """Show what may be reported, field by field."""


@contracts.command(name="list")
def listed(
    part: Annotated[str, typer.Argument(help="Only types whose name has this in it, such as referral.")] = "",
    *,
    output: Out = Output.TABLE,
) -> None:
    """List the event types: name, who may report it, what it means."""
    from shared.contracts import registry  # noqa: PLC0415 - late: `crm --help` answers at once
    from shared.contracts.schema import senders  # noqa: PLC0415

    rows = [
        {"type": name, "by": senders(one) if one.reported else one.service, "what": _first(one)}
        for name, one in sorted(registry().items())
        if part in name
    ]
    show_rows(rows, ("type", "by", "what"), output)


@contracts.command()
def show(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Such as intel.document.flagged.")],
    *,
    schema: Annotated[bool, typer.Option(help="The JSON Schema in place of the fields.")] = False,
) -> None:
    """Show a type: what it means, its fields with their values, and a good example."""
    from shared.contracts.schema import data_schema, event_schema, example, example_event, report_schema  # noqa: PLC0415

    agreed = contract(kind)
    if schema:
        typer.echo(json.dumps(report_schema(agreed) if agreed.reported else event_schema(agreed), indent=2))
        return
    typer.echo(f"{agreed.type}: {_first(agreed)}\n")
    found = data_schema(agreed)
    rows = [
        {
            "field": name,
            "must": name in found.get("required", ()),
            "value": _said(one, found),
            "what": one.get("description", ""),
        }
        for name, one in _properties(found).items()
    ]
    show_rows(rows, ("field", "must", "value", "what"), Output.TABLE)
    good = example(agreed) if agreed.reported else example_event(agreed)
    typer.echo(f"\n{json.dumps(good, indent=2, ensure_ascii=False)}")


def _first(agreed: Any) -> str:
    return str(agreed.data.__doc__ or "").strip().partition("\n")[0]


def _properties(found: dict[str, Any]) -> dict[str, Any]:
    own = _at(found, found)
    properties: dict[str, Any] = own.get("properties", {})
    return properties


def _at(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference within the schema leads to."""
    reference = node.get("$ref", "")
    return dict(whole.get("$defs", {}).get(reference.rpartition("/")[2], {})) if reference else node


def _said(node: dict[str, Any], whole: dict[str, Any]) -> str:
    """Return in words which values a field takes."""
    one = _at(node, whole)
    if "anyOf" in one:
        return " or ".join(dict.fromkeys(_said(each, whole) for each in one["anyOf"]))
    if "enum" in one:
        return ", ".join(map(str, one["enum"]))
    if one.get("type") == "array":
        return f"list of {_said(one.get('items', {}), whole)}"
    bounds = [
        f"{word} {one[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"))
        if key in one
    ]
    kind = one.get("format") or one.get("const") or one.get("type") or "any"
    return " ".join([str(kind), *bounds])
