"""Building the wheels, and running what is installed of them, with nothing of this checkout in sight."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
PLACES = (ROOT, ROOT / "infra/wheels/client", ROOT / "infra/wheels/testkit")


def run(*command, cwd, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-6000:]} {done.stderr[-3000:]}"
    return done.stdout


def build(folder):
    for place in PLACES:
        run(UV, "build", "-q", "--wheel", "--no-sources", "--out-dir", folder, place, cwd=ROOT)
    return sorted(folder.glob("*.whl"))


def installed(home, *what):
    run(UV, "venv", "-q", "--no-python-downloads", "--python", sys.executable, home, cwd=home.parent)
    python = home / "bin" / "python"
    run(UV, "pip", "install", "-q", "--python", python, *what, cwd=home.parent)
    return python
