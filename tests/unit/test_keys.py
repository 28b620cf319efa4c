"""The region's authority and the folder of keys, looked at with openssl, which is not ours."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import nkeys
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from infra.keys.authority import AwayError, pin
from infra.keys.ring import Ring, UnknownNameError, is_public, names, rewrite
from infra.nats.rights import principals
from infra.postgres.provision import passwords


@pytest.fixture
def ring(tmp_path):
    return Ring(tmp_path / "creds", ["nats.example.org", "192.0.2.7"])


def openssl(*words) -> str:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def verified(ring, file, purpose) -> str:
    checked = ("-crl_check", "-CRLfile", ring.authority.crl_file, "-purpose", purpose)
    return openssl("verify", "-x509_strict", "-CAfile", ring.authority.file, *checked, file)


def users(ring, account: str) -> set[str]:
    return {user["nkey"] for user in ring.nats()["accounts"][account]["users"]}


def request(key, name: str = "GTM") -> bytes:
    building = x509.CertificateSigningRequestBuilder()
    building = building.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    return building.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def public_nkey() -> str:
    pair = nkeys.from_seed(bytearray(nkeys.encode_seed(bytes(range(32)), nkeys.PREFIX_BYTE_USER)))
    return pair.public_key.decode()


def test_each_has_a_certificate_and_only_servers_serve(ring):
    for name in names():
        file = ring.certificate(name)
        assert verified(ring, file, "sslclient").strip().endswith("OK"), name
        serves = verified(ring, file, "sslserver").strip().endswith("OK")
        assert serves is (
            name
            in {
                "nats",
                "postgres",
                "prometheus",
                "alertmanager",
                "grafana",
                "otel",
                "intel",
                "victims",
                "legal",
                "training",
                "indicators",
            }
        )
        assert f"CN = {name}" in openssl("x509", "-in", file, "-noout", "-subject")
    told = openssl("x509", "-in", ring.certificate("nats"), "-noout", "-ext", "subjectAltName")
    assert "DNS:nats.example.org" in told
    assert "IP Address:192.0.2.7" in told


def test_secrets_are_for_their_owner_only_and_made_once(ring):
    files = {file: file.read_bytes() for file in ring.folder.rglob("*") if file.is_file()}
    open_ones = {file.name for file in files if file.stat().st_mode & 0o077}
    assert {name for name in open_ones if not name.endswith((".crt", "crl.pem"))} == set()
    again = Ring(ring.folder)
    assert again.hosts == ["nats.example.org", "192.0.2.7"]
    assert {file: file.read_bytes() for file in ring.folder.rglob("*") if file.is_file()} == files


def test_new_keys_are_taken_before_they_are_used_and_the_old_ones_end_last(ring):
    (old,) = users(ring, "GTM")
    before = ring.certificate("GTM").read_bytes()
    ring.prepare("GTM")
    assert len(users(ring, "GTM")) == 2
    assert ring.certificate("GTM").read_bytes() == before
    ring.settle("GTM")
    assert len(users(ring, "GTM")) == 2
    assert ring.certificate("GTM").read_bytes() != before
    assert [row["state"] for row in ring.state() if row["name"] == "GTM"] == ["in use", "previous"]
    ring.end("GTM")
    (new,) = users(ring, "GTM")
    assert new != old
    ring.authority.folder.joinpath("old.crt").write_bytes(before)
    assert "certificate revoked" in verified(ring, ring.folder / "old.crt", "sslclient")
    assert pin(x509.load_pem_x509_certificate(before)) not in ring.nats()["tls"]["pinned_certs"]


def test_who_is_revoked_has_nothing_until_it_is_let_in_again(ring):
    intel = ring.certificate("intel").read_bytes()
    for name in ("GTM", "intel"):
        ring.revoke(name)
    Ring(ring.folder)
    assert users(ring, "GTM") == set()
    assert "intel" not in passwords(ring.folder)
    left = {file.name for file in ring.folder.iterdir() if file.stem in {"GTM", "intel"}}
    assert left == {"GTM.revoked", "intel.revoked", "GTM.age", "GTM.witness", "intel.key", "intel.log"}, (
        "the keys that seal and sign stay"
    )
    ring.folder.joinpath("old.crt").write_bytes(intel)
    assert "certificate revoked" in verified(ring, ring.folder / "old.crt", "sslclient")
    for name in ("GTM", "intel"):
        ring.prepare(name)
        ring.settle(name)
    assert len(users(ring, "GTM")) == 1
    assert "intel" in passwords(ring.folder)


def test_a_country_keeps_its_keys_to_itself(ring):
    key = ec.generate_private_key(ec.SECP256R1())
    ring.accept("GTM", public_nkey(), request(key))
    ring.settle("GTM")
    ring.end("GTM")
    assert users(ring, "GTM") == {public_nkey()}
    certified = x509.load_pem_x509_certificate(ring.certificate("GTM").read_bytes())
    assert certified.public_key() == key.public_key()
    assert not (ring.folder / "GTM.nk").exists()
    assert not (ring.folder / "GTM.tls.key").exists()
    assert users(Ring(ring.folder), "GTM") == {public_nkey()}


def test_what_is_no_request_or_no_key_is_refused(ring):
    key = ec.generate_private_key(ec.SECP256R1())
    before = ring.nats()
    for nkey, csr in (
        (public_nkey(), b"nothing"),
        (public_nkey(), request(rsa.generate_private_key(65537, 2048))),
        (public_nkey()[:-1] + "A", request(key)),
        ("SUAMLK2ZNL35WSMW37E7UD4VZ7ELPKW7DHC3BWBSD2GCZ7IUQQXZIORRBU", request(key)),
    ):
        with pytest.raises(ValueError, match=r"."):
            ring.accept("GTM", nkey, csr)
    assert ring.nats() == before


def test_a_certificate_for_another_name_is_for_the_one_that_asked(ring):
    """The name in a request is not believed."""
    ring.accept("GTM", public_nkey(), request(ec.generate_private_key(ec.SECP256R1()), "operator"))
    assert "CN = GTM" in openssl("x509", "-in", ring.folder / "next" / "GTM.crt", "-noout", "-subject")


def held(ring) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in ring.folder.rglob("*") if file.is_file()}


def test_while_the_authoritys_key_is_in_the_safe_what_needs_it_is_refused_and_changes_nothing(ring, tmp_path):
    ring.prepare("SLV")
    ring.settle("SLV")
    ring.authority.key_file.rename(tmp_path / "safe")
    before = held(ring)
    key = ec.generate_private_key(ec.SECP256R1())
    for act in (
        lambda: ring.prepare("GTM"),
        lambda: ring.revoke("GTM"),
        lambda: ring.end("SLV"),
        lambda: ring.accept("GTM", public_nkey(), request(key)),
    ):
        with pytest.raises(AwayError, match="fetch its stick"):
            act()
        assert held(ring) == before
    again = Ring(ring.folder)  # a server needs it for nothing
    assert held(again) == before
    assert again.nats()["tls"]["pinned_certs"] == ring.nats()["tls"]["pinned_certs"]
    (tmp_path / "safe").rename(ring.authority.key_file)
    ring.revoke("GTM")
    assert users(ring, "GTM") == set()


def test_there_are_only_these_names(ring):
    for act in (ring.prepare, ring.revoke, ring.end):
        with pytest.raises(UnknownNameError):
            act("../GTM")
    assert set(principals()) < set(names())


def test_public_nkeys_are_told_apart():
    assert is_public(public_nkey())
    assert not is_public(public_nkey().lower())
    assert not is_public(public_nkey()[:-1])


def test_a_configuration_keeps_its_other_parts(ring, tmp_path):
    file = tmp_path / "nats.json"
    file.write_text(json.dumps({"listen": "127.0.0.1:4222", "accounts": {}}))
    file.chmod(0o600)
    rewrite(file, ring.nats())
    found = json.loads(file.read_text())
    assert found["listen"] == "127.0.0.1:4222"
    assert found["tls"]["verify"] is True
    assert file.stat().st_mode & 0o777 == 0o600


def test_certificates_end(ring):
    ends = [datetime.fromisoformat(row["until"]).replace(tzinfo=UTC) for row in ring.state()]
    assert max(ends) < datetime.now(UTC) + timedelta(days=398), "no longer than browsers and Java accept"
