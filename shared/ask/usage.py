"""The question `quota`: what a country may use, and what it uses now."""

import json
from collections.abc import Sequence
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.ask.questions import Answering, Asked
from shared.contracts.questions import Answered, QuotaAnswer, QuotaAsk, unavailable
from shared.flow import quotas
from shared.flow.streams import intake_of
from shared.run.database import Connection

TIMEOUT_S = 2.0


def answering(client: Client, service: str) -> Answering:
    """Return what answers the question for `service`, from the quotas and from the country's intake."""

    async def answered(asked: Sequence[Asked[QuotaAsk]], _: Connection) -> Sequence[Answered]:
        return [await _answer(client, service, one.country) for one in asked]

    return answered


async def _answer(client: Client, service: str, country: str) -> Answered:
    quota, stream = quotas.of(country), intake_of(country)
    try:
        held = await _asked(client, f"STREAM.INFO.{stream}")
        taken = await _asked(client, f"CONSUMER.INFO.{stream}.{service}")
    except NatsError:
        return unavailable()
    return QuotaAnswer(
        reports_per_s=quota.reports_per_s,
        questions_per_s=quota.questions_per_s,
        numbers_per_day=quota.numbers_per_day,
        connections=quota.connections,
        subscriptions=quota.subscriptions,
        payload_bytes=quota.payload_kib << 10,
        open_batches=quotas.region().open_batches,
        intake_bytes=held["config"]["max_bytes"],
        intake_messages=held["config"]["max_msgs"],
        held_bytes=held["state"]["bytes"],
        held_messages=held["state"]["messages"],
        waiting=taken["num_pending"],
    )


async def _asked(client: Client, question: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((await client.request(f"$JS.API.{question}", b"", timeout=TIMEOUT_S)).data)
    if "error" in answer:
        raise NatsError(answer["error"].get("description", ""))
    return answer
