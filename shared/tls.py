"""TLS between the parts: version 1.3, certificates on both sides; the files are PEM, as `crm keys` makes them.

Who names none goes on without TLS, on loopback.
"""

import ssl
import urllib.request
from pathlib import Path
from typing import Any

from msgspec import Struct


class Files(Struct, frozen=True):
    """Where the certificates of one principal lie."""

    ca: Path
    """The region's authority: who is trusted."""
    cert: Path
    key: Path
    crl: Path | None = None
    """What of the authority is revoked; without it nothing is."""

    def client(self) -> ssl.SSLContext:
        """Return what to connect with: to who has a certificate for the name that was called, and with one's own."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.ca)
        return self._loaded(context)

    def server(self, *, anybody: bool = False) -> ssl.SSLContext:
        """Return what to serve with: to who has a certificate, or to anybody, whose certificate then must be valid."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.ca)
        context.verify_mode = ssl.CERT_OPTIONAL if anybody else ssl.CERT_REQUIRED
        context.num_tickets = 0  # a session taken up again would not be looked at for revocation
        return self._loaded(context)

    def _loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.load(context)
        return context

    def load(self, context: ssl.SSLContext) -> None:
        """Take certificate, key and what is revoked from the files, for all handshakes from now on."""
        context.load_cert_chain(self.cert, self.key)
        if self.crl and self.crl.exists():
            context.load_verify_locations(cafile=self.crl)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF

    def changed(self) -> tuple[int, ...]:
        """Return what differs when one of the files was written."""
        files = [self.cert, self.key, *([self.crl] if self.crl else [])]
        return tuple(file.stat().st_mtime_ns for file in files if file.exists())


def beside(seed: Path | str | None) -> Files | None:
    """Return the certificates beside an nkey seed, as `crm keys` lays them: `GTM.nk`, `GTM.crt`, `GTM.tls.key`."""
    if seed is None:
        return None
    cert = Path(seed).with_suffix(".crt")
    files = Files(cert.with_name("ca.crt"), cert, cert.with_suffix(".tls.key"), cert.with_name("crl.pem"))
    return files if files.ca.exists() and files.cert.exists() else None


def to_nats(url: str, files: Files | None) -> dict[str, Any]:
    """Return what a NATS client needs to know of TLS: for `tls://` the handshake comes before a word in clear."""
    if not url.startswith("tls://"):
        return {}
    return {"tls": files.client() if files else anonymous(), "tls_handshake_first": True}


def anonymous() -> ssl.SSLContext:
    """Return what to connect with who has no certificates: to whom the machine's own authorities vouch for."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def calls(files: Files | None) -> None:
    """Have this process ask HTTPS addresses with these certificates (urllib)."""
    if files:
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=files.client()))
        urllib.request.install_opener(opener)
