"""Write the dashboards' JSON, or with `--check` exit 1 when what is there is not what the code generates."""

import sys
from pathlib import Path

from infra.grafana import plan_of_action

FOLDER = Path(__file__).parent / "dashboards"


def outdated() -> list[Path]:
    """Return the files that differ from what the code generates."""
    return [file for file, text in _wanted().items() if not file.exists() or file.read_text() != text]


def write() -> None:
    """Write all dashboards."""
    for file, text in _wanted().items():
        file.write_text(text)


def _wanted() -> dict[Path, str]:
    return {FOLDER / "plan-of-action.json": plan_of_action.text()}


def main() -> int:
    """Return the exit code."""
    if "--check" not in sys.argv[1:]:
        write()
        return 0
    late = outdated()
    for file in late:
        sys.stderr.write(f"{file.name} is not what the code generates: run `python -m infra.grafana`\n")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
