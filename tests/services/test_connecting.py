"""A country's client that cannot connect says what keeps it; where `tls://` was asked for it says nothing in clear."""

import asyncio
import ssl

import pytest

from infra.testkit.processes import free_port
from shared import tls
from shared.client import Denied, Unreachable, connect

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""nats-py leaves the sockets of lost connections to the collector."""


async def tried(url, key):
    async with connect(url, key, "GTM", timeout_s=8):
        pass


@pytest.fixture
def alone(region, tmp_path):
    """Guatemala's key with no certificates beside it."""
    key = tmp_path / "GTM.nk"
    key.write_text(region.seed("GTM").read_text())
    return key


async def test_a_key_that_the_region_does_not_know_is_denied(region, tmp_path):
    key = tmp_path / "GTM.nk"
    key.write_text("SUAKINP3Z2BPUXWOFSW2FZC7TFJCMMU7DHKP2C62IJQUDASOCDSTDTRMJ4")
    with pytest.raises(Denied, match="GTM"):
        await tried(region.nats.url, key)


async def test_an_address_where_nobody_listens_is_named_with_the_reason(region):
    with pytest.raises(Unreachable, match="ConnectionRefusedError"):
        await tried(f"nats://127.0.0.1:{free_port()}", region.seed("GTM"))


async def test_without_certificates_nothing_is_said_in_clear_to_who_has_no_tls(region, alone):
    """Somebody between could answer so: the real region, without TLS, must not be spoken to either."""
    assert tls.beside(alone) is None
    with pytest.raises(Unreachable, match="SSL"):
        await tried(region.nats.url.replace("nats://", "tls://"), alone)


async def test_who_says_that_no_tls_is_needed_hears_not_a_word(region, alone):
    heard = bytearray()

    async def between(reader, writer):
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576,"proto":1,"nonce":"abc"}\r\n')
        heard.extend(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(between, "127.0.0.1", 0)
    with pytest.raises(Unreachable):
        await tried(f"tls://127.0.0.1:{server.sockets[0].getsockname()[1]}", alone)
    server.close()
    assert b"CONNECT" not in heard
    assert b"GTM" not in heard


def test_without_certificates_tls_trusts_only_authorities_of_the_machine():
    told = tls.to_nats("tls://nats.example.org:4222", None)
    assert told["tls"].verify_mode is ssl.CERT_REQUIRED
    assert told["tls"].minimum_version is ssl.TLSVersion.TLSv1_3
    assert tls.to_nats("nats://127.0.0.1:4222", None) == {}
