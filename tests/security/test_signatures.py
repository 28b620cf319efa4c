"""Countries sign: what is signed, by which key, until when; what is not is refused, and no signature is an error."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from nacl.signing import SigningKey

from infra import signing as keys
from infra.recovery.reading import messages
from infra.recovery.restore import restore
from infra.recovery.signatures import checked, known
from shared.client import connect
from shared.contracts import signing
from shared.contracts.signing import HEADER
from shared.flow.batch import publish_batch
from shared.flow.streams import MAILBOX
from shared.record import signers
from tests.harness.servers import ROOT
from tests.harness.signing import signed_elsewhere
from tests.harness.speaking import example, of_own
from tests.harness.system import ROOT as PROJECT
from tests.harness.system import until

FLAGGED = "intel.document.flagged"
ADDED, REVOKED = "indicators.key.added", "indicators.key.revoked"


@pytest.fixture
async def signed(system, signing_keys):
    """Two services at work in a region in which Mexico must sign, and Guatemala may; both have told their keys."""
    system.start("intel", "indicators", CRM_REFERENCE_WAIT_S="1")
    await system.ready()
    for country in ("MEX", "GTM"):
        async with connect(system.region.nats.url, system.region.seed(country), country, "keys") as own:
            await keys.tell(own, signing_keys)
    await system.recorded("indicators", ADDED, 2)
    await until(lambda: told(system, 2), "intel to hear of the keys")
    return system


async def told(system, number):
    return len(await system.rows("intel", "select from signer")) == number


def client(system, folder, country="MEX", key=None):
    file = keys.key_file(folder, country) if key is None else key
    return connect(system.region.nats.url, system.region.seed(country), country, "test", key=file)


def flagged(own, **more):
    return own.report(FLAGGED, of_own(example(FLAGGED), own.country), subject="doc-1", **more)


async def raw(system, own, payload, signature=None, **headers):
    """Send bytes as they are, with whatever stands in the header."""
    headers |= {HEADER: signature} if signature is not None else {}
    await publish_batch(own.client, [(f"report.{FLAGGED}", payload, headers)])


async def refused(system, service="intel", number=1):
    found = await system.recorded(service, f"{service}.report.rejected", number)
    assert len(found) == number
    return [{problem.code for problem in event.data.problems} for event in found]


async def verified(system, service="intel"):
    """What `crm verify --signatures` finds: signed, not signed, and (country, code) of what is wrong."""
    connection = await system.region.connect_database()
    try:
        found = await checked(connection, service, signers.policies(), await known(connection, signers.policies()))
    finally:
        await connection.close()
    return found.signed, dict(found.unsigned), [(country, code) for _, country, _, code in found.findings]


async def test_a_signature_is_kept_and_goes_with_the_event(signed, signing_keys):
    async with client(signed, signing_keys) as mex:
        report = flagged(mex)
        await mex.publish(report)
        (event,) = await signed.recorded("intel", FLAGGED)
    (row,) = await signed.rows("intel", "select signature from log where position = $1", event.sequence)
    key, payload = signing.opened(row["signature"])
    assert key == signing.public(signing.secret(keys.key_file(signing_keys, "MEX")))
    assert json.loads(payload)["id"] == report["id"] == event.id
    root = await signed.region.connect(ROOT)
    for stream in ("INTEL", MAILBOX):

        async def there(stream=stream):
            return [one async for one in messages(root, stream) if FLAGGED in one.subject]

        (message,) = await until(there, f"the report in {stream}")
        assert message.signature.encode() == row["signature"]
    assert await verified(signed) == (1, {}, [])


async def test_a_third_party_checks_it_with_what_any_platform_has(signed, signing_keys):
    """By hand from RFC 7515 and RFC 8037: split at the points, verify the first two, compare the middle."""
    async with client(signed, signing_keys) as mex:
        await mex.publish(flagged(mex))
        await signed.recorded("intel", FLAGGED)
    (row,) = await signed.rows("intel", "select signature from log where signature is not null")
    head, body, tail = row["signature"].split(b".")

    def plain(part):
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))

    own = json.loads(plain(head))
    assert own["alg"] == "EdDSA"
    SigningKey(bytes(signing.secret(keys.key_file(signing_keys, "MEX")))).verify_key.verify(
        head + b"." + body, plain(tail)
    )


async def test_what_must_be_signed_and_is_not_is_refused(signed, signing_keys):
    async with client(signed, signing_keys) as mex, client(signed, signing_keys, "GTM") as gtm:
        mex.key = gtm.key = None
        await mex.publish(flagged(mex))
        assert await refused(signed) == [{"signature_required"}]
        await gtm.publish(flagged(gtm))
        (event,) = await signed.recorded("intel", FLAGGED)
    assert event.country == "GTM"
    assert await verified(signed) == (0, {"GTM": 1}, [])


def header(**members):
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


async def test_no_signature_that_does_not_fit_is_more_than_refused(signed, signing_keys):
    """Whatever stands in the header, it is answered once, with a reason, and nothing comes again or fails."""
    async with client(signed, signing_keys) as mex:
        payload = msgspec.json.encode(flagged(mex))
        good = signing.signed(payload, mex.key)
        head, _, tail = good.split(".")
        other = signing.signed(payload, SigningKey.generate()).split(".")
        none = header(alg="none", kid="x")
        crit = header(alg="EdDSA", kid=signing.public(mex.key), crit=["b64"], b64=False)
        bad = [
            "", ".", "..", "...", "no", good + "A", good[:-2], "A" * 600, f"{head}..{other[2]}", f"{other[0]}..{tail}",
            f"{none}..{tail}", f"{none}..", f"{crit}..{tail}", f"{head}.{head}.{tail}", f"{head}..{tail}=", good + ",",
            "ñ..ñ", "{}..{}", head + ".." + tail[:-1] + ("B" if tail[-1] != "B" else "C"),
        ]  # fmt: skip
        for one in bad:
            await raw(signed, mex, payload, one)
        await raw(signed, mex, payload + b" ", good)
        found = await refused(signed, number=len(bad) + 1)
        assert found == [{"signature_invalid"}] * (len(bad) + 1)
        await raw(signed, mex, payload, good)
        await signed.recorded("intel", FLAGGED)
    assert [line for line in signed.output("intel") if line["level"] in {"error", "critical"}] == []
    assert await signed.rows("intel", "select from aside") == []


async def test_binary_mode_and_what_is_not_recorded_cannot_be_signed(signed, signing_keys):
    async with client(signed, signing_keys) as mex:
        report = flagged(mex)
        data = msgspec.json.encode(report.pop("data"))
        attributes = {f"ce-{name}": value for name, value in report.items() if name != "datacontenttype"}
        await raw(signed, mex, data, signing.signed(data, mex.key), **attributes)
        assert await refused(signed) == [{"signature_invalid"}]
        for more in ({"tracestate": "name=maria-lopez"}, {"dataschema": "https://x.example/maria"}):
            whole = msgspec.json.encode(flagged(mex) | more)
            await raw(signed, mex, whole, signing.signed(whole, mex.key))
        assert await refused(signed, number=3) == [{"signature_invalid"}] * 3
        await mex.publish(flagged(mex) | {"tracestate": "x=1"})  # which the client leaves out
        await signed.recorded("intel", FLAGGED)


async def test_a_key_that_nobody_added_is_waited_for_and_then_refused(signed, signing_keys):
    async with client(signed, signing_keys) as mex:
        own = mex.key
        mex.key = SigningKey.generate()
        await mex.publish(flagged(mex))
        assert await refused(signed) == [{"key_unknown"}]
        mex.key = signing.secret(keys.key_file(signing_keys, "GTM"))
        await mex.publish(flagged(mex))
        assert await refused(signed, number=2) == [{"key_unknown"}] * 2
        mex.key = own
        await mex.publish(flagged(mex))
        await signed.recorded("intel", FLAGGED)


async def say_of_key(own, root, name, **data):
    report = own.report(name, {"reported_by": "foreign_ministry"} | data)
    payload = msgspec.json.encode(report)
    await own.publish_signed(payload, signing.signed(payload, root))
    return report


async def test_keys_change_and_end_as_their_country_says(signed, signing_keys):
    root = signing.secret(signing_keys / "MEX.root.pem")
    fresh, now = SigningKey.generate(), datetime.now(UTC)
    async with client(signed, signing_keys) as mex:
        added = {"key": signing.public(fresh), "system": "test", "valid_from": now.isoformat()}
        await say_of_key(mex, mex.key, ADDED, **added)  # not by the root key
        assert await refused(signed, "indicators") == [{"root_required"}]
        await say_of_key(mex, root, ADDED, **added)
        old, mex.key = mex.key, fresh
        await mex.publish(flagged(mex))  # waits for the key where it has not come yet
        await signed.recorded("intel", FLAGGED)
        mex.system = "other"
        await mex.publish(flagged(mex))
        assert await refused(signed) == [{"key_foreign"}]
        await say_of_key(mex, root, REVOKED, key=signing.public(old), reason="replaced")
        revoked = "select from signer where revoked is not null"
        await until(lambda: signed.rows("intel", revoked), "intel to hear that it is revoked")
        mex.key = old
        await mex.publish(flagged(mex))
        assert await refused(signed, number=2) == [{"key_foreign"}, {"key_revoked"}]
        await say_of_key(mex, root, ADDED, key=signing.public(old), valid_from=now.isoformat())
        assert await refused(signed, "indicators", 2) == [{"root_required"}, {"already_added"}]
        short = SigningKey.generate()
        until_ = (now + timedelta(seconds=0.01)).isoformat()
        await say_of_key(mex, root, ADDED, key=signing.public(short), valid_from=now.isoformat(), valid_until=until_)
        mex.key = short
        await mex.publish(flagged(mex))
        assert (await refused(signed, number=3))[2] == {"key_expired"}
    assert (await verified(signed))[::2] == (1, [])
    assert (await verified(signed, "indicators"))[::2] == (5, [])


async def test_a_country_keeps_its_keys_by_hand_and_signs_by_the_documented_lines(signed, signing_keys, tmp_path):
    """As docs/integrating.md tells it: a key, the root's word for it, sent by another machine; then the own check."""
    region = signed.region

    async def crm(*words, code=0):
        command = [sys.executable, "-m", "infra.cli", "signing", *map(str, words)]
        env = {**os.environ, "CRM_NATS_URL": region.nats.url}
        done = await asyncio.to_thread(subprocess.run, command, env=env, cwd=PROJECT, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    root, as_gtm = signing_keys / "GTM.root.pem", ("--as", "GTM")
    public = await crm("new", tmp_path / "own.pem")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    await crm("add", tmp_path / "add.json", *as_gtm, "--root", root, "--key", public, "--from", today)
    connected = (*as_gtm, "--seed", region.seed("GTM"))
    await crm("tell", tmp_path / "add.json", *connected)
    own = signing.secret(tmp_path / "own.pem")
    async with client(signed, signing_keys, "GTM") as gtm:
        payload = json.dumps(flagged(gtm), indent=1).encode()
        await raw(signed, gtm, payload, signed_elsewhere("python", tmp_path, own, payload))
        (event,) = await signed.recorded("intel", FLAGGED)
        (row,) = await signed.rows("intel", "select signature from log where id = $1", event.id)
        assert signing.opened(row["signature"]) == (public, payload)
    assert await verified(signed) == (1, {}, [])
    await crm("revoke", tmp_path / "no.json", *as_gtm, "--root", root, "--key", public, "--why", "tired", code=1)
    await crm("revoke", tmp_path / "revoke.json", *as_gtm, "--root", root, "--key", public, "--why", "lost")
    await crm("tell", tmp_path / "revoke.json", *connected)
    await signed.recorded("indicators", REVOKED)
    assert (await verified(signed, "indicators"))[::2] == (4, [])
    assert await verified(signed) == (1, {}, [])  # it was not revoked when the report was recorded


async def test_a_log_that_is_restored_from_its_stream_has_its_signatures(signed, signing_keys):
    async with client(signed, signing_keys) as mex:
        await mex.publish(flagged(mex))
        (event,) = await signed.recorded("intel", FLAGGED)
        root = await signed.region.connect(ROOT)

        async def copied():
            return [one async for one in messages(root, "INTEL") if one.sequence == event.sequence]

        await until(copied, "the report in INTEL")
    rows = "select position, signature from log order by position"
    before = [tuple(row) for row in await signed.rows("intel", rows)]
    signed.kill("intel")
    owner = await signed.region.connect_database()
    try:
        for table in ("log", "recorded", "signer", "heard"):
            await owner.execute(f"delete from intel.{table}")
        told = []
        where = signed.region.database_url("intel"), signed.region.nats.url, signed.region.keys.folder
        assert await restore("intel", *where, told.append) == []
        assert [tuple(row) for row in await owner.fetch(rows.replace("log", "intel.log"))] == before
    finally:
        await owner.close()
    assert await verified(signed) == (1, {}, [])
