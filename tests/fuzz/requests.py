"""HTTP requests made at random, as bytes, and a client that sends whatever it is given."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from tests.fuzz.mutate import CANARY

TARGETS = (
    *("/contracts/schemas/intel.document.flagged.json", "/static/board.css", "/healthz", "/readyz", "/api/milestones"),
    *("/api/indicators/LE-2.1", "/api/indicators/VA-4.1", "/reports/2004-Q1", "/reports/2004-Q1.json", "/rebuild"),
    *("/reports/2004-Q1.csv", "/nothing", "/static/", "/indicators/LE-2.1", "/api/indicators/", "/contracts/x"),
    *("/objectives", "/api/objectives"),
)
PIECES = (
    *(
        "%00",
        "%ED%A0%80",
        "%FF",
        "%2e%2e/",
        "../",
        "//",
        "%0d%0a",
        "%",
        "%zz",
        "\\",
        ";x",
        "#x",
        "*",
        " ",
        "\t",
        "\xe9",
    ),
    *("x" * 300, "x" * 5000, CANARY, "%E2%80%AE", "%F0%9F%98%80", ".json", "0", "9" * 400, "?", "&", "=", "//x@y/"),
)
NAMES = ("as_of", "lang", "revision", "x", CANARY, "", "as_of[]", "%00", "lang%20")
VALUES = (
    *("2004-03-31", "0001-01-01", "9999-12-31", "1990-01-01", "2200-12-31", "2004-02-30", "es", "en", "fr", "xx", "1"),
    *("99999999999999999999", "-1", "0", "1e9", "", "%00", "%ED%A0%80", "%FF", CANARY, "x" * 2000, "%2B", "2004-3-1"),
)
METHODS = ("POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "G\x00T", "X" * 300, "")
HEADERS = (
    *("Accept-Language: es;q=x, fr", "Accept-Language: \xff", f"Cookie: lang={CANARY}", f"X-{CANARY}: {CANARY}"),
    *(f"Authorization: Bearer {CANARY}", "Authorization: Bearer \xe9\xff", "Accept: application/openmetrics-text"),
    *("Content-Length: 5", "Content-Length: -1", "Content-Length: 1, 2", "Transfer-Encoding: chunked", "If-Match: *"),
    *("Expect: 100-continue", "Upgrade: websocket\r\nConnection: upgrade", "Host: y", "Host:", "Range: bytes=0-,1-"),
    *("X: " + "x" * 20_000, "no colon", " folded", "A b: c", "X:\x00", "Range: bytes=9-1", "Accept-Encoding: gzip"),
)
ANSWER_S, UNFINISHED_S = 60.0, 0.3


def request(chance: random.Random) -> bytes:
    """The bytes of a request with none to three things odd about it."""
    target, method, headers = chance.choice(TARGETS), "GET", ["Host: x", "Connection: close"]
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        match chance.randrange(5):
            case 0:
                at = chance.randint(0, len(target))
                target = target[:at] + chance.choice(PIECES) + target[at:]
            case 1 | 2:
                target += f"{'&' if '?' in target else '?'}{chance.choice(NAMES)}={chance.choice(VALUES)}"
            case 3:
                headers.append(chance.choice(HEADERS))
            case _:
                method = chance.choice(METHODS)
    sent = "\r\n".join((f"{method} {target} HTTP/1.1", *headers, "", "")).encode("latin-1")
    if chance.random() < 0.05:
        at = chance.randint(0, len(sent))
        sent = sent[:at] + chance.choice((b"", b"\x00", b"\r\n", b"\xff" * 9, chance.randbytes(20))) + sent[at:]
    return sent


@dataclass
class Caller:
    """Sends requests to some ports and keeps what is wrong with the answers."""

    ports: tuple[int, ...]
    chance: random.Random
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def call(self, number: int, together: int) -> None:
        """Send so many requests, so many at once."""
        limit = asyncio.Semaphore(together)

        async def one() -> None:
            async with limit:
                await self._called(request(self.chance))

        await asyncio.gather(*(one() for _ in range(number)))

    async def _called(self, sent: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.chance.choice(self.ports))
        try:
            writer.write(sent)
            answer = await asyncio.wait_for(self._answer(reader, writer), ANSWER_S)
        except ConnectionError:
            answer = b""
        except TimeoutError:
            self.wrong.append(f"no answer in {ANSWER_S} s: {sent!r}")
            return
        finally:
            writer.close()
        status = answer[9:12].decode("latin-1") if answer else "closed"
        self.outcomes[f"HTTP {status}"] += 1
        catching_up = status == "503" and b"/readyz" in sent
        if (status.startswith("5") and not catching_up) or not (status.isdecimal() or not answer):
            self.wrong.append(f"{status}: {sent!r}")
        if CANARY.lower().encode() in answer.lower():
            self.wrong.append(f"echoed: {sent!r} {answer!r}")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """All that comes until the server closes; a request that it still waits for is ended from this side."""
        reading = asyncio.ensure_future(reader.read())
        await asyncio.wait({reading}, timeout=UNFINISHED_S)
        if not reading.done() and writer.can_write_eof():
            writer.write_eof()
        return await reading
