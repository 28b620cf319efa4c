"""Files of secrets: written whole or not at all, for their owner only."""

import os
from pathlib import Path

PRIVATE = 0o600


def write(file: Path, content: bytes | str, mode: int = PRIVATE) -> None:
    """Write a file whole or not at all."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as opened:
        opened.write(content.encode() if isinstance(content, str) else content)
    fresh.replace(file)
