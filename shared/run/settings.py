"""Settings that every service reads from the environment, once, at start (prefix `CRM_`).

What is wrong is told all at once, each with its name and what it should be, and never with what it was: it may be a
secret. Names that no process of ours knows are wrong as well: a misspelt setting would have no effect.
"""

import contextlib
import difflib
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EXIT_MISCONFIGURED = 78
"""Exit code when settings or surroundings are not as expected; what differs is said. EX_CONFIG of BSD's sysexits."""
PREFIX = "CRM_"
# fmt: off
ELSEWHERE = frozenset((
    "ALERTS_EMAIL", "ALERTS_HEARTBEAT", "ALERTS_SMTP_FROM", "ALERTS_SMTP_HOST", "ALERTS_SMTP_PASSWORD",
    "ALERTS_SMTP_USER", "ALERTS_WEBHOOK", "ARCHIVE", "BACKUP_AT", "BACKUP_DAYS",
    "BACKUP_TO", "BOARD_URL", "CA", "CERTIFICATE", "CERTIFICATE_KEY", "CONTEXT",
    "COUNTRY", "CRASH_AT", "CREDS_DIR",
    "DATABASE_URL", "GRAFANA_PORT", "HOSTS", "HTTP_HOST", "HTTP_HOSTS", "HTTP_PORT", "KEY",
    "KEYS", "KEYS_DATABASE_URL", "KEYS_FILE", "NATS_ADDRESS",
    "NATS_DISK_GIB", "NATS_PORT", "NUMBERS_KEY", "OPERATOR_TOKEN", "OPERATOR_TOKEN_FILE", "OPS_PORT", "OPS_URLS",
    "PG_BIN", "PLAN_FOLDER", "PROMETHEUS_PORT", "QUOTAS_FILE", "RATE", "REGION_SEED", "REGION_STATE", "SEATS_FILE",
    "SIGNING_FILE", "SIGNING_KEY", "STATE_DIR", "TESTBED_PORT", "TOKEN", "UPKEEP", "VERIFY_AT", "VERSION",
))
# fmt: on
"""What other processes of ours, `crm`, make and compose read: one file of settings may be given to all."""
POLICIES = ("INTEL_", "VICTIMS_", "LEGAL_", "TRAINING_")
"""How the clocks and thresholds of a service begin; which there are is known in that service only."""
SPEED_MAX = 1_000_000_000.0
"""Plan seconds a real second: thirty years. Beyond it a second is longer than the Plan."""
S = TypeVar("S", bound=BaseSettings)


def _addressed(*schemes: str, several: bool = False, empty: bool = False) -> AfterValidator:
    def checked(text: str) -> str:
        each = text.split(",") if several else [text]
        if not (empty and not text) and not all(_address(one.strip(), schemes) for one in each):
            known = " or ".join(f"{one}://" for one in schemes)
            raise ValueError(f"it should be an address that begins with {known} and names a host")
        return text

    return AfterValidator(checked)


def _databases(text: str) -> str:
    """Refuse several hosts of which a standby might be taken: it cannot record."""
    found = urlsplit(text)
    if "," in found.netloc and "target_session_attrs=read-write" not in found.query.split("&"):
        raise ValueError("with several hosts it should end with ?target_session_attrs=read-write")
    return text


def _address(text: str, schemes: tuple[str, ...]) -> bool:
    several = "postgresql" in schemes
    try:
        found = urlsplit(text)
        hosts = found.netloc.rpartition("@")[2]
        if not all(urlsplit(f"//{host}").port != 0 for host in (hosts.split(",") if several else [found.netloc])):
            return False
    except ValueError:
        return False
    return found.scheme in schemes and bool(found.netloc or found.query)


def _there(file: Path | None) -> Path | None:
    if file is not None and not file.is_file():
        raise ValueError("there is no such file")
    return file


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise ValueError("there is no such folder")
    return folder


Database = Annotated[str, _addressed("postgresql", "postgres"), AfterValidator(_databases)]
DatabaseOrNone = Annotated[str, _addressed("postgresql", "postgres", empty=True), AfterValidator(_databases)]
Address = Annotated[str, _addressed("http", "https", empty=True)]
File = Annotated[Path | None, AfterValidator(_there)]
Folder = Annotated[Path, AfterValidator(_folder)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Waiting = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3_650))]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)]


