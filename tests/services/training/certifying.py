"""Reports about certificates, and what is told of them."""

from datetime import timedelta

from services.training.__main__ import SERVICE
from shared.ask.questions import Asked
from shared.contracts.questions import CertificatesAsk
from tests.harness.desk import START

CERTIFICATION = [f"training.certification.{verb}" for verb in ("staled", "expired", "renewed", "revoked", "retracted")]


def certified(training, cert_id="c-1", days=-30, **changes):
    changes = {"officer_pid": "of-1", "topic": "ethics", "valid_until": "2006-02-28", "aligned_to": []} | changes
    return training.event("training.officer.certified", days, cert_id=cert_id, **changes)


def amended(training, law_id="law-1", days=-5, **changes):
    changes = {"version": "2", "effective_from": "2004-03-01"} | changes
    return training.event("legal.law.amended", days, law_id=law_id, **changes)


def confirmed(training, days=-1, **changes):
    return training.event("intel.document.confirmed", days, **changes)


def complaint(training, verb="resolved", days=-1, **changes):
    if verb == "resolved":
        changes = {"outcome": "substantiated", "officer_pid": "of-1"} | changes
    else:
        changes = {"outcome": ..., "officer_pid": ..., "offence": ..., "sanction": ...} | changes
    return training.event(f"training.complaint.{verb}", days, **changes)


async def told(training):
    return [(event.name.rpartition(".")[2], event.data.cert_id) for event in await training.recorded(*CERTIFICATION)]


async def serving(training, officer="of-1", country="GTM", days=0):
    asked = Asked("GTM", CertificatesAsk(officer_pid=officer, country=country), START + timedelta(days=days))
    async with training.log.pool.acquire() as connection:
        (answer,) = await SERVICE.questions[CertificatesAsk]([asked], connection)
    return {one.cert_id: one.grace_until for one in answer.certificates}


async def left(training):
    """What was told of certificates and not taken back, in order: (cert_id, kind, time)."""
    events = await training.recorded(*CERTIFICATION)
    back = {one.data.supersedes for one in events if one.name.endswith(".retracted")}
    told = [one for one in events if one.name != "training.certification.retracted" and one.id not in back]
    return [(one.data.cert_id, one.name.rpartition(".")[2], one.time) for one in told]
