"""compose.yaml as an operator starts it: every container runs as the file says, and sees what is its own."""

import re
from pathlib import Path

from shared.contracts import SERVICES
from tests.containers.composed import Composed

STATUS = re.compile(r"^(\w+):\s+(.*)$", re.MULTILINE)


def containers(composed: Composed) -> dict[str, str]:
    return {container: name for name in composed.services for container in composed.containers(name)}


def test_every_container_of_the_file_runs_or_ended_well(region):
    found = containers(region.composed)
    assert set(found.values()) == set(region.composed.services)
    for container, name in found.items():
        state = region.podman.inspected(container)["State"]
        once = region.composed.once(name)
        assert (state["Status"], state["ExitCode"]) == (("exited", 0) if once else ("running", 0)), container


def test_each_started_when_what_it_needs_was_there(region):
    def at(name: str, key: str) -> str:
        return region.podman.inspected(f"crm-{name}-1")["State"][key]

    for name, one in region.composed.services.items():
        for needed, wanted in one.get("depends_on", {}).items():
            key = "FinishedAt" if wanted["condition"] == "service_completed_successfully" else "StartedAt"
            assert at(needed, key) < at(name, "StartedAt"), f"{name} before {needed}"


def test_every_process_is_confined_as_the_file_says(region):
    for container, name in containers(region.composed).items():
        one = region.composed.services[name]
        if region.composed.once(name):
            continue
        status = dict(STATUS.findall(Path(f"/proc/{region.main(container)}/status").read_text()))
        uid = region.podman("exec", container, "id", "-u")
        assert uid != "0", container
        assert status["Uid"].split() == [uid] * 4, container
        assert {int(status[f"Cap{kind}"], 16) for kind in ("Eff", "Prm", "Bnd", "Inh", "Amb")} == {0}, container
        assert status["NoNewPrivs"] == "1", container
        # What the user may not write anyway says nothing: how the root is mounted does.
        mounts = [line.split() for line in Path(f"/proc/{region.main(container)}/mounts").read_text().splitlines()]
        (root,) = [options.split(",") for _, place, _, options, *_ in mounts if place == "/"]
        assert "ro" in root, f"{container} may write to its root"
        limits = one["deploy"]["resources"]["limits"]
        host = region.podman.inspected(container)["HostConfig"]
        assert host["NanoCpus"] == float(limits["cpus"]) * 10**9, container
        assert host["Memory"] == _bytes(limits["memory"]), container
        assert host["PidsLimit"] == limits["pids"], container


def test_the_kernel_holds_the_limits(region):
    groups = dict(
        line.split(":")[1:] for line in Path(f"/proc/{region.main('crm-intel-1')}/cgroup").read_text().split()
    )
    limit = Path(f"/sys/fs/cgroup/memory{groups['memory']}/memory.limit_in_bytes")
    assert int(limit.read_text()) == _bytes("384M")
    assert int(Path(f"/sys/fs/cgroup/pids{groups['pids']}/pids.max").read_text()) == 128


def _bytes(text: str) -> int:
    return int(text[:-1]) << {"M": 20, "G": 30}[text[-1]]


def test_a_container_sees_no_other_s_keys(region):
    everything = region.composed.run("keys", "/keys", entrypoint=["find"]).split()
    secret = {file.split("/")[2] for file in everything if file.endswith((".nk", ".tls.key", ".pw", ".token"))}
    assert {*SERVICES, "upkeep", "all", "countries"} <= secret
    for container, name in containers(region.composed).items():
        if name in {*SERVICES, "upkeep"}:
            looked = "find /run/crm /app /venv /tmp /home -name '*.nk' 2>/dev/null; true"
            assert region.podman("exec", container, "sh", "-c", looked).split() == ["/run/crm/seed.nk"], container


def test_an_image_has_nothing_of_another_service(region):
    """The documents are the board's, which serves them."""
    for name in SERVICES:
        there = region.podman("exec", f"crm-{name}-1", "ls", "/app", "/app/services").split()
        assert set(there) & {*SERVICES, "infra", "tests", "docs"} == (
            {name, "docs"} if name == "indicators" else {name}
        )


def test_the_store_is_reached_from_its_own_network_only(region):
    """Prometheus is in the other one: it does not find PostgreSQL; PostgreSQL has no way out of its own."""
    tried = region.podman.tried("exec", "crm-prometheus-1", "getent", "hosts", "postgres")
    assert tried.returncode, tried.stdout
    assert "default" not in region.podman("exec", "crm-intel-1", "cat", "/etc/hosts")
    routes = Path(f"/proc/{region.main('crm-postgres-1')}/net/route").read_text().splitlines()[1:]
    assert "00000000" not in [line.split()[1] for line in routes], "a route to everywhere"
