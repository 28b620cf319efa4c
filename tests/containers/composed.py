"""Reads compose.yaml, and does with podman what `docker compose` does with it.

Everything comes from the file. A key that is not read here fails, so that nothing in the file goes untried unseen.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.containers.podman import LIMITS, Podman, PodmanError

ROOT = Path(__file__).parents[2]
READ = {
    "build", "cap_drop", "command", "depends_on", "deploy", "entrypoint", "environment", "healthcheck", "image",
    "logging", "network_mode", "networks", "ports", "profiles", "read_only", "restart", "security_opt", "shm_size",
    "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")
WAIT_S = 180
TICK_S = 0.5


class Composed:
    """The project of a compose file: `build`, `up`, `stop`, `down`, as the commands of the same name."""

    def __init__(self, podman: Podman, file: Path, environment: Mapping[str, str], without: Iterable[str] = ()) -> None:
        self.podman = podman
        self.environment = dict(environment)
        self.profiles: set[str] = set()
        self.handed = Path()
        self._read = YAML(typ="safe").load(file)
        self._without = set(without)

    @property
    def file(self) -> dict[str, Any]:
        """The file with the variables as they stand now."""
        return {key: self._filled(value) for key, value in self._read.items() if not key.startswith("x-")}

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """The services of the profiles that are on."""
        every = self.file["services"]
        for name, one in every.items():
            assert set(one) <= READ, f"{name}: {set(one) - READ} is not read"
        every = {name: one for name, one in every.items() if name not in self._without}
        return {name: one for name, one in every.items() if set(one.get("profiles", [])) <= self.profiles}

    # --- images ----------------------------------------------------------------------------------------------------
    def build(self, *names: str) -> None:
        """Build the images of these services, or of all, also those of profiles that are off."""
        every = self.file["services"]
        for name in names or every:
            one = every[name].get("build")
            if one is None or name in self._without:
                continue
            assert set(one) <= {"context", "dockerfile", "target", "args"}, name
            context = ROOT / one["context"]
            args = [f"--build-arg={key}={value}" for key, value in one.get("args", {}).items()]
            command = ["build", "--quiet", "--pull=never", "--format", "docker", "--network", "host", *LIMITS]
            command += ["--file", context / one["dockerfile"], "--target", one["target"], *args]
            self.podman(*command, "--tag", every[name]["image"], context)

    # --- up and down -----------------------------------------------------------------------------------------------
    def up(self, *names: str, scale: Mapping[str, int] | None = None) -> list[str]:
        """Start these services, and what they depend on, in order, and wait until all are well; return the order."""
        self._networks()
        order: list[str] = []
        for name in names or self.services:
            self._ordered(name, order)
        for name in order:
            for needed, condition in self._needed(name).items():
                self._await(needed, condition)
            for number in range(1, (scale or {}).get(name, 1) + 1):
                self._start(name, number)
        for name in order:
            self._await(name, self._well(name))
        return order

    def once(self, name: str) -> bool:
        """Whether the service ends by itself."""
        return bool(self.services[name]["restart"] == "on-failure")

    def _well(self, name: str) -> str:
        return "service_completed_successfully" if self.once(name) else "service_healthy"

    def containers(self, name: str) -> list[str]:
        """Return the containers of a service, by number."""
        found = self.podman("ps", "--all", "--filter", f"label=service={name}", "--format", "{{.Names}}").split()
        return sorted(found, key=lambda one: int(one.rpartition("-")[2]))

    def scale(self, name: str, number: int) -> None:
        """Have as many containers of a service as that."""
        for count in range(1, number + 1):
            self._start(name, count)
        for container in self.containers(name)[number:]:
            self.podman("stop", container)
            self.podman("rm", container)
        self._await(name, "service_healthy")

    def replace(self, container: str) -> None:
        """Stop a container, and start another of its number as the file now says."""
        name, number = container.split("-", 1)[1].rsplit("-", 1)
        self.podman("stop", container)
        self.podman("rm", container)
        self._start(name, int(number))
        self._await(name, self._well(name))

    def stop(self) -> None:
        """Stop all, what depends on others first."""
        order: list[str] = []
        for name in self.services:
            self._ordered(name, order)
        for name in reversed(order):
            if running := self.containers(name):
                self.podman("stop", *running)

    def down(self) -> None:
        """Stop and remove containers and networks; volumes stay."""
        self.stop()
        self.podman("rm", *(container for name in self.services for container in self.containers(name)))
        for name in self.file["networks"]:
            self.podman("network", "rm", f"crm_{name}")

    def healthy(self, container: str) -> bool:
        """Whether the container's own check says so; one without a check is well while it runs."""
        if self.podman.inspected(container)["State"]["Status"] != "running":
            return False
        check = self.podman.inspected(container)["Config"].get("Healthcheck") or {"Test": ["NONE"]}
        if check["Test"] == ["NONE"]:
            return True
        return self.podman.tried("healthcheck", "run", container).returncode == 0

    def run(self, name: str, *words: str, entrypoint: list[str] | None = None) -> str:
        """Return what `docker compose run --rm` of a service writes."""
        self._networks()
        options, image, command = self._command(name, f"crm-{name}-run")
        chosen = ["--entrypoint", json.dumps(entrypoint)] if entrypoint else []
        return self.podman("run", "--rm", *options, *chosen, image, *(words or command))

    # --- one container ---------------------------------------------------------------------------------------------
    def _start(self, name: str, number: int) -> None:
        container = f"crm-{name}-{number}"
        if container in self.containers(name):
            if self.podman.inspected(container)["State"]["Status"] != "running":
                self.podman("start", container)
            return
        options, image, command = self._command(name, container)
        self.podman("run", "--detach", *options, "--restart", self.services[name]["restart"], image, *command)

    def _command(self, name: str, container: str) -> tuple[list[str], str, list[str]]:
        """Return the options, the image and the command of a container."""
        one = self.services[name]
        options = ["--name", container, "--label", f"service={name}", "--pull=never", *LIMITS, "--user", one["user"]]
        options += ["--read-only", "--read-only-tmpfs=false"] if one["read_only"] else []
        options += [f"--cap-drop={capability}" for capability in one["cap_drop"]]
        options += [f"--security-opt={option.replace(':true', '')}" for option in one["security_opt"]]
        options += ["--stop-timeout", one["stop_grace_period"].removesuffix("s")]
        options += [f"--tmpfs={place}" for place in one.get("tmpfs", [])]
        options += ["--shm-size", one["shm_size"]] if "shm_size" in one else []
        options += [f"--publish={port}" for port in one.get("ports", [])]
        options += self._logging(one["logging"]) + self._limits(one["deploy"]) + self._checked(one["healthcheck"])
        options += self._networked(name, container, one) + self._mounted(one.get("volumes", []))
        for key, value in (one.get("environment") or {}).items():
            given = self.environment.get(key) if value is None else value
            options += [f"--env={key}={given}"] if given is not None else []
        if "entrypoint" in one:
            options += ["--entrypoint", json.dumps(one["entrypoint"])]
        return options, one["image"].partition("@")[0], [str(word) for word in one.get("command", [])]

    @staticmethod
    def _logging(logging: Mapping[str, Any]) -> list[str]:
        assert logging["driver"] == "json-file"  # podman's own of the same kind keeps one file of that size
        return ["--log-driver", "k8s-file", f"--log-opt=max-size={logging['options']['max-size']}b"]

    @staticmethod
    def _limits(deploy: Mapping[str, Any]) -> list[str]:
        assert set(deploy) == {"resources"}
        assert set(deploy["resources"]) == {"limits"}
        limits = deploy["resources"]["limits"]
        assert set(limits) == {"cpus", "memory", "pids"}
        return ["--cpus", limits["cpus"], "--memory", limits["memory"], "--pids-limit", str(limits["pids"])]

    @staticmethod
    def _checked(check: Mapping[str, Any]) -> list[str]:
        if check.get("disable"):
            return ["--no-healthcheck"]
        assert set(check) == {"test", "interval", "timeout", "retries", "start_period", "start_interval"}
        times = [f"--health-{key.replace('_', '-')}={check[key]}" for key in ("timeout", "retries", "start_period")]
        assert not any(" " in word for word in check["test"])  # podman 4 splits at spaces
        return ["--health-cmd", " ".join(check["test"]), "--health-interval=disable", *times]

    def _networked(self, name: str, container: str, one: Mapping[str, Any]) -> list[str]:
        if "network_mode" in one:
            return ["--network", one["network_mode"]]
        return [
            word
            for network in one.get("networks", ["default"])
            for word in ("--network", f"crm_{network}:alias={name},alias={container}")
        ]

    def _mounted(self, volumes: Iterable[Mapping[str, Any]]) -> list[str]:
        found = []
        for one in volumes:
            assert set(one) <= {"type", "source", "target", "read_only", "volume"}
            source, kind = one["source"], one["type"]
            if kind == "bind":
                source = str((ROOT / source).resolve())
            else:
                source = f"crm_{source}"
                self.podman("volume", "create", source) if self._no(source) else None
                if part := one.get("volume", {}).get("subpath"):
                    kind, source = (
                        "bind",
                        f"{self.podman('volume', 'inspect', source, '--format={{.Mountpoint}}')}/{part}",
                    )
            found.append(
                f"--mount=type={kind},source={source},target={one['target']}{',ro' if one.get('read_only') else ''}"
            )
        return found

    def _no(self, volume: str) -> bool:
        return self.podman.tried("volume", "exists", volume).returncode != 0

    # --- order -----------------------------------------------------------------------------------------------------
    def _needed(self, name: str) -> dict[str, str]:
        return {other: one["condition"] for other, one in self.services[name].get("depends_on", {}).items()}

    def _ordered(self, name: str, order: list[str]) -> None:
        for needed in self._needed(name):
            self._ordered(needed, order)
        if name not in order:
            order.append(name)

    def _await(self, name: str, condition: str) -> None:
        """Wait until all containers of a service are as a `depends_on` asks for; PodmanError with their last words."""
        met: Callable[[str], bool] = {
            "service_healthy": self.healthy,
            "service_completed_successfully": self._completed,
        }[condition]
        until = time.monotonic() + WAIT_S
        while not all(met(container) for container in self.containers(name)):
            if time.monotonic() > until:
                raise PodmanError(f"{name}: no {condition} in {WAIT_S} s\n{self.said(name)}")
            time.sleep(TICK_S)

    def _completed(self, container: str) -> bool:
        state = self.podman.inspected(container)["State"]
        return state["Status"] == "exited" and state["ExitCode"] == 0

    def said(self, name: str) -> str:
        """Return the last words of a service's containers, and of their health checks."""
        told = []
        for container in self.containers(name):
            log = self.podman.tried("logs", "--tail", "40", container)
            state = self.podman.inspected(container)["State"]
            told.append(
                f"{container}: {json.dumps(state)[:3000]}\n{(log.stdout + log.stderr).decode(errors='replace')}"
            )
        return "\n".join(told)

    def _networks(self) -> None:
        for name, one in self.file["networks"].items():
            if self.podman.tried("network", "exists", f"crm_{name}").returncode:
                self.podman("network", "create", *(["--internal"] if one.get("internal") else []), f"crm_{name}")

    # --- variables -------------------------------------------------------------------------------------------------
    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        return VARIABLE.sub(self._value, value) if isinstance(value, str) else value

    def _value(self, found: re.Match[str]) -> str:
        if found["name"] is None:
            return "$"
        return self.environment.get(found["name"]) or found["default"] or ""
