"""What crosses from the account of a hand (operator, deployer, provisioner, upkeep) into CRM, from its rights.

A server's answer goes to whatever subject its asker names, and nobody's rights are asked. So a hand has an account of
its own, as countries have: what it names is a subject there, where there is nothing of others'. Streams and durables
are in the account CRM. What a hand may say to them is a service that its account imports, under the subject that its
client uses anyway: no client knows of accounts.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from infra.nats.rights import CENTRAL, Rights

API, LOCAL = "$JS.API.", "JS.API."
"""The API of JetStream, and what the server makes of it in the account of a hand.

Each account would answer for itself under the API's own name, and say that it has no JetStream. So the server maps one
to the other, before it looks at rights.
"""
MAPPINGS = {f"{API}>": f"{LOCAL}>"}
MANY = f"{API}DIRECT.GET."
"""What may be answered more than once."""

Part = dict[str, Any]


def local(rights: Rights) -> Rights:
    """Return the rights of a hand in its own account, in which the API has another name."""
    return structs.replace(rights, publish=tuple(mapped(subject) for subject in rights.publish))


def mapped(subject: str) -> str:
    """Return what the server makes of a subject that a hand says in its account."""
    return LOCAL + subject.removeprefix(API) if subject.startswith(API) else subject


def exports(rights: Mapping[str, Rights]) -> list[Part]:
    """Return what the account CRM gives to the hands, each only to who may have it."""
    heard: dict[str, list[str]] = {}
    said: dict[str, list[str]] = {}
    for name, its in rights.items():
        for subject in its.crossing:
            heard.setdefault(subject, []).append(name)
        for subject in dict.fromkeys(its.publish):
            said.setdefault(subject, []).append(name)
    return [
        *({"stream": subject, "accounts": who} for subject, who in heard.items()),
        *({"service": subject, "accounts": who} | _answers(subject) for subject, who in said.items()),
    ]


def imports(rights: Rights) -> list[Part]:
    """Return what the account of a hand takes from CRM."""
    return [
        *({"stream": {"account": CENTRAL, "subject": subject}} for subject in rights.crossing),
        *(
            {"service": {"account": CENTRAL, "subject": subject}} | _under(mapped(subject), subject)
            for subject in dict.fromkeys(rights.publish)
        ),
    ]


def _answers(subject: str) -> Part:
    return {"response_type": "stream"} if subject.startswith(MANY) else {}


def _under(own: str, theirs: str) -> Part:
    return {"to": own} if own != theirs else {}
