"""The service intel with a bug: the rule of a flagged document raises what its carrier names."""

import dataclasses
from typing import Any

import asyncpg

from services.intel.__main__ import SERVICE
from shared import service
from shared.contracts.intel import DocumentFlagged
from shared.rules import Rules

BUGS = (KeyError, TypeError, AssertionError, OSError, TimeoutError, asyncpg.InterfaceError, StopAsyncIteration)
"""Some look as if the database were away. The carrier `bug-<number>` brings one about."""


def with_bug(rules: Rules) -> Rules:
    right = rules[DocumentFlagged]

    async def buggy(event: Any, connection: Any) -> Any:
        if event.data.carrier:
            raise BUGS[int(event.data.carrier.removeprefix("bug-"))]("of ours")
        return await right(event, connection)  # type: ignore[call-arg, misc]

    return {**rules, DocumentFlagged: buggy}


if __name__ == "__main__":
    service.run(dataclasses.replace(SERVICE, rules=with_bug(SERVICE.rules)))
