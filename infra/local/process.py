"""Child processes that never outlive us, however we end."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class StartError(RuntimeError):
    """A server did not start; the message says what to look at."""


def spawn(  # noqa: PLR0913 - the facts of a process, each named at its place of use
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    orphaned: signal.Signals = signal.SIGKILL,
) -> "subprocess.Popen[bytes]":
    """Start a process that gets the signal `orphaned` when we die; its output is appended to `log`.

    Call it from the main thread: Linux sends the signal when the *thread* that started the child ends.
    A session of its own keeps the terminal's Ctrl-C away: we end our children in order ourselves.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - commands are our own
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_dies_with_parent(orphaned),  # noqa: PLW1509 - only a system call, after the user changes
            **_as_user(user),
        )


def run(command: Sequence[str | Path], *, cwd: Path, user: str | None = None) -> None:
    """Run a command to its end; StartError with its last words when it fails."""
    done = subprocess.run(  # noqa: S603 - commands are our own
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=clean_env(),
        cwd=cwd,
        check=False,
        **_as_user(user),
    )
    if done.returncode:
        raise StartError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")


def stop(process: "subprocess.Popen[bytes]", how: signal.Signals = signal.SIGTERM, grace_s: float = 3.0) -> None:
    """End a process with `how`, and by force after `grace_s`; one that has ended already is fine."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def clean_env() -> dict[str, str]:
    """Return an environment that does not depend on ours: servers take their settings from flags."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def tail(log: Path, lines: int = 8) -> str:
    """Return the last lines of a log, for error messages."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _dies_with_parent(orphaned: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def set_signal() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(orphaned))
            if os.getppid() != parent:  # the parent died between fork and here
                os._exit(1)

    return set_signal


def _as_user(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
