"""What crosses from one NATS account into another, from each principal's rights.

A server's answer goes to whatever subject its asker names, and nobody's rights are asked. So everybody has an account
of its own: what the asker names is a subject there, where there is nothing of others'. Streams and durables are in the
account CRM, in which nobody has a user. What a principal may say to them is a service that its account imports, under
the subject that its client uses anyway: no client knows of accounts.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from infra.nats.rights import CENTRAL, Rights, mailbox_subjects, opening
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import RECEIVERS

LOGS = "crm.log.*"
"""Where the countries hear what the services sign of their logs."""
API, LOCAL = "$JS.API.", "JS.API."
"""The API of JetStream, and what the server makes of it in the account of a service or a hand.

Each account would answer for itself under the API's own name, and say that it has no JetStream. So the server maps one
to the other, before it looks at rights.
"""
MAPPINGS = {f"{API}>": f"{LOCAL}>"}
ASKING = "crm.ask."
MANY = (f"{API}CONSUMER.MSG.NEXT.", f"{API}DIRECT.GET.")
"""What may be answered more than once."""

Part = dict[str, Any]


def local(rights: Rights) -> Rights:
    """Return the rights of a service or a hand in its own account, in which the API has another name."""
    return structs.replace(rights, publish=tuple(mapped(subject) for subject in rights.publish))


def mapped(subject: str) -> str:
    """Return what the server makes of a subject that a service or a hand says in its account."""
    return LOCAL + subject.removeprefix(API) if subject.startswith(API) else subject


def exports(rights: Mapping[str, Rights]) -> list[Part]:
    """Return what the account CRM gives to the others, each only to who may have it."""
    heard: dict[str, list[str]] = {LOGS: [*MEMBERS]}
    for name, its in rights.items():
        for subject in its.crossing:
            heard.setdefault(subject, []).append(name)
    return [
        *({"stream": subject, "accounts": who} for subject, who in heard.items()),
        *({"service": subject, "accounts": who} | _answers(subject) for subject, who in _said(rights, CENTRAL).items()),
    ]


def asked(service: str, rights: Mapping[str, Rights]) -> list[Part]:
    """Return the questions that the account of a service gives to those who may ask them."""
    return [{"service": subject, "accounts": who} for subject, who in _said(rights, service).items()]


def imports(name: str, rights: Rights) -> list[Part]:
    """Return what the account of a service or a hand takes from others."""
    return [
        *({"stream": {"account": CENTRAL, "subject": subject}} for subject in rights.crossing),
        *(
            {"service": {"account": _of(subject), "subject": subject}} | _under(mapped(subject), subject)
            for subject in dict.fromkeys(rights.publish)
            if _of(subject) != name
        ),
    ]


def receiver_imports(name: str) -> list[Part]:
    """Return what the account of a country, or a secretariat, takes from others."""
    logs = [{"stream": {"account": CENTRAL, "subject": LOGS}, "to": "log.*"}] if name in MEMBERS else []
    said = _receiver(name)
    return [*logs, *({"service": {"account": of, "subject": theirs}} | _under(own, theirs) for of, theirs, own in said)]


def _receiver(name: str) -> list[tuple[str, str, str]]:
    """Return what a country may say: whose it is, its subject there, and in the country's own account."""
    asks = [(service, f"{ASKING}{name}.{service}.>", f"ask.{service}.>") for service in SERVICES if name in MEMBERS]
    return [
        (CENTRAL, f"crm.in.{name}.>", "report.>"),
        *asks,
        *((CENTRAL, subject, subject) for subject in mailbox_subjects(name)),
        *((CENTRAL, subject, own) for subject, own in opening(name).items()),
    ]


def _said(rights: Mapping[str, Rights], account: str) -> dict[str, list[str]]:
    """Return who may say what to an account from another, by subject."""
    found: dict[str, list[str]] = {}
    every = [(name, _of(subject), subject) for name, its in rights.items() for subject in its.publish]
    every += [(name, of, subject) for name in RECEIVERS for of, subject, _ in _receiver(name)]
    for name, of, subject in dict.fromkeys(every):
        if of == account != name:
            found.setdefault(subject, []).append(name)
    return found


def _of(subject: str) -> str:
    """Return the account that has what hears `subject`."""
    return subject.split(".")[3] if subject.startswith(ASKING) else CENTRAL


def _answers(subject: str) -> Part:
    return {"response_type": "stream"} if subject.startswith(MANY) else {}


def _under(own: str, theirs: str) -> Part:
    return {"to": own} if own != theirs else {}
