"""The real system with TLS on: who has a certificate gets in, who has none or a revoked one does not, nothing is lost.

The servers are the embedded NATS and Debian's PostgreSQL (package `postgresql-15`): the wheel's is built without TLS.
"""

import asyncio
import json
import shutil
import ssl
import time
import urllib.error
import urllib.request

import asyncpg
import nats
import pytest

from infra.local.postgres import remove
from shared import tls
from shared.client import ClientError, connect
from tests.deploy.copying import DEBIANS, Copy
from tests.harness.system import until

FLAGGED = {
    "doc_code": "PP",
    "issuing": "HND",
    "fraud_type": "photo_substitution",
    "detected_by": "second_line",
    "reported_by": "immigration",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    assert DEBIANS.exists(), "Debian's PostgreSQL is missing: apt-get install postgresql-15"
    made = Copy(tmp_path_factory.mktemp("tls"))
    made.start()
    asyncio.run(made.ready())
    yield made
    made.stop()
    remove(made.state / "postgres")


def refused(call, *arguments) -> str:
    with pytest.raises((OSError, ssl.SSLError, urllib.error.URLError)) as caught:
        call(*arguments)
    return str(caught.value)


async def test_a_report_goes_its_way_and_all_is_read_by_tls(copy):
    assert copy.run["nats"].startswith("tls://")
    assert copy.run["http"].startswith("https://")
    async with copy.country("GTM") as gtm:
        report = gtm.report("intel.document.flagged", FLAGGED, subject="doc-1")
        await gtm.publish(report)
        heard = []
        async for event in gtm.mailbox(idle_s=20):
            heard.append((event.name, event.id))
            if event.id == report["id"]:
                break
        assert heard[-1][1] == report["id"], heard
        assert await gtm.ask("intel", "quota") is not None
    assert "<html" in copy.get(f"{copy.run['http']}/", copy.anonymous())
    scraped = copy.get(f"{copy.run['ops']['intel']}/metrics", copy.files("prometheus").client())
    assert "crm_certificate_expires_timestamp_seconds" in scraped
    assert '"log": 1' in copy.crm("status", "--json")


async def test_who_has_no_certificate_is_let_in_nowhere_but_on_the_board(copy):
    refused(copy.get, f"{copy.run['ops']['intel']}/readyz", copy.anonymous())
    old = copy.files("prometheus").client()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
    refused(copy.get, f"{copy.run['ops']['intel']}/readyz", old)
    refused(copy.get, f"{copy.run['http']}/", ssl.create_default_context())
    refused(urllib.request.urlopen, f"http{copy.run['http'].removeprefix('https')}/")

    once = {"allow_reconnect": False, "connect_timeout": 5, "nkeys_seed": str(copy.seed("GTM"))}
    plain = f"nats://{copy.run['nats'].removeprefix('tls://')}"
    with pytest.raises((nats.errors.Error, OSError)):
        await nats.connect(plain, **once, tls=copy.anonymous())
    with pytest.raises((nats.errors.Error, OSError)):
        await nats.connect(copy.run["nats"], **once, tls=copy.anonymous(), tls_handshake_first=True)
    with pytest.raises((nats.errors.Error, OSError)):
        await nats.connect(copy.run["nats"], **once, tls=copy.files("grafana").client(), tls_handshake_first=True)

    operator = copy.run["postgres"]
    for address in (
        operator.partition("?")[0],
        operator.replace("/operator.", "/intel."),
        operator.replace("/operator.", "/GTM."),
    ):
        with pytest.raises((asyncpg.PostgresError, OSError, ssl.SSLError)):
            await asyncpg.connect(address)


async def test_a_server_that_says_it_needs_no_tls_is_not_believed(copy):
    """Somebody between, who strips TLS: the client says nothing to it in clear."""
    heard = bytearray()

    async def between(reader, writer) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576,"proto":1,"nonce":"abc"}\r\n')
        heard.extend(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(between, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ClientError):
        async with connect(f"tls://127.0.0.1:{port}", copy.seed("GTM"), "GTM", timeout_s=3):
            pass
    server.close()
    assert b"CONNECT" not in heard
    assert heard[:1] == b"\x16", "a TLS handshake, and no word before it"


async def test_rotation_under_traffic_loses_nothing_and_ends_the_old_keys(copy, tmp_path):
    for ending in ("nk", "crt", "tls.key"):
        shutil.copy(copy.creds / f"intel.{ending}", tmp_path / f"intel.{ending}")
    shutil.copy(copy.creds / "ca.crt", tmp_path / "ca.crt")
    sent, stopping = [], asyncio.Event()

    async def report() -> None:
        async with copy.country("HND") as hnd:
            while not stopping.is_set():
                one = hnd.report("intel.document.flagged", FLAGGED, subject=f"rotated-{len(sent)}")
                await hnd.publish(one)
                sent.append(one["id"])
                await asyncio.sleep(0.02)

    reporting = asyncio.create_task(report())
    for name in ("intel", "SLV", "nats", "intel"):
        began = len(sent)
        await until(lambda began=began: len(sent) > began + 10, "reports before it")
        print(await asyncio.to_thread(copy.crm, "keys", "rotate", name))
    last = len(sent)
    await until(lambda: len(sent) > last + 10, "reports after it")
    stopping.set()
    await reporting

    async def all_there() -> bool:
        return set(sent) <= {*await copy.log("intel")}

    await until(all_there, "every report to be recorded", 120)
    recorded = [one for one in await copy.log("intel") if one in set(sent)]
    assert len(recorded) == len(sent), "each once"
    once = {"allow_reconnect": False, "connect_timeout": 5, "tls_handshake_first": True}
    for shown in (tls.beside(tmp_path / "intel.nk"), copy.files("intel")):  # nor with a certificate that is good
        context = shown.client()
        with pytest.raises((nats.errors.Error, OSError)):
            await nats.connect(copy.run["nats"], nkeys_seed=str(tmp_path / "intel.nk"), tls=context, **once)
    await until(lambda: copy.is_ready("intel"), "intel to be ready with its new key", 120)


async def test_who_is_revoked_is_out_at_once_and_the_others_go_on(copy, tmp_path):
    closed, at = asyncio.Event(), []

    async def gone() -> None:
        at.append(time.monotonic())
        closed.set()

    mex = await nats.connect(
        copy.run["nats"],
        nkeys_seed=str(copy.seed("MEX")),
        tls=copy.files("MEX").client(),
        tls_handshake_first=True,
        disconnected_cb=gone,
        max_reconnect_attempts=1,
    )
    for ending in ("nk", "crt", "tls.key"):
        shutil.copy(copy.creds / f"MEX.{ending}", tmp_path / f"MEX.{ending}")
    shutil.copy(copy.creds / "ca.crt", tmp_path / "ca.crt")
    began = time.monotonic()
    told = await asyncio.to_thread(copy.crm, "keys", "revoke", "MEX")
    ended = time.monotonic()
    await asyncio.wait_for(closed.wait(), 60)
    print(f"{told.strip()}: out {at[0] - began:.2f} s after the command began, which took {ended - began:.2f} s")
    assert at[0] - ended < ended - began, "sooner than the command could be given again"
    await mex.close()
    with pytest.raises(ClientError):
        async with connect(copy.run["nats"], tmp_path / "MEX.nk", "MEX", timeout_s=5):
            pass
    async with copy.country("PAN") as pan:
        await pan.publish(pan.report("intel.document.flagged", FLAGGED, subject="doc-2"))
    rows = json.loads(copy.crm("keys", "list", "--json"))
    assert [row["state"] for row in rows if row["name"] == "MEX"] == ["revoked"]
    await asyncio.to_thread(copy.crm, "keys", "rotate", "MEX")
    async with copy.country("MEX") as again:
        await again.publish(again.report("intel.document.flagged", FLAGGED, subject="doc-3"))


async def test_a_scraper_that_is_revoked_scrapes_no_more(copy, tmp_path):
    files = copy.files("prometheus")
    held = files.client()
    address = f"{copy.run['ops']['legal']}/metrics"
    assert copy.get(address, held)
    await asyncio.to_thread(copy.crm, "keys", "revoke", "prometheus")

    def out() -> bool:
        try:
            copy.get(address, held)
        except OSError:
            return True
        return False

    await until(out, "the scraper to be refused", 10)
    assert copy.get(address, copy.files("operator").client())


async def test_a_database_role_that_is_revoked_is_out(copy):
    address = copy.run["postgres"]
    connection = await asyncpg.connect(address)
    own = tls.Files(copy.creds / "ca.crt", copy.creds / "operator.crt", copy.creds / "operator.tls.key").client()
    await asyncio.to_thread(copy.crm, "keys", "revoke", "operator")
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("select 1")
    with pytest.raises((asyncpg.PostgresError, OSError, ssl.SSLError)):
        await asyncpg.connect(address.partition("?")[0], ssl=own)
    await asyncio.to_thread(copy.crm, "keys", "rotate", "operator")


async def test_keys_are_kept_over_a_restart(copy):
    before = {file.name: file.read_bytes() for file in copy.creds.glob("*.crt")}
    copy.stop()
    copy.start()
    await copy.ready()
    assert {file.name: file.read_bytes() for file in copy.creds.glob("*.crt")} == before
    secret = [file for ending in ("nk", "tls.key", "pw", "pgpass") for file in copy.creds.rglob(f"*.{ending}")]
    assert secret
    assert {file.stat().st_mode & 0o777 for file in secret} == {0o600}
    async with copy.country("CRI") as cri:
        await cri.publish(cri.report("intel.document.flagged", FLAGGED, subject="doc-4"))
