"""The HTTP ports as anybody may use them: odd requests, half-open and slow ones, on the board and for operators."""

import asyncio
import contextlib
import itertools
import json
import time

import pytest

from infra.testkit.servers import TOKEN
from tests.harness.speaking import clock
from tests.harness.system import free_port, until

CANARY = "Kanarya"
HALF_OPEN = 1500
BEGUN = b"GET / HTTP/1.1\r\nHost: x\r\n"
QUICK_S = 15
"""An answer while others hold connections, on a machine with ten times too much to do."""


@pytest.fixture
async def ports(system):
    board, ops = free_port(), free_port()
    env = {"CRM_HTTP_PORT": str(board), "CRM_OPS_PORT": str(ops), "CRM_HTTP_HOSTS": "127.0.0.1, board.example"}
    system.start("indicators", **env, **clock())
    await system.ready()
    return board, ops


async def sent(port, request: bytes, patience_s=60):
    """The whole answer to the bytes of a request, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), patience_s)
    finally:
        await ended(writer)


async def ended(writer):
    """Close at once, whatever was not sent: a connection left to the garbage warns in another test."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def got(port, target, *headers, method="GET", host="127.0.0.1"):
    head = "\r\n".join((f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers))
    answer = await sent(port, f"{head}\r\n\r\n".encode("latin-1"))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1").lower(), body


DAYS = (
    *("0001-01-01", "0001-06-01", "1989-12-31", "2201-01-01", "9999-12-31", "2004-02-30", "20040301", "2004-3-1"),
    *("x", "%00", "%ED%A0%80", "%FF", "2004-03-01%0A", "2004-03-01T00:00:00Z", "+2004-03-01", "1" * 3000),
)
REVISIONS = ("9" * 20, "0", "-1", "1.0", "01", "x", "%D9%A1", "1%00", "1e3", "%ED%A0%80")
DATED = ("/api/indicators", "/api/objectives", "/indicators/VA-4.1")
REFUSED = {
    400: (
        *(f"{page}?as_of={day}" for page in DATED for day in DAYS),
        *(f"/reports/2004-Q1{form}?revision={one}" for form in ("", ".json") for one in REVISIONS),
        *("/?lang=xx", "/?lang=es%00", "/?lang=ES", "/indicators/VA-4.1?lang=%ED%A0%80"),
        *("/?as_of=2004-03-01", "/?x=1", "/api/milestones?as_of=2004-03-01", "/metrics?name[]=x", "/readyz?x=1"),
        *("/contracts?%ED%A0%80=1", f"/contracts?{CANARY}={CANARY}", "/reports/2004-Q1?as_of=2004-03-31"),
        *("/?lang=es&lang=en", "/api/indicators?as_of=2004-03-01&as_of=2004-03-01", "/?lang=&lang=es"),
    ),
    404: (
        *("/nothing", "/api", "/indicators/", "/indicators/VA", "/indicators/%00", "/indicators/%ED%A0%80"),
        *("/api/indicators/%2e", "/reports/x", "/reports/2004-Q5", "/reports/0000-Q1", "/reports/9999-Q4.csv"),
        *("/reports/2004-Q1%0A", "/reports/%00", "/contracts/schemas/x.json", "/contracts/schemas/%00.json"),
        *("/contracts/schemas/.json", "//", "/%2e%2e/etc/passwd", "/static/", "/static/%00", "/static/../board.py"),
        *("/static/%2e%2e/board.py", f"/static/{'x' * 300}", "/static/a%5cb", "/static/%ED%A0%80"),
        *("/readyz/", "/metrics/", "/contracts/", "/static/board.css%00", f"/{CANARY}", f"/indicators/{CANARY}"),
    ),
    405: ("/rebuild",),
    414: (f"/{'x' * 5000}", f"/?lang={'x' * 8000}"),
}
HEADERS = ("Authorization", "Accept", "Accept-Language", "Accept-Encoding", "Cookie", "Range", "If-None-Match", "X")
VALUES = (CANARY, "\xff\xfe", "Bearer \xe9", "," * 3000, ";q=x", "bytes=5-1", "es;q=" + "9" * 400)
BROKEN = (b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloxx\r\n", b"-1\r\n\r\n", b"0\r\nno trailer\r\n\r\n")
JUNK = (
    b"\x00\xff" * 50,
    b"GET\r\n\r\n",
    b"GET / HTTP/1.1 x\r\n\r\n",
    BEGUN + b"A b: c\r\n\r\n",
    b"\x16\x03\x01\n" * 20,
)


async def test_whatever_is_asked_ends_in_a_reason_and_never_in_a_log(system, ports):
    board, ops = ports
    for status, targets in REFUSED.items():
        for target in targets:
            found, head, body = await got(board, target)
            assert found == status, (target[:80], found, body)
            assert set(json.loads(body)["error"]) == {"code", "message"}, target[:80]
            assert CANARY.lower() not in head + body.decode().lower()
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", CANARY.upper()):
        assert (await got(board, "/api/indicators", method=method))[0] == 405
    assert (await got(board, "/rebuild", "Content-Length: 0", method="POST"))[0] == 403
    for name, value in itertools.product(HEADERS, VALUES):
        for target in ("/?lang=en", "/metrics", "/static/board.css"):
            status = (await got(board, target, f"{name}: {value}"))[0]
            assert status in {200, 206, 304, 400, 416}, (name, value, target)
    for port in ports:
        for kilobytes in (20, 100, 500, 2000):  # more than it reads before it answers: closing must not undo the answer
            assert (await got(port, "/healthz", f"X: {'x' * kilobytes * 1000}"))[0] in {400, 431}
        assert (await got(port, "/healthz", *(f"X-{n}: 1" for n in range(3000))))[0] in {400, 431}
    assert (await got(ops, f"/{CANARY}"))[0] == 404
    for junk, port in itertools.product(JUNK, ports):
        assert (await sent(port, junk)).startswith(b"HTTP/1.1 400"), junk
    assert {line["event"] for line in system.output("indicators")} <= {"ready", "waiting", "took over"}
    written = (system.folder / "indicators.log").read_text()
    assert CANARY.lower() not in written.lower()
    assert all(line.startswith("{") for line in written.splitlines())


async def test_what_breaks_off_while_it_is_answered_is_no_fault_of_ours(system, ports):
    begun = b"GET /api/indicators HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body in BROKEN * 20:
        assert (await sent(ports[0], begun + body)).startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))
    assert "error" not in {line["level"] for line in system.output("indicators")}


