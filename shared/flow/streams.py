"""The streams and durables that there must be, as data: `crm provision` makes them, services check them.

Configurations are in the server's own JSON (durations in nanoseconds, sizes in bytes).
"""

from collections.abc import Mapping
from typing import Any

from shared.contracts import SERVICES
from shared.contracts.reads import READS
from shared.contracts.vocabulary import MEMBERS, OPERATING, SECRETARIATS, Holder

Config = dict[str, Any]

SECOND = 1_000_000_000
DAY = 24 * 3600 * SECOND
MAILBOX, QUARANTINE = "MAILBOX", "QUARANTINE"
TELLS_DELIVERY = "victims"
"""The service that tells what was delivered."""
RECEIVERS: tuple[Holder, ...] = (*MEMBERS, *SECRETARIATS)
"""Who has an account, with a mailbox of its own."""
SENDERS: tuple[str, ...] = (*RECEIVERS, OPERATING)
"""Who may report, each by its own intake; the token behind `crm.in`."""
BOARD = "BOARD"
"""As whom the board asks the services for the trees of their logs."""
INTAKE = "INTAKE"
"""What metrics and logs call all the intakes together; and the one stream that all shared before (`RETIRED`)."""
RETIRED: Config = {"subjects": ["crm.retired.intake"]}
"""What becomes of a stream INTAKE from before: nobody publishes there any more, and its durables are read empty."""
EMPTY = "EMPTY"
"""A stream without messages that each intake names as a source: only a stream with a source may do without
deduplication, and with it two systems of a country that use the same `Nats-Msg-Id` would lose reports. What it reserves
of the disk is room for the logs."""
REPORT_BYTES_MAX = 64 * 1024
QUARANTINE_BYTES = 4 * 1024**3
REFUSED_EACH = 5000
"""How many refusals are kept of a sender and service: of 64 KiB each, those of one sender fill two fifths at most."""
RECEIPTS = "RECEIPTS"
"""What the countries acknowledged in their mailboxes: the server's own word for each message, of those that were taken
and of no other (one that was rejected with `+TERM` moves the floor as well)."""
RECEIPTS_SUBJECT = "$JS.EVENT.METRIC.CONSUMER.ACK.MAILBOX.*"
RECEIPTS_BYTES = 256 * 1024**2
CHECKPOINTS = "CHECKPOINTS"
"""What the services signed of their logs (shared/flow/checkpoints.py); the countries hear it as it comes."""
CHECKPOINTS_BYTES = 16 * 1024**2
CHANGES = "CHANGES"
"""The server's own record of every stream that was made, changed or deleted in the account, by whomever."""
CHANGES_BYTES = 16 * 1024**2
CHANGES_EACH = 1000
"""How often it is kept that the same happened to the same stream: all senders' together leave room for the rest."""
ACK_WAIT_S, MAILBOX_ACK_WAIT_S = 3, 30
"""What a replica held when it died comes back after this; what a slow one still works on may come to another as well:
the log takes each once. Countries get more time: nothing of ours takes their repeats away."""
ACK_PENDING_MAX = 20_000
"""Deliveries out at once per durable: many batches of 500, so that a slow one never starves the rest."""

# What would let a publisher act beyond its own subject stays off, in words, on every stream.
CLOSED: Config = {
    "allow_rollup_hdrs": False,
    "allow_msg_ttl": False,
    "allow_msg_counter": False,
    "allow_msg_schedules": False,
    "mirror_direct": False,
    "no_ack": False,
    "republish": None,
    "subject_transform": None,
    "mirror": None,
    "sources": None,
}
KEPT: Config = {"deny_delete": True, "deny_purge": True, "retention": "limits", "storage": "file"}
TUNED = ("max_bytes", "max_msgs", "num_replicas", "placement")
"""Settings that an operator may choose: they are made as given here (of an intake, as its quota says), and never a
difference."""
TUNED_OF = {QUARANTINE: ("duplicate_window",)}
"""The same of single streams. nats-server keeps the ids of a window in memory, some 400 bytes each; a stream that was
made when the window was an hour keeps that until an operator shortens it."""
KEYS = "indicators.key."
"""How the events begin by which countries tell their keys."""
MENDED = "MAILBOX_MENDED"
"""Passes a single message on to MAILBOX that was damaged before that read it, and is gone again (crm restore)."""
LOG_BYTES = 8 * 1024**3
"""What of the disk no intake may reserve: it is for the streams that copy the logs, which have no limit."""
BEGUN = ("opt_start_seq", "opt_start_time")
"""Where reading began, the first time or behind what was read before: never a difference either."""


