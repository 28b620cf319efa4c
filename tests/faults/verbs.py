"""The `crm` command as an operator has it: a process of its own, on what the copy's run.json tells."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from infra.nats.config import seed_file
from infra.nats.rights import principals
from infra.postgres.provision import passwords
from tests.faults.stand import Stand
from tests.harness.system import ROOT


async def crm(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb on the copy in `state`; return its exit code and what it said."""
    command = [sys.executable, "-m", "infra.cli", *arguments, "--state-dir", state]
    env = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    print(f"crm {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def announce(stand: Stand) -> Path:
    """Write the run.json of a stand, as `crm up` writes one; return its folder."""
    addresses = {
        "nats": stand.nats.url,
        "http": f"http://127.0.0.1:{stand.http_port}",
        "ops": {name: child.ops for name, child in stand.children.items()},
        "postgres": stand.postgres.url("operator", passwords(stand.creds)["operator"]),
        "creds": {principal: str(seed_file(stand.creds, principal)) for principal in principals()},
    }
    (stand.folder / "run.json").write_text(json.dumps(addresses))
    return stand.folder
