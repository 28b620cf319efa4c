"""What training is asked: which certificates of an officer serve today."""

from collections import defaultdict
from collections.abc import Sequence

from services.training import answers
from shared.contracts.questions import Answered, Certificate, CertificatesAnswer, CertificatesAsk, not_permitted
from shared.database import Connection
from shared.questions import Asked, Questions


async def on_certificates(asked: Sequence[Asked[CertificatesAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell a country about its own officers, and no other about them."""
    officers = [(one.country, one.ask.officer_pid) for one in asked]
    found: dict[int, list[Certificate]] = defaultdict(list)
    for row in await answers.certificates(connection, officers, asked[0].now):
        certificate = Certificate(
            cert_id=row["cert_id"],
            topic=row["topic"],
            institution_type=row["institution_type"],
            valid_until=row["valid_until"],
            grace_until=row["grace_until"],
        )
        found[row["number"]].append(certificate)
    return [
        CertificatesAnswer(certificates=tuple(found[number]))
        if one.ask.country in {None, one.country}
        else not_permitted()
        for number, one in enumerate(asked, start=1)
    ]


QUESTIONS: Questions = {CertificatesAsk: on_certificates}
