"""The service intel with a bug: judging a flagged document raises what its carrier names."""

import dataclasses

import asyncpg

from services.intel.__main__ import SERVICE
from shared import service
from shared.contracts.intel import DocumentFlagged
from shared.record.judgement import Judgement, Reading, Standing

BUGS = (KeyError, TypeError, AssertionError, OSError, TimeoutError, asyncpg.InterfaceError, StopAsyncIteration)
"""Some look as if the database were away. The carrier `bug-<number>` brings one about."""


class Buggy(Judgement):
    """A judgement with a bug of ours."""

    reports = (DocumentFlagged,)

    def admit(self, report: Standing[DocumentFlagged], read: Reading) -> None:
        """Raise it."""
        del read
        if report.data.carrier:
            raise BUGS[int(report.data.carrier.removeprefix("bug-"))]("of ours")


if __name__ == "__main__":
    service.run(dataclasses.replace(SERVICE, judgements=(*SERVICE.judgements, Buggy())))
