"""`python -m shared.contracts check|release|reference`: the released types, and the reference page."""

import sys
from pathlib import Path

from shared.contracts import evolution, reference

RELEASED = Path("tests/contracts/released")
PAGE = Path("docs/contracts.md")


def main(command: str) -> int:
    """Run one command from the project's folder; return its exit code."""
    if command == "reference":
        PAGE.write_text(reference.page())
        return 0
    found = evolution.broken(RELEASED)
    if found:
        sys.stderr.write("These changes break published types; give them a new version instead:\n")
    elif command == "release":
        found = []
        sys.stdout.write("".join(f"released {name}\n" for name in evolution.release(RELEASED)))
        PAGE.write_text(reference.page())
    else:
        found = [f"{name} is not released yet: run `release`" for name in evolution.unreleased(RELEASED)]
        found += [] if PAGE.read_text() == reference.page() else [f"{PAGE} is not up to date: run `reference`"]
    sys.stderr.write("".join(f"{one}\n" for one in found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
