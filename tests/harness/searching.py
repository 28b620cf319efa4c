"""Everything that a running system keeps, says or shows, searched for canaries."""

import asyncio
import base64
import re
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncpg

from infra.keyfiles import kept_file
from infra.nats.asking import ask
from shared.contracts import SERVICES
from shared.flow.streams import MAILBOX, QUARANTINE, intake_of, stream_of
from shared.run import tracing
from tests.fuzz.live import TURN_S, fetched
from tests.harness.canaries import found
from tests.harness.needles import written
from tests.harness.servers import ROOT as ROOT_USER
from tests.harness.system import until

LINK = re.compile(rb'(?:href|src)="(/[^"#]*)"')
PAGES = 60
MONITORED = ("varz", "connz?subs=1", "subsz?subs=1", "jsz?streams=1&consumers=1&config=1", "accountz")


def collected(monkeypatch):
    """What services export as traces, as bytes."""
    bodies = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(tracing, "tracing", lambda: False)  # in this process; asked once, it would be so for ever
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    yield bodies
    server.shutdown()
    server.server_close()


async def searched(live, collector, *files, needles=()):
    """Where each canary and needle is found, `files` included: (place, where exactly) by canary, or needle."""
    seen = defaultdict(set)
    forms = [(needle, form) for needle in needles for form in written(needle)]

    def look(place, where, content):
        for told in found(content) | {needle for needle, form in forms if form in content}:
            seen[told].add((place, where))

    region = live.system.region
    for file in [*live.system.folder.glob("*.log"), region.nats.log, region.postgres.server.log]:
        look("logs", file.name, file.read_bytes())
    await until(lambda: collector, "traces")
    look("traces", "OTLP", b"\n".join(collector))
    for name in live.ports:
        for path in ("/metrics", "/healthz", "/readyz"):
            look("metrics", name, live.get(name, path)[1].encode())
    for path in MONITORED:
        look("monitor", path, fetched(f"{region.nats.monitor}/{path}")[1].encode())
    await asyncio.to_thread(_pages, live, look)
    await _streams(live, look)
    await _database(live, look)
    for name, process in {**live.system.processes, "nats": region.nats.process}.items():
        for file in ("environ", "cmdline", "comm"):
            look("process", f"{name} {file}", (Path("/proc") / str(process.pid) / file).read_bytes())
    kept = [("keys", file) for file in kept_file(region.keys.folder).parent.iterdir()]
    for place, file in [*kept, *(("file", file) for file in files)]:
        look(place, file.name, file.read_bytes())
    return seen


def _pages(live, look):
    waiting, known = ["/", "/objectives", "/api/index", "/api/indicators", "/api/milestones", "/contracts"], set()
    while waiting and len(known) < PAGES:
        path = waiting.pop(0)
        if path not in known and not path.startswith("/static"):
            known.add(path)
            content = live.get("board", path)[1].encode()
            look("page", path, content)
            waiting += [link.decode() for link in LINK.findall(content)]


async def _streams(live, look):
    nc = await live.system.region.connect(ROOT_USER)
    names = {stream_of(service): "stream" for service in SERVICES} | {MAILBOX: "mailbox", QUARANTINE: "quarantine"}
    names |= {intake_of(country): "intake" for country in live.clients}
    for name, place in names.items():
        last = (await ask(nc, f"STREAM.INFO.{name}"))["state"]["last_seq"]
        for number in range(1, last + 1):
            message = (await ask(nc, f"STREAM.MSG.GET.{name}", {"seq": number})).get("message")
            if message:
                parts = [base64.b64decode(message.get(part, "")) for part in ("data", "hdrs")]
                look(place, name, b"\n".join([message["subject"].encode(), *parts]))
    folder = live.system.region.nats.home / "jetstream"
    for file in folder.rglob("*"):
        if file.is_file():
            stream = next((part for part in file.parts if part in names), "")
            look(names.get(stream, "server"), str(file.relative_to(folder)), file.read_bytes())


async def _database(live, look):
    server = live.system.region.postgres.server
    connection = await asyncpg.connect(live.system.region.database_url())
    try:
        tables = await connection.fetch(
            "select schemaname, tablename from pg_tables where schemaname = any($1::text[])", [*SERVICES]
        )
        for schema, table in map(tuple, tables):
            for row in await connection.fetch(f"select * from {schema}.{table}"):
                content = b"\n".join(one if isinstance(one, bytes) else str(one).encode() for one in row)
                look("aside" if table == "aside" else "tables", f"{schema}.{table}", content)
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    for part in ("base", "pg_wal"):
        for file in (server.data / part).rglob("*"):
            if file.is_file():
                look("disk", part, file.read_bytes())
    command = [server.bin / "pg_dump", f"--dbname={live.system.region.database_url()}"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    dump, _ = await process.communicate()
    assert process.returncode == 0
    look("backup", "pg_dump", dump)


async def settled(live):
    """Wait until all is judged and folded; whether a country reads its mailbox makes no difference here."""

    def waiting():
        return [one for one in live._unsettled() if "mailbox" not in one.lower()]

    try:
        await until(lambda: not waiting(), "every reader to be at its end", TURN_S)
    except TimeoutError:
        raise AssertionError(waiting()) from None
