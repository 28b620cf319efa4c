"""Settings that every service reads from the environment, once, at start (prefix `CRM_`)."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a service needs to know of its surroundings; a service with more to know extends it."""

    model_config = SettingsConfigDict(env_prefix="CRM_", extra="ignore", frozen=True)

    nats_url: str = "nats://127.0.0.1:4222"
    nats_seed: Path | None = None
    """File with the nkey seed of this service's NATS user."""
    recipients: Path | None = None
    """File with the public keys of those for whom refused reports are sealed (`recipients.json`)."""
    sealing_key: Path | None = None
    """File with the key, or the keys, with which this service seals what it sets aside."""
    log_key: Path | None = None
    """File with the key with which this service signs what its log is; in production there must be one."""
    witnesses: Path | None = None
    """File with the public keys of the countries that may cosign that, one a line."""
    tls_ca: Path | None = None
    """The region's authority (PEM). With it, certificate and key, HTTP is served by TLS and NATS reached by TLS."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_crl: Path | None = None
    """What of the authority is revoked; without it nothing is."""
    nats_monitor_url: str = ""
    """HTTP monitoring address of the NATS server, asked whether it syncs every write."""
    database_url: str = "postgresql://127.0.0.1:5432/crm"
    database_connections_max: int = 8
    environment: Literal["local", "production"] = "production"

    ops_host: str = "127.0.0.1"
    ops_port: int = 0
    """Port of /healthz, /readyz and /metrics; 0: any free one."""
    log_level: str = "INFO"

    clock_start: datetime | None = None
    """Plan time shown at `clock_epoch`; without it the clock is the real one."""
    clock_epoch: datetime | None = None
    speed: float = 1.0
    """Plan seconds per real second."""
    clock_ahead_file: Path | None = None
    """With `clock_start`: a file with the plan seconds by which the clock is set forward while it runs."""

    batch_size_max: int = 500
    retry_delay_s_max: float = 60.0
    reference_wait_s: float = 60.0
    """How long (real time) a report may wait for what it refers to, before it is refused."""
    aside_max: int = 5_000
    """Reports of one country that may wait for what they refer to, and as many that failed; beyond it it is refused."""
    stop_grace_s: float = 10.0
    stuck_s: float = 60.0
    """A loop silent for so long is ended by the watchdog."""

    def audit_key(self) -> bytes:
        """Return what the audit's hashes of questions are keyed with: only who holds the service's seed has it."""
        seed = self.nats_seed.read_bytes().strip() if self.nats_seed else b""
        return hashlib.blake2b(seed, person=b"crm-audit").digest()
