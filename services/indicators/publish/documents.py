"""The OpenAPI documents and the SDMX structure as files in docs/, for readers.

`python -m services.indicators.publish.documents write|check` brings them to what the code says, or says what is stale.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from services.indicators.folded.state import State
from services.indicators.publish import app, sdmx
from services.indicators.publish.view import View
from services.indicators.settings import current
from shared.contracts.prose import compact
from shared.run import openapi, ops

FOLDER = Path("docs")


async def _nothing(*_asked: Any) -> Any:
    return None


def documents() -> Mapping[str, str]:
    """Return each document's name and text."""
    # A document says what the addresses declare: what they would look at is never asked.
    view = View(
        plan=current(),
        state=partial(State),
        streams=dict,
        now=lambda: datetime.now(UTC),
        ready=bool,
        report=_nothing,
        rebuild=_nothing,
        purged=_nothing,
    )
    board = openapi.document(app.addresses(view), app.TITLE, app.ABOUT)
    process = openapi.document(ops.addresses(ops.Status("")), ops.TITLE, ops.ABOUT)
    structure = msgspec.json.decode(msgspec.json.encode(sdmx.structure(view.plan)))
    named = {"openapi.json": board, "openapi-process.json": process, "sdmx-structure.json": structure}
    return {name: compact(content) + "\n" for name, content in named.items()}


def main(command: str) -> int:
    """Run one command from the project's folder; return its exit code."""
    if command == "write":
        for name, text in documents().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    stale = [name for name, text in documents().items() if _read(FOLDER / name) != text]
    for name in stale:
        sys.stderr.write(f"docs/{name} is not what the code says: run `make documents`\n")
    return bool(stale)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
