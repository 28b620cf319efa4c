"""The client's wheel holds all that the client imports, and needs no package beyond the three that it names."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHOUT = """
import json, sys
for name in ("jsonschema", "structlog", "opentelemetry", "prometheus_client", "shared.run.telemetry"):
    sys.modules[name] = None
import shared.client, shared.client.own
files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
print(json.dumps([[name, file] for name, file in files.items() if file]))
"""


def test_what_the_client_imports_is_in_its_wheel_and_in_no_other():
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    imported = json.loads(done.stdout.splitlines()[-1])
    wheel = tomllib.loads((ROOT / "infra/wheels/client/pyproject.toml").read_text())
    held = wheel["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    own = [str(Path(file).relative_to(ROOT)) for _, file in imported if Path(file).is_relative_to(ROOT / "shared")]
    assert not [file for file in own if not any(file == one or file.startswith(f"{one}/") for one in held.values())]
    assert {f"/{one}" for one in held.values()} <= {*whole["exclude"]}
    packages = {name.partition(".")[0] for name, file in imported if "site-packages" in file}
    assert packages - {"_virtualenv", "typing_extensions"} <= {
        "msgspec",
        "nats",
        "nacl",
        "nkeys",
        "_cffi_backend",
        "_sodium",
    }
