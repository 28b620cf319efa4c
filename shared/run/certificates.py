"""The certificates of a process: those that its settings name, taken anew from their files when these change."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import structlog

from shared.run.settings import Settings
from shared.run.telemetry import CERTIFICATE_EXPIRES, TRUST_EXPIRES
from shared.tls import Files

log = structlog.get_logger()

LOOK_S = 0.2
"""How often the files are looked at."""


def named(settings: Settings) -> Files | None:
    """Return the certificates that the settings name; none where they name none."""
    if not (settings.tls_ca and settings.tls_cert and settings.tls_key):
        return None
    return Files(settings.tls_ca, settings.tls_cert, settings.tls_key, settings.tls_crl)


class Kept:
    """The contexts of a process, kept as the files are."""

    def __init__(self, files: Files, service: str) -> None:
        """Remember whose they are; raises OSError or ssl.SSLError where a file is missing or none."""
        self.files, self.service = files, service
        self.client = files.client()
        self._all = [self.client]
        self._tell: list[Callable[[], Awaitable[None]]] = []
        self._expiry()

    def server(self, *, anybody: bool = False) -> ssl.SSLContext:
        """Return a further context, to serve with."""
        self._all.append(self.files.server(anybody=anybody))
        return self._all[-1]

    def whenever(self, told: Callable[[], Awaitable[None]]) -> None:
        """Call and await `told` when certificates were taken anew: what was agreed with the old ones may be over."""
        self._tell.append(told)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look at the files for the duration."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking

    async def _look(self) -> None:
        seen = self.files.changed()
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                found = self.files.changed()
                if found == seen:
                    continue
                for context in self._all:
                    self.files.load(context)
            except (OSError, ssl.SSLError) as error:  # half of them is written: the other half comes
                log.warning("certificates cannot be taken", error=type(error).__name__)
                continue
            seen = found
            self._expiry()
            log.info("took certificates anew")
            for told in self._tell:
                await told()

    def _expiry(self) -> None:
        CERTIFICATE_EXPIRES.labels(self.service).set(expiry(self.files.cert).timestamp())
        TRUST_EXPIRES.labels(self.service, "authority").set(expiry(self.files.ca).timestamp())
        if self.files.crl and self.files.crl.exists() and (ends := next_update(self.files.crl)):
            TRUST_EXPIRES.labels(self.service, "revoked").set(ends.timestamp())


def expiry(cert: Path) -> datetime:
    """Return when the certificate in the file ends."""
    from cryptography import x509  # noqa: PLC0415 - only where there is one

    return x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc


def next_update(crl: Path) -> datetime | None:
    """Return until when the list of revoked certificates in the file holds; None: without an end."""
    from cryptography import x509  # noqa: PLC0415 - only where there is one

    return x509.load_pem_x509_crl(crl.read_bytes()).next_update_utc
