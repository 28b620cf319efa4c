"""The service intel with a bug: the rule of a flagged document raises the exception that its carrier names."""

import builtins
import dataclasses
from typing import Any

import asyncpg

from services.intel.__main__ import SERVICE
from shared import service
from shared.contracts.intel import DocumentFlagged
from shared.rules import Rules

BUGS = {"interface": asyncpg.InterfaceError("a bug that looks as if the database were away")}


def with_bug(rules: Rules) -> Rules:
    right = rules[DocumentFlagged]

    async def buggy(event: Any, connection: Any) -> Any:
        if event.data.carrier:
            raise BUGS.get(event.data.carrier) or getattr(builtins, event.data.carrier)("of ours")
        return await right(event, connection)  # type: ignore[call-arg, misc]

    return {**rules, DocumentFlagged: buggy}


if __name__ == "__main__":
    service.run(dataclasses.replace(SERVICE, rules=with_bug(SERVICE.rules)))