def stream_of(service: str) -> str:
    """Return the name of the stream that copies the service's log."""
    return service.upper()


def intake_of(sender: str) -> str:
    """Return the name of the stream that takes in what `sender` reports."""
    return f"{INTAKE}_{sender}"


def sender_of(stream: str) -> str:
    """Return whose intake a stream is; empty: nobody's, or that of all (`RETIRED`)."""
    kind, _, sender = stream.partition("_")
    return sender if kind == INTAKE else ""


def stream_configs() -> dict[str, Config]:
    """Return every stream's configuration by name, sources after what they read."""
    own: Config = {"allow_atomic": True, "allow_direct": True, "discard": "new", "duplicate_window": SECOND // 10}
    sources = [{"name": stream_of(service)} for service in SERVICES]
    mailbox = {"sources": sources, "max_age": 90 * DAY, "allow_direct": True}
    quarantine = {
        "subjects": [f"crm.bad.{country}.>" for country in (*MEMBERS, "REG")],
        "allow_atomic": True,  # what is refused together is synced together
        "max_age": 365 * DAY,
        "max_bytes": QUARANTINE_BYTES,
        "duplicate_window": 120 * SECOND,  # rubbish met again after a crash is kept once
        "discard": "old",  # a sender of rubbish must not be able to stop the intake
        "max_msgs_per_subject": REFUSED_EACH,  # nor to push out what was refused of others
    }
    receipts = {"subjects": [RECEIPTS_SUBJECT], "max_age": 7 * DAY, "max_bytes": RECEIPTS_BYTES, "discard": "old"}
    checkpoints = {
        "subjects": ["crm.log.*"],
        "max_msgs_per_subject": 1000,
        "max_bytes": CHECKPOINTS_BYTES,
        "allow_direct": True,
        "discard": "old",
    }
    empty = {"subjects": ["crm.empty"], "max_bytes": LOG_BYTES, "max_age": SECOND, "duplicate_window": SECOND}
    # Who may make a consumer may have it deliver there, and so into each intake: a byte a second, which fills none.
    empty |= {"discard": "new", "max_msgs_per_subject": 1, "discard_new_per_subject": True, "max_msg_size": 1}
    # Of each batch that a sender begins and leaves the server tells there as well: it may push out its own kind only.
    # An older version does not compare this setting; other subjects it would call meddling.
    changes = {"subjects": ["$JS.EVENT.ADVISORY.STREAM.*.*"], "max_msgs_per_subject": CHANGES_EACH}
    changes |= {"max_bytes": CHANGES_BYTES, "discard": "old"}
    special = {CHANGES: changes, EMPTY: empty, QUARANTINE: quarantine, RECEIPTS: receipts, CHECKPOINTS: checkpoints}
    special |= {intake_of(sender): _intake(sender) for sender in SENDERS}
    special |= {stream_of(service): own | _subjects(service) for service in SERVICES}
    special |= {MAILBOX: mailbox}
    return {name: {"name": name, **KEPT, **CLOSED, **config} for name, config in special.items()}


def durables() -> dict[str, dict[str, Config]]:
    """Return the durable consumers' configurations by stream and name."""
    wanted: dict[str, dict[str, Config]] = {
        **{
            intake_of(sender): {service: _durable(service, [f"crm.in.{sender}.{service}.*.*"]) for service in SERVICES}
            for sender in SENDERS
        },
        MAILBOX: {
            country: _durable(country, [f"crm.evt.*.*.*.{country}"], MAILBOX_ACK_WAIT_S) | {"sample_freq": "100"}
            for country in MEMBERS
        }
        # Both secretariats are told what is refused of the region's own senders, and what a body of the region that one
        # of them speaks for is responsible for; nothing else.
        | {
            name: _durable(
                name, ["crm.evt.*.report.rejected.REG", "crm.evt.indicators.alert.issued.REG"], MAILBOX_ACK_WAIT_S
            )
            for name in SECRETARIATS
        },
        RECEIPTS: {TELLS_DELIVERY: _durable(TELLS_DELIVERY, [RECEIPTS_SUBJECT])},
    }
    for reader, names in READS.items():
        keys = {name for name in names if name.startswith(KEYS)}
        for durable, those in ((reader, {*names} - keys), (keys_of(reader), keys)):
            for service in SERVICES:
                filters = [f"crm.evt.{name}.>" for name in sorted(those) if name.startswith(f"{service}.")]
                if filters:
                    wanted.setdefault(stream_of(service), {})[durable] = _durable(durable, filters)
    return wanted


def keys_of(service: str) -> str:
    """Return the durable by which a service hears of countries' keys.

    It is one of its own: a process of a version before knows the filters of the other one, and starts with no others.
    """
    return f"{service}-keys"


def read_by(service: str) -> list[tuple[str, str]]:
    """Return the durables by which a service reads other services' streams: (stream, durable)."""
    names = (service, keys_of(service))
    others = {stream_of(one) for one in SERVICES if one != service}
    return [
        (stream, name) for stream, wanted in durables().items() if stream in others for name in names if name in wanted
    ]


def differing(what: str, wanted: Config, found: Config) -> list[str]:
    """Tell in words in which of the settings `wanted` names `found` differs; a setting left out there is its zero."""
    free = tuned(wanted.get("name", ""))
    return [
        f"{what}: {key} is {_shown(found.get(key))}, should be {_shown(value)}"
        for key, value in wanted.items()
        if key not in free and _plain(found.get(key)) != _plain(value)
    ]


def tuned(stream: str) -> tuple[str, ...]:
    """Return the settings of a stream that an operator may choose."""
    return (*TUNED, *TUNED_OF.get(stream, ()))


def meddling(found: Mapping[str, Config]) -> list[str]:
    """Tell in words which of all streams that there are is none of ours, or publishes or takes in what it should not.

    Whoever may make or alter a stream could have it publish again, source, mirror or transform into a country's intake
    or a service's stream. What is missing is told elsewhere.
    """
    wanted = {**stream_configs(), INTAKE: {"name": INTAKE, **CLOSED}, MENDED: {"name": MENDED, **CLOSED}}
    faults = []
    for name, config in found.items():
        if name not in wanted:
            faults.append(f"stream {name} is none of ours")
        elif name == MENDED:  # `crm restore` at work: it passes on one message of a service's stream
            faults += differing(
                f"stream {name}", {**CLOSED, "sources": config.get("sources"), "subjects": None}, config
            )
        else:
            faults += differing(f"stream {name}", wanted[name] | _between(name, wanted[name], config), config)
    return faults


def _between(name: str, wanted: Config, found: Config) -> Config:
    """Return what MAILBOX may source while one of its sources is made anew (infra/nats/mailbox.py)."""
    if name != MAILBOX:
        return {}
    allowed = {source["name"]: source for source in [*wanted["sources"], {"name": MENDED}]}
    there = [source["name"] for source in found.get("sources") or []]
    return {"sources": [allowed[one] for one in there if one in allowed]}


def _intake(sender: str) -> Config:
    return {
        "subjects": [f"crm.in.{sender}.{service}.*.*" for service in SERVICES],
        "sources": [{"name": EMPTY}],
        "max_age": 7 * DAY,
        "discard": "new",
        "max_msg_size": REPORT_BYTES_MAX,
        "duplicate_window": 0,  # repeats are the log's business, which tells them from others' by the source
        "allow_atomic": True,  # a country's backlog goes in batches
        "deny_purge": False,  # an operator may empty it, who says why
    }


def _durable(name: str, filters: list[str], ack_wait_s: int = ACK_WAIT_S) -> Config:
    return {
        "durable_name": name,
        "name": name,
        "filter_subjects": filters,
        "deliver_policy": "all",
        "replay_policy": "instant",
        "ack_policy": "explicit",
        "ack_wait": ack_wait_s * SECOND,
        "max_ack_pending": ACK_PENDING_MAX,
        "max_deliver": -1,  # what we got wrong is tried for ever
    }


def _subjects(service: str) -> Config:
    return {"subjects": [f"crm.evt.{service}.*.*.*"]}


def _plain(value: Any) -> Any:
    """Return `value` without what the server adds or leaves out: zeros, order, empty members."""
    if isinstance(value, list):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in BEGUN and item not in (None, False, 0, "")}
        return {key: _plain(item) for key, item in kept.items()}
    return value or None


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)