class Settings(BaseSettings):
    """What a service needs to know of its surroundings; a service with more to know extends it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    nats_url: Annotated[str, _addressed("nats", "tls", several=True)] = "nats://127.0.0.1:4222"
    nats_seed: File = None
    """File with the nkey seed of this service's NATS user."""
    recipients: File = None
    """File with the public keys of those for whom refused reports are sealed (`recipients.json`)."""
    sealing_key: File = None
    """File with the key, or the keys, with which this service seals what it sets aside."""
    log_key: File = None
    """File with the key with which this service signs what its log is; in production there must be one."""
    witnesses: File = None
    """File with the public keys of the countries that may cosign that, one a line."""
    tls_ca: File = None
    """The region's authority (PEM). With it, certificate and key, HTTP is served by TLS and NATS reached by TLS."""
    tls_cert: File = None
    tls_key: File = None
    tls_crl: File = None
    """What of the authority is revoked; without it nothing is."""
    nats_monitor_url: Address = ""
    """HTTP monitoring address of the NATS server, asked whether it syncs every write."""
    database_url: Database = "postgresql://127.0.0.1:5432/crm"
    database_connections_max: Annotated[int, Field(ge=4, le=1000)] = 8
    environment: Literal["local", "production"] = "production"

    ops_host: str = "127.0.0.1"
    ops_port: Port = 0
    """Port of /healthz, /readyz and /metrics; 0: any free one."""
    log_level: Level = "INFO"

    clock_start: datetime | None = None
    """Plan time shown at `clock_epoch`; without it the clock is the real one."""
    clock_epoch: datetime | None = None
    speed: Annotated[float, Field(gt=0, le=SPEED_MAX, allow_inf_nan=False)] = 1.0
    """Plan seconds per real second."""
    clock_ahead_file: File = None
    """With `clock_start`: a file with the plan seconds by which the clock is set forward while it runs."""

    batch_size_max: Annotated[int, Field(ge=1, le=10_000)] = 500
    retry_delay_s_max: Seconds = 60.0
    reference_wait_s: Seconds = 60.0
    """How long (real time) a report may wait for what it refers to, before it is refused."""
    aside_max: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    """Reports of one country that may wait for what they refer to, and as many that failed; beyond it it is refused."""
    stop_grace_s: Seconds = 10.0
    stuck_s: Seconds = 60.0
    """A loop silent for so long is ended by the watchdog."""

    def audit_key(self) -> bytes:
        """Return what the audit's hashes of questions are keyed with: only who holds the service's seed has it."""
        seed = self.nats_seed.read_bytes().strip() if self.nats_seed else b""
        return hashlib.blake2b(seed, person=b"crm-audit").digest()


_wrong: list[str] = []
"""What was wrong with the policies that were read so far."""


def policy(kind: type[S]) -> S:
    """Return the clocks and thresholds of a service; what is wrong with them `configured` tells, with all else."""
    try:
        found = kind()
    except ValidationError as error:
        _wrong.extend(_told(kind, error))
        found = kind.model_construct()
    prefix = str(kind.model_config["env_prefix"])
    known = {f"{prefix}{name.upper()}" for name in kind.model_fields}
    _wrong.extend(_unknown(known, os.environ, lambda name: name.startswith(prefix)))
    return found


def configured(kind: type[S]) -> S:
    """Return the settings of this process. With anything wrong it ends, and says all of it (exit code 78)."""
    faults = [*_wrong, *_names(kind), *_contradicting()]
    try:
        found = kind()
    except ValidationError as error:
        _misconfigured([*faults, *_told(kind, error)])
    if faults:
        _misconfigured(faults)
    return found


def _contradicting() -> Iterator[str]:
    """Say what is set that does not go together, whatever else is wrong."""
    given = {name for name, value in os.environ.items() if value}
    clock, epoch, ahead = "CRM_CLOCK_START", "CRM_CLOCK_EPOCH", "CRM_CLOCK_AHEAD_FILE"
    if len({clock, epoch} & given) == 1:
        yield f"{clock} and {epoch} belong together: plan time, and when it shows in real time"
    for name in (clock, epoch):
        with contextlib.suppress(ValueError):  # what is no time is told where it is read
            if name in given and datetime.fromisoformat(os.environ[name]).tzinfo is None:
                yield f"{name}: it should have an offset from UTC, such as Z"
    for name in ("CRM_SPEED", ahead):
        if name in given and clock not in given and os.environ[name] not in {"1", "1.0"}:
            yield f"{name} is of plan time: set {clock} as well, or leave it out"
    tls = [f"CRM_TLS_{one}" for one in ("CA", "CERT", "KEY")]
    if 0 < len({*tls} & given) < len(tls):
        yield f"{', '.join(tls)} belong together"


def _misconfigured(faults: list[str]) -> NoReturn:
    print("not started: settings are not as they should be (docs/operations.md, Settings)", file=sys.stderr)  # noqa: T201 - there is no log yet
    for fault in faults:
        print(f"  {fault}", file=sys.stderr)  # noqa: T201
    sys.exit(EXIT_MISCONFIGURED)


def unknown(given: Mapping[str, str]) -> Iterator[str]:
    """Say which names of `given` no process of ours knows; those of the clocks and thresholds are left out."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}{name}" for name in ELSEWHERE}
    others = tuple(f"{PREFIX}{one}" for one in POLICIES)
    return _unknown(known, given, lambda name: name.startswith(PREFIX) and not name.startswith(others))


def _names(kind: type[BaseSettings]) -> Iterator[str]:
    known = {f"{PREFIX}{name.upper()}" for name in kind.model_fields} | {f"{PREFIX}{name}" for name in ELSEWHERE}
    others = tuple(f"{PREFIX}{one}" for one in POLICIES)
    return _unknown(known, os.environ, lambda name: name.startswith(PREFIX) and not name.startswith(others))


def _unknown(known: set[str], given: Mapping[str, str], ours: Callable[[str], bool]) -> Iterator[str]:
    for name in sorted(one for one in given if ours(one) and one not in known):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        yield f"{name}: there is no such setting" + (f"; is {near[0]} meant?" if near else "")


def _told(kind: type[BaseSettings], error: ValidationError) -> Iterator[str]:
    """Say what is wrong with each setting, without what it was."""
    prefix = str(kind.model_config["env_prefix"])
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        name = "".join(f"{prefix}{part}".upper() for part in one["loc"][:1])
        said = one["msg"].removeprefix("Value error, ").removeprefix("Input ")
        yield f"{name}: {said}" if name else said
