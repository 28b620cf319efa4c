"""Who may say and hear what on NATS: one entry per principal, the least that its work needs, all else denied.

Generated from the registry and the desired streams; `config.py` writes it as server configuration, and
tests/security tries it out against a real server.
"""

from msgspec import Struct

from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS, OPERATING
from shared.flow.streams import (
    BOARD,
    CHECKPOINTS,
    INTAKE,
    MAILBOX,
    MENDED,
    QUARANTINE,
    RECEIVERS,
    SENDERS,
    TELLS_DELIVERY,
    durables,
    intake_of,
    keys_of,
    stream_configs,
    stream_of,
)

CENTRAL = "CRM"
"""The account that has the streams and the durables, and the services as its users."""
DOMAIN = "CRM"
"""What a country's client names as JetStream domain, so that it opens the mailbox by its ordinary calls."""
PROVISIONER, OPERATOR = "provisioner", "operator"
UPKEEP = "upkeep"
"""What verifies the logs each day: it reads what the services say, and no report as it came."""
DEPLOYER = "deployer"
"""What deploys a version: it makes and adapts durables, and cannot touch a stream."""
FOLDS = "indicators"
"""The service that reads all five streams with ordered consumers."""


class Rights(Struct, frozen=True, kw_only=True):
    """What one principal may publish and subscribe to; `answers` allows one reply to each question it gets."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    crossing: tuple[str, ...] = ()
    """What of it the server says in the account CRM, and is heard in the principal's own."""
    answers: bool = False


def inbox(principal: str) -> str:
    """Return the private inbox prefix of a principal inside CRM; nobody else may listen there."""
    return f"_INBOX_{principal}"


def central() -> dict[str, Rights]:
    """Return the rights of everybody who works for the region, by principal, in the server's own subjects."""
    return {**services(), **hands()}


def services() -> dict[str, Rights]:
    """Return the rights of the services, which are the users of the account CRM."""
    return {service: _service(service) for service in SERVICES}


def hands() -> dict[str, Rights]:
    """Return the rights of those who work by hand or once a day; each has an account of its own.

    Nobody may listen to a stream's subjects: a consumer that delivers to a subject where somebody listens would make
    the server write into the stream behind it. Operators look and read, message by message; they make, change and
    delete nothing, since a stream of their own could publish again whatever they like as whoever they like. All that
    they may empty is a sender's intake, from which everything that was recorded stands in the logs. Who may make or
    alter a stream has power over words: that is the provisioner, whose key is used by hand; what deploys has none.
    """
    return {
        DEPLOYER: Rights(publish=(*LOOKING, *_durables()), subscribe=(f"{inbox(DEPLOYER)}.>",)),
        PROVISIONER: Rights(publish=tuple(_provisioning()), subscribe=(f"{inbox(PROVISIONER)}.>",)),
        UPKEEP: Rights(publish=tuple(_verifying()), subscribe=(f"{inbox(UPKEEP)}.>",)),
        OPERATOR: Rights(
            publish=(
                *LOOKING,
                *READING,
                *(f"$JS.API.STREAM.PURGE.{intake_of(sender)}" for sender in SENDERS),
                f"crm.in.{OPERATING}.>",
            ),
            subscribe=(f"{inbox(OPERATOR)}.>", *ADVISORIES),
            crossing=ADVISORIES,
        ),
    }


def country(name: str) -> Rights:
    """Return the rights of a country's, or a secretariat's, user inside its own account, in its own subjects.

    A secretariat asks nothing: what there is to ask about belongs to countries.
    """
    return Rights(
        publish=(
            "report.>",
            *(("ask.>",) if name in MEMBERS else ()),
            *mailbox_subjects(name),
            *opening(name).values(),
        ),
        subscribe=("_INBOX.>", *(("log.*",) if name in MEMBERS else ())),
    )


LOOKING = (
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.CONSUMER.NAMES.*",
    "$JS.API.CONSUMER.LIST.*",
    "$JS.API.CONSUMER.INFO.*.*",
)
"""What changes nothing on the server, and gives no message."""
ADVISORIES = tuple(f"$JS.EVENT.ADVISORY.{what}" for what in ("API", "CONSUMER.>", "SERVER.>", "DOMAIN.>"))
"""What the server tells of what is done with JetStream."""
READING = ("$JS.API.STREAM.MSG.GET.*", "$JS.API.DIRECT.GET.*")
"""What gives any single message, and so what countries wrote."""


