"""What operators and their tools ask of the board: health, metrics, a rebuild, and that an intake was emptied."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.folded.feed import Rebuilt
from services.indicators.publish.view import View
from shared.contracts.indicators import IntakePurged
from shared.run.addresses import Address, Gives, Nothing, encoded


class Healthy(Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(Struct, frozen=True):
    """Whether the figures are up to date."""

    status: Literal["ready", "catching up with the streams"]
    faults: list[str]
    """In words, what stands still."""
    uncounted: int
    """Events that no figure has: they were set aside."""


class Recorded(Struct, frozen=True):
    """It is on record."""

    recorded: bool = True


METRICS = [Gives("text/plain"), Gives("application/openmetrics-text")]


def addresses(view: View) -> Sequence[Address]:
    """Return the operators' addresses."""

    async def rebuild(_request: Request, _asked: Nothing) -> Rebuilt:
        """Fold all streams anew from their first event, beside the figures that are shown."""
        return await view.rebuild()

    async def purged(_request: Request, asked: IntakePurged) -> Recorded:
        """Record that the operators emptied a country's intake; the country is told."""
        await view.purged(asked)
        return Recorded()

    async def metrics(request: Request, _asked: Nothing) -> Response:
        """Give every figure to Prometheus: as the public has them, or exact to the operator."""
        text = await view.expositions[view.exact(request)].text(request.headers.get("accept", ""))
        return Response(text.body, headers={"Content-Type": text.media, "Vary": "Accept"})

    async def all_metrics(request: Request, _asked: Nothing) -> Response:
        """Give every figure to the operator's Prometheus, exact and live; refuses (403) who has not the token.

        So a scraper without it fails, and is not told what is public in place of that.
        """
        return await metrics(request, _asked)

    async def healthz(_request: Request, _asked: Nothing) -> Healthy:
        """Say that the process answers."""
        return Healthy()

    async def readyz(request: Request, _asked: Nothing) -> Response:
        """Say whether all streams are folded to their end; 503 if not."""
        ready = view.ready()
        status: Literal["ready", "catching up with the streams"] = "ready" if ready else "catching up with the streams"
        return encoded(Readiness(status, view.faults(), view.uncounted(request)), 200 if ready else 503)

    return [
        Address("/rebuild", rebuild, "Operators", "POST", refuses=[403], only=view.operator),
        Address("/purged", purged, "Operators", "POST", refuses=[403], only=view.operator),
        Address("/metrics", metrics, "Operators", gives=METRICS, exact=True),
        Address(
            "/metrics/operator", all_metrics, "Operators", gives=METRICS, refuses=[403], only=view.operator, watch=True
        ),
        Address("/healthz", healthz, "Operators"),
        Address("/readyz", readyz, "Operators", gives=[Gives(schema=Readiness), Gives(schema=Readiness, status=503)]),
    ]
