"""What training is asked: which certificates of an officer serve today."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.training.judgements.certificates import officer, steps, stood
from shared.ask.questions import Asked, Questions
from shared.contracts.questions import Answered, Certificate, CertificatesAnswer, CertificatesAsk, not_permitted
from shared.contracts.training import OfficerCertified
from shared.record.asking import about
from shared.record.judgement import Standing
from shared.run.database import Connection


async def on_certificates(asked: Sequence[Asked[CertificatesAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell a country about its own officers, and no other about them."""
    things = [officer(one.country, one.ask.officer_pid) for one in asked]
    found = await about(connection, things)
    given = [one for reports in found.values() for one in reports]
    told = await about(connection, [_steps(one) for one in given])
    return [
        CertificatesAnswer(certificates=tuple(_serving(found[thing], told, one.now)))
        if one.ask.country in {None, one.country}
        else not_permitted()
        for thing, one in zip(things, asked, strict=True)
    ]


def _serving(
    reports: Sequence[Standing[OfficerCertified]], told: Mapping[str, Sequence[Standing[Any]]], now: datetime
) -> list[Certificate]:
    """Return the certificates that serve now: valid, or stale and within the grace."""
    found = []
    for report in sorted(reports, key=lambda one: (one.data.topic, one.data.cert_id)):
        data = report.data
        befell = [step for step, _ in stood(told[_steps(report)])]
        grace = next((step.grace_until for step in befell if step.kind == "staled"), None)
        ended = {step.kind for step in befell} & {"renewed", "revoked"}
        if data.valid_from <= now.date() <= data.valid_until and not ended and (grace is None or grace > now):
            found.append(
                Certificate(
                    cert_id=data.cert_id,
                    topic=data.topic,
                    institution_type=data.institution_type,
                    valid_until=data.valid_until,
                    grace_until=grace,
                )
            )
    return found


def _steps(report: Standing[OfficerCertified]) -> str:
    return steps(report.country, report.data.cert_id)


QUESTIONS: Questions = {CertificatesAsk: on_certificates}
