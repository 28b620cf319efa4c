"""`crm pub`."""

import codecs
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.up import State


def pub(
    file: Annotated[str, typer.Argument(help="A report in JSON, or a list of them; - reads standard input.")],
    *,
    country: Annotated[str, typer.Option("--as", help="The country that reports, such as GTM.")],
    state: State = Path(".crm"),
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    seed: Annotated[Path | None, typer.Option(help="The country's key; by default the running copy's.")] = None,
) -> None:
    """Publish reports as a country, through its own account."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running  # noqa: PLC0415
    from shared.flow.streams import RECEIVERS  # noqa: PLC0415

    member = next((member for member in RECEIVERS if member == country), None)
    if member is None:
        raise typer.BadParameter(f"--as is one of {', '.join(RECEIVERS)}")
    if not (nats_url and seed):
        addresses = running(state)
        nats_url, seed = nats_url or addresses["nats"], seed or Path(addresses["creds"][member])
    asyncio.run(_send(_read(file), nats_url, seed, member))


def _read(file: str) -> list[dict[str, Any]]:
    """Return the reports in a file: JSON in UTF-8, or in UTF-16 if it begins with a byte order mark."""
    import json  # noqa: PLC0415

    try:
        payload = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        marked = payload.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        content = json.loads(payload.decode("utf-16" if marked else "utf-8-sig"))
        json.dumps(content, ensure_ascii=False).encode()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"{file} is not JSON: line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is neither UTF-8 nor UTF-16 with its mark: byte {error.start}") from None
    except UnicodeEncodeError:
        raise typer.BadParameter(f"{file} holds half of a surrogate pair: some text in it was cut apart") from None
    except (ValueError, RecursionError):
        raise typer.BadParameter(f"{file} is no JSON that can be read: nested too deep, or a number too long") from None
    reports = content if isinstance(content, list) else [content]
    if not all(isinstance(one, dict) for one in reports):
        raise typer.BadParameter(f"{file} holds something that is no report: each is one JSON object")
    return reports


async def _send(reports: list[dict[str, Any]], url: str, seed: Path, country: Any) -> None:
    from shared.client import ClientError, connect  # noqa: PLC0415

    try:
        async with connect(url, seed, country) as client:
            for report in reports:
                sequence = await client.publish(report)
                typer.echo(f"stored {report.get('id')} (intake {sequence})")
    except ClientError as error:
        typer.echo(f"{type(error).__name__.lower()}: {error}", err=True)
        raise typer.Exit(1) from error
