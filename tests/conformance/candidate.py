"""A country's system on our own client, as the inspector asks for one; `FAULT` names what it does wrong."""

import asyncio
import json
import os
import ssl
import sys
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path

from nats.errors import Error as NatsError

from shared import contracts, tls
from shared.client import Invalid, Unreachable, connect
from shared.client.witness import Witness

FAULT = os.environ.get("FAULT", "")
COUNTRY = os.environ["CRM_COUNTRY"]


def again(thing, problems):
    """What happened, with the values that the region suggests."""
    data = dict(thing["data"])
    for one in problems:
        if one.pointer.startswith("/data/") and one.suggestion:
            data[one.pointer.removeprefix("/data/")] = one.suggestion
    return {**thing, "data": data}


async def send(own, thing, **more):
    """Report until it is stored, under one id."""
    at = datetime.now(UTC) if FAULT == "reports when it sends" else datetime.fromisoformat(thing["time"])
    subject = "Ana María López" if FAULT == "names a person" else thing["subject"]
    name = str(uuid.uuid4())
    while True:
        report = own.report(thing["name"], thing["data"], id=name, time=at, subject=subject, **more)
        if FAULT == "speaks as another":
            report["source"] = "urn:crm:country:HND:sicam"
        try:
            return await stored(own, report)
        except Invalid as error:
            if FAULT == "gives up when refused":
                return None
            thing = again(thing, error.problems)
        except Unreachable:
            if FAULT == "gives up without an answer":
                return None


async def stored(own, report):
    """Hand it to the region; by itself where the client would not let a fault pass."""
    subject, payload = f"report.{report['type'].removeprefix('crm.').removesuffix('.v1')}", json.dumps(report).encode()
    if FAULT == "does not wait for the answer":
        if own.client.is_connected:
            await own.client.publish(subject, payload)
        return
    if FAULT == "gives up without an answer":
        if not own.client.is_connected:
            raise Unreachable
        try:
            await own.client.request(subject, payload, timeout=0.5)
        except (NatsError, TimeoutError):
            raise Unreachable from None
        return
    if FAULT == "gives each try an id":
        await insisted(own, subject, report)
        return
    if FAULT in {"speaks as another", "names a person", "repeats what was refused"}:
        await own.client.request(subject, payload, timeout=5)
        return
    await own.publish(report)


async def insisted(own, subject, report):
    """Send it until there is an answer, each time under another id."""
    while True:
        report["id"] = str(uuid.uuid4())
        try:
            await own.client.request(subject, json.dumps(report).encode(), timeout=1)
        except (NatsError, TimeoutError):
            await asyncio.sleep(0.1)
        else:
            return


async def happened(own):
    """Report what standard input tells."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        thing = json.loads(line)
        await send(own, thing)
        while FAULT == "repeats what was refused" and thing["data"]["issuing"] == "HN":
            await send(own, thing)
            await asyncio.sleep(0.2)


async def mail(own):
    """Read, and accept each referral that is offered and not taken back."""
    answered = set()
    while FAULT != "never reads":
        looks = {"never acknowledges": peek, "terminates what it does not know": pick}
        batch = await looks[FAULT](own) if FAULT in looks else [one async for one in own.mailbox(idle_s=0.5)]
        gone = {event.data.entity for event in batch if getattr(event.data, "kind", "") == "referral_revoked"}
        for event in batch:
            if event.name != "victims.referral.offered" or event.country != COUNTRY:
                continue
            name = event.data.referral_id
            if name in answered and FAULT != "answers again":
                continue
            answered.add(name)
            if name in gone and FAULT != "answers what was taken back":
                continue
            said = {"referral_id": name, "reported_by": "ngo"}
            await own.publish(own.report("victims.referral.accepted", said, causationid=event.id))


async def peek(own):
    """Read without acknowledging."""
    subscription = await own.client.jetstream().pull_subscribe_bind(durable=COUNTRY, stream="MAILBOX")
    try:
        await subscription.fetch(100, timeout=0.5)
    except (NatsError, TimeoutError):
        await asyncio.sleep(0.2)
    finally:
        await subscription.unsubscribe()
    return []


async def pick(own):
    """Read, and end for good what is not of the types that it knows."""
    subscription = await own.client.jetstream().pull_subscribe_bind(durable=COUNTRY, stream="MAILBOX")
    known = []
    try:
        for message in await subscription.fetch(100, timeout=0.5):
            event = contracts.decode(message.data)
            if event.name == "victims.referral.offered":
                known.append(event)
                await message.ack()
            else:
                await message.term()
    except (NatsError, TimeoutError):
        await asyncio.sleep(0.2)
    finally:
        await subscription.unsubscribe()
    return known


class Credulous(Witness):
    """Takes each log as it is shown."""

    def _hold(self, *shown):
        pass


async def witnessed(own):
    """Look at the logs, cosign them, and tell of one that is not what it was."""
    kind = Credulous if FAULT == "cosigns whatever it is shown" else Witness
    with tempfile.TemporaryDirectory() as folder:
        witness = kind.of(Path(os.environ["CRM_KEYS"]), COUNTRY, Path(folder))
        if FAULT == "does not cosign":
            witness.signer = None
        await witness.watch(own, lambda error: print(error, file=sys.stderr))


class Blind(tls.Files, frozen=True):
    """Certificates of one who takes whatever is shown."""

    def client(self):
        context = super().client()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def certificates():
    if "CRM_CA" not in os.environ:
        return None
    kind = Blind if FAULT == "trusts everybody" else tls.Files
    return kind(*(Path(os.environ[name]) for name in ("CRM_CA", "CRM_CERTIFICATE", "CRM_CERTIFICATE_KEY")))


async def main():
    url, key, shown = os.environ["CRM_NATS_URL"], os.environ["CRM_KEY"], certificates()
    async with connect(url, key, COUNTRY, "sicam", timeout_s=60, certificates=shown) as own:
        if FAULT == "ends with its connection":
            own.client._disconnected_cb = lambda: os._exit(1)
        works = (happened, mail, witnessed) if "CRM_KEYS" in os.environ else (happened, mail)
        tasks = [asyncio.create_task(work(own)) for work in works]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()


asyncio.run(main())
