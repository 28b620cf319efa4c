"""Files for `crm pub`: whatever an editor wrote is read, or told in one clear line without a traceback."""

import json

import pytest
from nats.aio.client import Client
from typer.testing import CliRunner

from infra.cli import app
from infra.cli.pub import _read
from shared.client import CountryClient
from shared.client.errors import Invalid
from shared.contracts import registry
from shared.contracts.schema import example

REPORT = example(registry()["crm.intel.document.flagged.v1"])
TEXT = json.dumps(REPORT)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_with_a_byte_order_mark_is_read(tmp_path, encoding):
    path = tmp_path / "reports.json"
    path.write_text(TEXT, encoding=encoding)
    assert _read(str(path)) == [REPORT]
    path.write_text(f"[{TEXT}, {TEXT}]\r\n", encoding=encoding)
    assert _read(str(path)) == [REPORT, REPORT]


def test_big_endian_too(tmp_path):
    path = tmp_path / "reports.json"
    path.write_bytes(b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert _read(str(path)) == [REPORT]


UNFIT = {
    "half a pair": b'{"id": "\\ud800"}',
    "half a pair in a key": b'{"\\udfff": 1}',
    "utf-16 without a mark": TEXT.encode("utf-16-le"),
    "cut utf-16": b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1],
    "latin-1": '{"id": "niño"}'.encode("latin-1"),
    "no json": b"id: 1",
    "empty": b"",
    "two lines": TEXT.encode() + b"\n" + TEXT.encode(),
    "a number": b"7",
    "a list of numbers": b"[1, 2]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "a long number": b'{"a": ' + b"9" * 5000 + b"}",
    "a mark alone": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("content", UNFIT.values(), ids=UNFIT)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path, content):
    path = tmp_path / "reports.json"
    path.write_bytes(content)
    outcome = CliRunner().invoke(
        app, ["pub", str(path), "--as", "GTM", "--nats-url", "nats://127.0.0.1:1", "--seed", "x"]
    )
    assert outcome.exit_code == 2
    assert isinstance(outcome.exception, SystemExit)
    assert "reports.json" in "".join(outcome.output.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split())
    assert "Traceback" not in outcome.output


def test_a_client_says_what_it_cannot_write():
    client = CountryClient(Client(), "GTM", "test")
    for odd in (10**30, "\ud800"):
        with pytest.raises(Invalid):
            client._checked(REPORT | {"data": {"count": odd}})


def test_a_folder_or_nothing_is_told_too(tmp_path):
    for name in (tmp_path, tmp_path / "none.json"):
        outcome = CliRunner().invoke(app, ["pub", str(name), "--as", "GTM", "--nats-url", "nats://x", "--seed", "x"])
        assert outcome.exit_code == 2
