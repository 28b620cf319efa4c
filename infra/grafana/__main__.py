"""Write the dashboards' JSON, or with `--check` exit 1 when what is there is not what the code generates."""

import sys
from pathlib import Path

from infra.grafana import operating, people
from infra.grafana.boards import FIRST, Board
from services.indicators.publish.words import LANGUAGES

FOLDER = Path(__file__).parent / "dashboards"


def boards() -> list[Board]:
    """Return all dashboards."""
    return [*people.boards(), *operating.boards()]


def outdated() -> list[Path]:
    """Return the files that differ from what the code generates, or that it does not generate."""
    wanted = _wanted()
    late = [file for file, text in wanted.items() if not file.exists() or file.read_text() != text]
    return late + [file for file in FOLDER.rglob("*.json") if file not in wanted]


def write() -> None:
    """Write all dashboards, and take away what is none any more."""
    for file, text in _wanted().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for file in outdated():
        file.unlink()


def _wanted() -> dict[Path, str]:
    return {_file(board, lang): board.text(lang) for board in boards() for lang, _ in LANGUAGES}


def _file(board: Board, lang: str) -> Path:
    """Return where a dashboard lies: those of the first language beside the folders of the others."""
    return (FOLDER if lang == FIRST else FOLDER / lang) / f"{board.name}.json"


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
