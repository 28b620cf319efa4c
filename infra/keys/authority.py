"""The region's certificate authority (X.509, RFC 5280): it certifies principals and servers, and revokes them."""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.keys.files import write

AUTHORITY_DAYS, CERTIFICATE_DAYS, CRL_DAYS = 3650, 397, 3650
EARLIER = timedelta(hours=1)
"""A certificate is valid from a little before it is made: clocks differ."""


class AwayError(LookupError):
    """The authority's key is not in the folder: it lies in the safe."""


class Authority:
    """The authority in a folder: `ca.crt`, `ca.tls.key`, `crl.pem`. Its key is needed to certify and to revoke only."""

    def __init__(self, folder: Path) -> None:
        """Take the authority of the folder, made when there is none."""
        self.folder = folder
        self.file, self.key_file, self.crl_file = (folder / name for name in ("ca.crt", "ca.tls.key", "crl.pem"))
        if not self.file.exists():
            self._make()
        self.certificate = x509.load_pem_x509_certificate(self.file.read_bytes())
        if not self.crl_file.exists():
            self.revoke(())

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("CRM Plan of Action, regional authority")
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            _begun(name, name, key.public_key(), timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write(self.key_file, private(key))
        write(self.file, made.public_bytes(serialization.Encoding.PEM), 0o644)

    def certify(
        self,
        name: str,
        public: ec.EllipticCurvePublicKey,
        hosts: Sequence[str] = (),
        lasts: timedelta = timedelta(days=CERTIFICATE_DAYS),
    ) -> bytes:
        """Return a certificate (PEM) for a principal; with `hosts`, also for a server that is called so."""
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
        building = (
            _begun(_name(name), self.certificate.subject, public, lasts)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key().public_key()), critical=False)
        )
        if hosts:
            building = building.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        return building.sign(self._key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def revoke(self, certificates: Iterable[x509.Certificate]) -> None:
        """Add these to the list of what is revoked, and sign it anew."""
        now = datetime.now(UTC)
        listed = [*self.revoked()]
        known = {one.serial_number for one in listed}
        building = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject).last_update(now)
        building = building.next_update(now + timedelta(days=CRL_DAYS))
        for one in certificates:
            if one.serial_number not in known:
                entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(now)
                listed.append(entry.build())
        for listed_one in listed:
            building = building.add_revoked_certificate(listed_one)
        building = building.add_extension(x509.CRLNumber(int(now.timestamp() * 1_000_000)), critical=False)
        signed = building.sign(self._key(), hashes.SHA256())
        write(self.crl_file, signed.public_bytes(serialization.Encoding.PEM), 0o644)

    def revoked(self) -> Sequence[x509.RevokedCertificate]:
        """Return what is revoked."""
        if not self.crl_file.exists():
            return []
        return [*x509.load_pem_x509_crl(self.crl_file.read_bytes())]

    def present(self) -> None:
        """Raise AwayError where the key is not there."""
        if not self.key_file.exists():
            raise AwayError(
                f"the authority's key is needed, and {self.key_file} is not there: fetch its stick, copy the key in, "
                "and take it away afterwards"
            )

    def _key(self) -> ec.EllipticCurvePrivateKey:
        self.present()
        key = serialization.load_pem_private_key(self.key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


def private(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def pin(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's public key, by which nats-server knows it (`pinned_certs`)."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest = hashes.Hash(hashes.SHA256())
    digest.update(certificate.public_key().public_bytes(serialization.Encoding.DER, form))
    return digest.finalize().hex()


def _begun(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    building = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    building = building.serial_number(x509.random_serial_number()).not_valid_before(now - EARLIER)
    return building.not_valid_after(now + lasts)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