@pytest.mark.parametrize(
    "given", ["http://board.example/readyz", "HTTP://Board.example:8080/readyz", "https://127.0.0.1/readyz"]
)
async def test_a_whole_address_in_the_request_line_is_that_address(ports, given):
    """As clients of a proxy send it (RFC 9112, 3.2.2): the name in it counts, whatever `Host` says."""
    whole = await got(ports[0], given, host="127.0.0.1:1")
    assert (whole[0], json.loads(whole[2])["status"]) == (200, "ready")
    assert (await got(ports[0], given, host="evil.example"))[0] == 200
    assert (await got(ports[0], "http://evil.example/readyz"))[0] == 400
    assert (await got(ports[0], "http://board.example/%00"))[0] == 404
    assert (await got(ports[0], "http://board.example?x=1"))[0] == 400
    assert (await got(ports[1], "http://anything/healthz"))[0] == 200


async def test_a_range_that_nobody_understands_counts_as_none(ports):
    """RFC 9110, 14.2: an unknown unit must be ignored; what is no range may be."""
    status, _, whole = await got(ports[0], "/static/board.css")
    assert status == 200
    spans = ("lines=0-1", "bytes=a-b", "bytes=5-1", "bytes=0x1-2", "bytes", "=", "bytes=--1", f"bytes={'9' * 5000}-")
    for span in (*spans, f"bytes=0-{'9' * 5000}", "bytes=0-1,5-1", "bytes=\xb2-3"):
        for coding in ("", "Accept-Encoding: gzip"):
            status, head, body = await got(
                ports[0], "/static/board.css", f"Range: {span}", *([coding] if coding else [])
            )
            assert status == 200, (span, body)
            assert coding or body == whole
            assert ("content-encoding: gzip" in head) == bool(coding)
    for span, part in (("bytes=0-4", whole[:5]), ("bytes=-5", whole[-5:]), ("BYTES=2-2", whole[2:3])):
        assert (await got(ports[0], "/static/board.css", f"Range: {span}"))[::2] == (206, part)
    assert (await got(ports[0], "/static/board.css", "Range: bytes=999999999-"))[0] == 416


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
async def test_the_word_before_a_token_is_of_any_case(ports, scheme):
    """RFC 9110, 11.1."""
    for token, expected in ((TOKEN, 200), (f"{TOKEN}x", 403), (TOKEN[:-1], 403), ("", 403), ("\xe9", 403)):
        status = (await got(ports[0], "/metrics/operator", f"Authorization: {scheme}{token}"))[0]
        assert status == expected, token
    assert (await got(ports[0], "/metrics/operator", f"Authorization: Basic {TOKEN}"))[0] == 403