def _provisioning() -> list[str]:
    """Return what makes and adapts the streams that there must be, by their names, and restores a stream.

    Only the stream that copies a service's log may be deleted: it is made anew from the log; and the one
    that passes a single message on (`infra/nats/mailbox.py`).
    """
    subjects = [*LOOKING, *READING, f"$JS.API.STREAM.UPDATE.{INTAKE}"]
    for stream in stream_configs():
        subjects += [f"$JS.API.STREAM.CREATE.{stream}", f"$JS.API.STREAM.UPDATE.{stream}"]
    subjects += [f"$JS.API.STREAM.DELETE.{stream_of(service)}" for service in SERVICES]
    return [*subjects, f"$JS.API.STREAM.CREATE.{MENDED}", f"$JS.API.STREAM.DELETE.{MENDED}", *_durables()]


def _verifying() -> list[str]:
    """Return what proves that each log's stream, and the mailboxes, are its copies, and what was signed of it."""
    logs = [stream_of(service) for service in SERVICES]
    return [
        *(f"$JS.API.STREAM.INFO.{stream}" for stream in logs),
        *(f"$JS.API.DIRECT.GET.{stream}" for stream in (*logs, MAILBOX, CHECKPOINTS)),
    ]


def _durables() -> list[str]:
    """Return what makes and adapts the durables that there must be, by their names."""
    subjects = []
    for stream, wanted in durables().items():
        subjects += [f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}" for name in wanted]
        subjects += [f"$JS.API.CONSUMER.RESET.{stream}.{name}" for name in wanted if name not in RECEIVERS]
    return [*subjects, *(f"$JS.API.CONSUMER.RESET.{INTAKE}.{service}" for service in SERVICES)]


def mailbox_subjects(name: str) -> tuple[str, str]:
    """Return where a country pulls from its mailbox and acknowledges."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{MAILBOX}.{name}", f"$JS.ACK.{MAILBOX}.{name}.>"


def opening(name: str) -> dict[str, str]:
    """Return what client libraries ask when they open the mailbox in the JetStream domain `DOMAIN`.

    The server's own subject -> the country's. Without a domain a country's question of what a consumer is would go to
    its own account, which has no JetStream.
    """
    asked = (f"$JS.API.CONSUMER.INFO.{MAILBOX}.{name}", mailbox_subjects(name)[0])
    return {subject: subject.replace("$JS.API", f"$JS.{DOMAIN}.API", 1) for subject in asked}


def principals() -> tuple[str, ...]:
    """Return everybody who has a key."""
    return (*central(), *RECEIVERS)


def _service(name: str) -> Rights:
    own = stream_of(name)
    mine = (name, keys_of(name))
    taken = [(stream, one) for stream, wanted in durables().items() for one in mine if one in wanted]
    read = [stream for stream, _ in taken]
    taken.append((INTAKE, name))  # as long as something is left of what all shared before
    publish = [
        f"crm.evt.{name}.>",
        f"crm.bad.*.{name}",
        f"crm.log.{name}",
        f"$JS.API.DIRECT.GET.{CHECKPOINTS}.crm.log.{name}",
        "$JS.API.STREAM.LIST",  # whether one of them meddles with what countries and services write
        *(f"$JS.API.STREAM.INFO.{stream}" for stream in sorted({own, QUARANTINE, CHECKPOINTS, *read})),
        f"$JS.API.DIRECT.GET.{own}",
        f"$JS.API.DIRECT.GET.{own}.>",
    ]
    for stream, durable in taken:
        publish += [
            f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
            f"$JS.ACK.{stream}.{durable}.>",
        ]
    if name == FOLDS:
        publish += _folding()
        publish.append(f"$JS.API.CONSUMER.LIST.{MAILBOX}")  # how much is unread
        publish += [f"crm.ask.{BOARD}.{service}.{asked}" for service in SERVICES for asked in ("checkpoint", "tile")]
    if name == TELLS_DELIVERY:
        publish.append(f"$JS.API.DIRECT.GET.{MAILBOX}")
    return Rights(publish=tuple(publish), subscribe=(f"{inbox(name)}.>", f"crm.ask.*.{name}.>"), answers=True)


def _folding() -> list[str]:
    """Return what ordered consumers need: ephemeral consumers, flow control and single messages of the five streams."""
    subjects = []
    for service in SERVICES:
        stream = stream_of(service)
        subjects += [
            f"$JS.API.STREAM.INFO.{stream}",
            f"$JS.API.CONSUMER.CREATE.{stream}",  # without a name at the end: ephemeral only
            f"$JS.API.DIRECT.GET.{stream}",
            f"$JS.FC.{stream}.>",
        ]
    return list(dict.fromkeys(subjects))
