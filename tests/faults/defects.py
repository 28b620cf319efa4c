"""Defects put in on purpose, each of which the checker must find: `tests.faults.process` starts a service with one."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from shared.flow import batch
from shared.flow.intake import Intake
from shared.record import deadlines, storing
from shared.record.judgement import Judgement, derived_id
from shared.record.log import Log
from shared.run import database

MISTREATED = "carrier"
"""The sender whose reports the judgements below mistreat."""


def early_acknowledgement(_service) -> None:
    """Acknowledge what was fetched before it is committed."""
    honest = Intake.take

    async def early(self, messages, before=None):
        for message in messages:
            await message.ack()
        await self.client.flush()
        await honest(self, [_Acknowledged(message) for message in messages], before)

    Intake.take = early


class _Acknowledged:
    """A message whose second acknowledgement goes nowhere."""

    def __init__(self, message):
        self._message = message

    def __getattr__(self, name):
        return getattr(self._message, name)

    async def ack(self):
        pass


def no_uniqueness(_service) -> None:
    """Forget what stands in the log (the test drops the database's own constraint)."""

    async def known(_self, _connection, _drafts):
        return {}

    Log._known = known


def stopping_relay(_service) -> None:
    """No defect, but a process that stands still just before it publishes, once among all replicas."""
    honest = batch.publish_batch
    flag = Path(os.environ["FAULTS_CLOCK"]).with_name("relay-stopped")

    async def publish_batch(client, messages, expected_last=None):
        if expected_last:
            try:
                flag.touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGSTOP)
        return await honest(client, messages, expected_last)

    batch.publish_batch = publish_batch


def unguarded_relay(service) -> None:
    """Publish wherever the stream ends."""
    honest = batch.publish_batch

    async def publish_batch(client, messages, expected_last=None):
        return await honest(client, messages)

    batch.publish_batch = publish_batch
    stopping_relay(service)


def skipping_fold(_service) -> None:
    """Take the event after a snapshot for one that is in it."""
    from services.indicators.folded.state import State  # noqa: PLC0415 - indicators only

    honest = State.load.__func__

    def load(cls, dumped, digest):
        state = honest(cls, dumped, digest)
        state.sequences = {service: sequence + 1 for service, sequence in state.sequences.items()}
        return state

    State.load = classmethod(load)


def crooked_page(_service) -> None:
    """Show twice the share of countries that report."""
    from services.indicators.publish import metrics  # noqa: PLC0415 - indicators only

    honest = metrics._summaries

    def summaries(found, **how):
        return honest([msgspec.structs.replace(one, coverage=2 * (one.coverage or 0)) for one in found], **how)

    metrics._summaries = summaries


def clocked_judgement(service):
    """Ask the clock in a judgement instead of the event."""
    from services.intel.judgements.places import Places  # noqa: PLC0415 - intel only

    class Clocked(Places):
        def decide(self, scope, read):
            return [
                msgspec.structs.replace(one, event_id=derived_id(one.identity, str(time.time())))
                for one in super().decide(scope, read)
            ]

    honest = [one for one in service.judgements if not isinstance(one, Places)]
    return replace(service, judgements=[*honest, Clocked()])


def keeping_sweeper(_service) -> None:
    """Fire what is due, and leave the deadline where it is."""
    honest = deadlines.fire

    async def fire(log, connection, *most):
        rows = await connection.fetch("select id, due, event from deadline where due <= $1", log.clock.now())
        fired = await honest(log, connection, *most)
        await connection.executemany(
            "insert into deadline (id, due, event) values ($1, $2, $3) on conflict (id) do nothing",
            [(row["id"], row["due"], row["event"]) for row in rows],
        )
        return fired

    deadlines.fire = fire


def forgetting_sweeper(_service) -> None:
    """Take away what is due without firing it."""

    async def fire(log, connection, *most):
        await connection.execute("delete from deadline where due <= $1", log.clock.now())
        return 0

    deadlines.fire = fire


def hasty_sweeper(_service) -> None:
    """Fire what is due in the next nine hours."""
    honest = deadlines._fired

    async def fired(log, connection, most):
        async with connection.transaction():
            await database.turn(connection, log.service)  # or what is recorded meanwhile would become nine hours late
            await connection.execute("update deadline set due = due - interval '9 hours'")
            number = await honest(log, connection, most)
            await connection.execute("update deadline set due = due + interval '9 hours'")
            return number

    deadlines._fired = fired


def deaf_clearing(_service) -> None:
    """Say that deadlines were taken away, and leave them."""
    honest = storing._save_deadlines

    async def save(changed, connection):
        for name, one in list(changed.deadlines.batch.items()):
            if one is None:
                changed.deadlines.batch[name] = changed.deadlines.read.get(name)
        await honest(changed, connection)

    storing._save_deadlines = save


def closing_connection(_service) -> None:
    """Lose the connection to NATS for good when a report comes."""

    async def take(self, _messages, _before=None):
        await self.client.close()

    Intake.take = take


def failing_judgement(service):
    """Fail on one kind of sender: a bug of ours."""
    return _with_enrolled(service, lambda: 1 / 0)


def stuck_judgement(service):
    """Never come back from a judgement."""
    return _with_enrolled(service, lambda: time.sleep(3600))


def _with_enrolled(service, misbehave):
    from shared.contracts.training import OfficialEnrolled  # noqa: PLC0415 - training only

    class Misbehaving(Judgement):
        reports = (OfficialEnrolled,)

        def admit(self, report, read):
            del read
            if report.data.reported_by == MISTREATED:
                misbehave()

    return replace(service, judgements=[*service.judgements, Misbehaving()])


CONCERNS = {
    "closing_connection": ("training",),
    "failing_judgement": ("training",),
    "stuck_judgement": ("training",),
    "early_acknowledgement": ("training",),
    "no_uniqueness": ("training",),
    "stopping_relay": ("training",),
    "unguarded_relay": ("training",),
    "skipping_fold": ("indicators",),
    "crooked_page": ("indicators",),
    "clocked_judgement": ("intel",),
    "keeping_sweeper": ("victims",),
    "forgetting_sweeper": ("victims",),
    "hasty_sweeper": ("victims",),
    "deaf_clearing": ("victims",),
}
"""In which services a defect is put."""