LIKED = [
    ("fr;q=0.2, en;q=0.9", "en"), ("es;q=0, en;q=0, fr", "fr"), ("EN-us", "en"), ("*", "es"), ("es;q=0", "es"),
    ("de, fr-CA", "fr"), ("en;q=0.500, fr;q=0.5", "en"),
]  # fmt: skip


@pytest.mark.parametrize(("accepted", "found"), LIKED)
async def test_a_page_is_in_the_language_that_is_liked_best(ports, accepted, found):
    body = (await got(ports[0], "/", f"Accept-Language: {accepted}"))[2]
    assert f'<html lang="{found}">'.encode() in body


async def test_a_label_that_is_asked_for_twice_is_refused(ports):
    for page in ("/api/indicators/LE-2.1?", "/api/indicators/LE-2.1/series?by=year&"):
        for labels, expected in (("instrument:TIP", 200), ("instrument:TIP,instrument:SOM", 400)):
            assert (await got(ports[0], f"{page}labels={labels}"))[0] == expected, (page, labels)


async def test_every_answer_is_guarded_and_only_for_the_names_that_are_allowed(ports):
    board, ops = ports
    targets = ("/", "/metrics", "/static/board.css", "/api/indicators", "/nothing", "/?x=1", "/readyz")
    pages = [(board, target) for target in targets]
    for port, target in [*pages, (ops, "/metrics"), (ops, "/readyz"), (ops, "/nothing")]:
        head = (await got(port, target))[1]
        for name in ("content-security-policy", "x-content-type-options: nosniff", "referrer-policy", "cache-control"):
            assert name in head, (target, name)
    assert (await got(board, "/", host="board.example:8080"))[0] == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "", "board.example@evil.example"):
        assert (await got(board, "/", host=host))[0] == 400, host


async def test_who_does_not_finish_a_request_is_closed_and_keeps_nobody_out(ports):
    async def held(port, first, drip=b""):
        """How long (s) a connection lives that never finishes its request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        opened.add(writer)
        began = time.monotonic()
        try:
            writer.write(first)
            closed = asyncio.ensure_future(reader.read())
            while not closed.done():
                await asyncio.wait({closed}, timeout=0.5)
                writer.write(drip)
            await closed
        except OSError:
            pass
        finally:
            await ended(writer)
        return time.monotonic() - began

    opened = set()
    slow = [held(port, first, drip) for port in ports for first, drip in (
        (b"", b""), (b"G", b""), (BEGUN, b"X: y\r\n"), (b"GET /", b"x"),
        (BEGUN + b"Content-Length: 100000\r\n\r\n", b"x"), (b"POST /rebuild HTTP/1.1\r\nHost: x\r\n", b"x"),
    )]  # fmt: skip
    many = [held(port, BEGUN) for port in ports for _ in range(HALF_OPEN // 2)]
    holding = asyncio.gather(*slow, *many)
    await until(lambda: len(opened) == len(slow) + len(many), "all to be open")
    for port in ports:
        began = time.monotonic()
        assert (await got(port, "/healthz"))[0] == 200
        assert time.monotonic() - began < QUICK_S
    assert max(await asyncio.wait_for(holding, 120)) < 60


async def test_the_document_of_all_contracts_holds_up_nobody(ports):
    first = asyncio.create_task(got(ports[0], "/contracts/asyncapi.json"))
    others = 0
    while not first.done():
        assert (await got(ports[0], "/healthz"))[0] == 200
        others += not first.done()
    assert (await first)[0] == 200
    assert others >= 3
