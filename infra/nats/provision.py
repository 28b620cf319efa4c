"""Bring a server's streams and durables to what `shared.flow.streams` wants; say precisely what cannot be changed."""

from dataclasses import dataclass, field

from nats.aio.client import Client

from infra.nats import mailbox
from infra.nats.asking import ProvisionError, ask, config, ok
from shared.flow import quotas
from shared.flow.meddling import streams
from shared.flow.streams import (
    EMPTY,
    INTAKE,
    MAILBOX,
    RETIRED,
    Config,
    differing,
    durables,
    meddling,
    sender_of,
    stream_configs,
    tuned,
)

__all__ = ["ProvisionError", "all_differences", "ask", "consumer_config", "deploy", "provision", "stream_config"]

NO_ROOM = 10047
ROOM_BYTES_MIN = 4 * 1024**2
HALVINGS_MAX = 20


async def provision(nc: Client) -> list[str]:
    """Make or adapt every stream and durable; return what was done, in words. Idempotent.

    ProvisionError where the server refuses a change (another storage or retention, say): nothing is ever
    deleted here.
    """
    done = await _retired(nc)
    limited, unlimited = _Made(), _Made()
    for name, wanted in stream_configs().items():
        if sender := sender_of(name):
            quota = quotas.of(sender)
            sized = {**wanted, "max_bytes": quota.intake_mib << 20, "max_msgs": quota.intake_messages}
            done += await _stream(nc, name, sized, limited) + await _resized(nc, name, sized)
        else:
            done += await _stream(nc, name, wanted, unlimited if name == EMPTY else limited)
    for stream, consumers in durables().items():
        for name, wanted in consumers.items():
            done += await _durable(nc, stream, name, wanted)
    return done


async def deploy(nc: Client) -> list[str]:
    """Make or adapt the durables, where every stream is as it should be; return what was done, in words.

    ProvisionError names what only the provisioner's key, used by hand, can do to streams.
    """
    faults = []
    for name, wanted in stream_configs().items():
        faults += _told(f"stream {name}", wanted, await stream_config(nc, name))
    if faults:
        raise ProvisionError("; ".join(faults) + ": that takes the provisioner's key, by hand (docs/keys.md)")
    done = []
    for stream, consumers in durables().items():
        for name, config_ in consumers.items():
            done += await _durable(nc, stream, name, config_)
    return done


async def all_differences(nc: Client) -> list[str]:
    """Tell what differs from the desired state anywhere; empty: nothing."""
    found = await streams(nc)
    faults = [
        fault for name, wanted in stream_configs().items() for fault in _told(f"stream {name}", wanted, found.get(name))
    ]
    faults += [fault for fault in meddling(found) if fault not in faults]
    for stream, consumers in durables().items():
        for name, wanted in consumers.items():
            faults += _told(f"durable {name} on {stream}", wanted, await consumer_config(nc, stream, name))
    return faults


async def stream_config(nc: Client, name: str) -> Config | None:
    """Return a stream's configuration as the server has it; None: there is no such stream."""
    return await config(nc, f"STREAM.INFO.{name}")


async def consumer_config(nc: Client, stream: str, name: str) -> Config | None:
    """Return a durable's configuration as the server has it; None: there is no such durable."""
    return await config(nc, f"CONSUMER.INFO.{stream}.{name}")


def _told(what: str, wanted: Config, found: Config | None) -> list[str]:
    return [f"{what} is missing"] if found is None else differing(what, wanted, found)


async def _retired(nc: Client) -> list[str]:
    """Take its subjects from the one INTAKE that all senders shared before; the services read it empty."""
    found = await stream_config(nc, INTAKE)
    if found is None or found["subjects"] == RETIRED["subjects"]:
        return []
    ok(f"stream {INTAKE}", await ask(nc, f"STREAM.UPDATE.{INTAKE}", {**found, **RETIRED}))
    return [f"stream {INTAKE} takes in nothing more: each sender has its own"]


@dataclass
class _Made:
    """Streams made in this run that share what room there is; they hold nothing yet."""

    rooms: dict[str, int] = field(default_factory=dict)
    """The bytes that each should have."""
    halvings: int = 0
    """How often what each should have was halved."""


async def _stream(nc: Client, name: str, wanted: Config, beside: _Made) -> list[str]:
    """Make or adapt a stream."""
    found = await stream_config(nc, name)
    if found is None:
        lost = await mailbox.detach(nc, name)
        made = await _made(nc, name, wanted, beside)
        return [f"{made}; it was there before: run `crm restore {name.lower()}`" if lost else made]
    if name == MAILBOX:
        wanted = {**wanted, "sources": await mailbox.sources(nc, wanted, found)}
    faults = differing(f"stream {name}", wanted, found)
    if faults:
        kept = {key: found[key] for key in tuned(name) if key in found}
        ok("; ".join(faults), await ask(nc, f"STREAM.UPDATE.{name}", {**found, **wanted, **kept}))
    return [f"changed {fault}" for fault in faults]


async def _made(nc: Client, name: str, wanted: Config, beside: _Made) -> str:
    """Make a stream; on a small disk it and those beside it get half, a quarter ... of what they should have."""
    full = wanted.get("max_bytes", 0)
    if full:
        beside.rooms[name] = full
    while True:
        room = full >> beside.halvings
        answer = await ask(nc, f"STREAM.CREATE.{name}", {**wanted, "max_bytes": room} if full else wanted)
        if answer.get("error", {}).get("err_code") != NO_ROOM or room <= ROOM_BYTES_MIN:
            break
        beside.halvings += 1
        for other, its in beside.rooms.items():
            await _narrowed(nc, other, its >> beside.halvings)
    ok(f"stream {name}", answer)
    return f"made stream {name}" + (f" for {room >> 20} MiB only: the server has no more room" if room < full else "")


async def _resized(nc: Client, name: str, wanted: Config) -> list[str]:
    """Give an intake the room that its quota says now; what was halved because the disk is small stays so."""
    found = await stream_config(nc, name) or {}
    halves = [wanted["max_bytes"] >> n for n in range(1, HALVINGS_MAX)]
    bytes_max = found["max_bytes"] if found["max_bytes"] in halves else wanted["max_bytes"]
    sizes = {"max_bytes": bytes_max, "max_msgs": wanted["max_msgs"]}
    if all(found[key] == size for key, size in sizes.items()):
        return []
    ok(f"stream {name}", await ask(nc, f"STREAM.UPDATE.{name}", {**found, **sizes}))
    return [f"stream {name} holds {bytes_max >> 20} MiB, {sizes['max_msgs']} messages now"]


async def _narrowed(nc: Client, name: str, room: int) -> None:
    found = await stream_config(nc, name)
    if found:
        ok(f"stream {name}", await ask(nc, f"STREAM.UPDATE.{name}", {**found, "max_bytes": room}))


async def _durable(nc: Client, stream: str, name: str, wanted: Config) -> list[str]:
    what = f"durable {name} on {stream}"
    found = await consumer_config(nc, stream, name)
    faults = [] if found is None else differing(what, wanted, found)
    if found is None or faults:
        body = {"stream_name": stream, "config": wanted, "action": "create" if found is None else "update"}
        ok("; ".join(faults) or what, await ask(nc, f"CONSUMER.DURABLE.CREATE.{stream}.{name}", body))
    return [f"made {what}"] if found is None else [f"changed {fault}" for fault in faults]
