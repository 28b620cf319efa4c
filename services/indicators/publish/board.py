"""The board: pages for people, JSON and metrics for tools, over what has been folded so far."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from services.indicators.figures.examples import Example
from services.indicators.figures.figures import Figures, all_figures, figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import Occurrence, occurrences
from services.indicators.figures.objectives import told
from services.indicators.folded.feed import Rebuilt
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from services.indicators.publish import explained, pages
from services.indicators.publish.asking import as_of, language, revision, taking
from services.indicators.publish.metrics import Indicators
from services.indicators.publish.reports import Report, table
from shared.contracts import registry
from shared.contracts.indicators import IntakePurged
from shared.contracts.schema import asyncapi, event_schema, report_schema
from shared.run import web

_STATIC = Path(__file__).parents[1] / "static"
_REPORT = re.compile(r"(?P<quarter>\d{4}-Q[1-4])(?P<form>|\.json|\.csv)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class View:
    """What the board looks at; it changes nothing."""

    plan: Plan
    state: Callable[[], State]
    streams: Callable[[], Mapping[str, int]]
    """Service -> last sequence known of its stream."""
    now: Callable[[], datetime]
    ready: Callable[[], bool]
    faults: Callable[[], list[str]] = list
    """In words, what stands still."""
    report: Callable[[str, int | None], Awaitable[bytes | None]]
    """(quarter, revision or None for the latest) -> the report as published."""
    rebuild: Callable[[], Awaitable[Rebuilt]]
    purged: Callable[[IntakePurged], Awaitable[None]]
    """Records that operators empty an intake."""
    examples: Mapping[str, Example] = field(default_factory=dict)
    """Row -> the worked example that its page shows."""
    played: bool = False
    """The clock does not run as real time does: what the countries report is likely invented, and the page says so."""
    token: str = ""
    """Whoever sends it as a bearer token sees exact figures; empty: nobody does."""

    def exact(self, request: Request) -> bool:
        """Say whether the request carries the operator's token."""
        given = request.headers.get("authorization", "").encode()
        return bool(self.token) and hmac.compare_digest(given, f"Bearer {self.token}".encode())

    def figures(self, request: Request, identity: str, as_of: date | None = None) -> Figures:
        """Return a row's figures as the sender of the request may see them."""
        row = self.plan.rows[identity]
        return figures(self.plan, row, self.state(), self._span(as_of), exact=self.exact(request))

    def all_figures(self, request: Request, as_of: date | None = None) -> list[Figures]:
        """Return every row's figures as the sender of the request may see them."""
        return all_figures(self.plan, self.state(), self._span(as_of), exact=self.exact(request))

    def _span(self, as_of: date | None) -> Span:
        return Span.as_of(as_of) if as_of else Span.now(self.now().date())


def app(view: View) -> Starlette:
    """Return the web application."""
    board = _Board(view)
    routes = [
        Route("/", taking(board.scoreboard, "lang")),
        Route("/objectives", taking(board.objectives, "lang")),
        Route("/indicators/{id}", taking(board.indicator, "lang", "as_of")),
        Route("/reports/{name}", taking(board.report, "lang", "revision")),
        Route("/rebuild", taking(board.rebuild), methods=["POST"]),
        Route("/purged", taking(board.purged, "country", "why", "messages", "waiting"), methods=["POST"]),
        Route("/contracts", taking(board.contracts, "lang")),
        Route("/contracts/asyncapi.json", taking(board.asyncapi)),
        Route("/contracts/schemas/{file}", taking(board.schema)),
        Route("/api/indicators", taking(board.api_indicators, "as_of")),
        Route("/api/indicators/{id}", taking(board.api_indicator, "as_of")),
        Route("/api/objectives", taking(board.api_objectives, "as_of")),
        Route("/api/milestones", taking(board.api_milestones)),
        Route("/metrics", taking(board.metrics)),
        Route("/healthz", taking(board.healthz)),
        Route("/readyz", taking(board.readyz)),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    found = Starlette(routes=routes, exception_handlers={HTTPException: _refused})
    found.router.redirect_slashes = False  # it would answer with the address that was asked for, Host included
    return found


class _Board:
    def __init__(self, view: View) -> None:
        self._view = view
        self._asyncapi: asyncio.Task[bytes] | None = None

    async def scoreboard(self, request: Request) -> Response:
        view, state = self._view, self._view.state()
        found = view.all_figures(request)
        page = pages.scoreboard(language(request), view.plan, state, view.now(), found, played=view.played)
        return _page(page)

    async def indicator(self, request: Request) -> Response:
        day, view, lang, row = as_of(request), self._view, language(request), self._row(request)
        found, more = view.figures(request, row, day), explained.row(lang, view.plan, row, view.examples.get(row))
        return _page(pages.indicator(lang, view.plan, view.state(), found, day, **more))

    async def objectives(self, request: Request) -> Response:
        view = self._view
        found = view.all_figures(request)
        return _page(explained.objectives(language(request), view.plan, view.state(), view.now(), found))

    async def report(self, request: Request) -> Response:
        """Serve a quarter's report: a page, or with `.json` the bytes whose checksum was recorded, or `.csv`."""
        found = _REPORT.fullmatch(request.path_params["name"])
        if found is None:
            raise HTTPException(404, "a report is named like 2004-Q1, with .json or .csv, and ?revision=")
        published = await self._view.report(found["quarter"], revision(request))
        if published is None:
            raise HTTPException(404, "no such report is published")
        if found["form"] == ".json":
            return Response(published, media_type="application/json")
        one = msgspec.json.decode(published, type=Report)
        if found["form"] == ".csv":
            return Response(table(one), media_type="text/csv")
        return _page(pages.report(language(request), self._view.plan, one, hashlib.sha256(published).hexdigest()))

    async def rebuild(self, request: Request) -> Response:
        if not self._view.exact(request):
            raise HTTPException(403, "only operators rebuild: send the operator's token")
        return _json(await self._view.rebuild())

    async def purged(self, request: Request) -> Response:
        if not self._view.exact(request):
            raise HTTPException(403, "only operators empty an intake: send the operator's token")
        try:
            told = msgspec.convert(dict(request.query_params), IntakePurged, strict=False)
        except msgspec.ValidationError as error:
            raise HTTPException(400, str(error)) from None
        await self._view.purged(told)
        return _json({"recorded": True})

    async def contracts(self, request: Request) -> Response:
        return _page(pages.contracts(language(request), self._view.plan))

    async def asyncapi(self, _request: Request) -> Response:
        """Serve the document of all contracts; it takes a second to make, once, in a thread of its own."""
        if self._asyncapi is None:
            self._asyncapi = asyncio.create_task(asyncio.to_thread(lambda: msgspec.json.encode(asyncapi())))
        return Response(await asyncio.shield(self._asyncapi), media_type="application/json")

    async def schema(self, request: Request) -> Response:
        name, _, suffix = request.path_params["file"].rpartition(".")
        agreed = registry().get(name) or registry().get(f"crm.{name}.v1")
        if suffix != "json" or agreed is None:
            raise HTTPException(404, "no event type of that name; /contracts lists them")
        return _json(report_schema(agreed) if agreed.reported else event_schema(agreed))

    async def api_indicators(self, request: Request) -> Response:
        uncounted = {"uncounted": self._view.state().uncounted}
        return _json([_summary(one) | uncounted for one in self._view.all_figures(request, as_of(request))])

    async def api_indicator(self, request: Request) -> Response:
        return _json(_detail(self._view.figures(request, self._row(request), as_of(request))))

    async def api_objectives(self, request: Request) -> Response:
        return _json(told(self._view.plan, self._view.all_figures(request, as_of(request))))

    async def api_milestones(self, _request: Request) -> Response:
        now = self._view.now()
        return _json([_milestone(one, now) for one in occurrences(self._view.plan, self._view.state())])

    async def metrics(self, request: Request) -> Response:
        view, families = self._view, CollectorRegistry(auto_describe=False)
        families.register(Indicators(view.plan, view.state, view.streams, view.now, exact=view.exact(request)))
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(families), headers={"Content-Type": content_type})

    async def healthz(self, _request: Request) -> Response:
        return _json({"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        ready = self._view.ready()
        status = "ready" if ready else "catching up with the streams"
        more = {"faults": self._view.faults(), "uncounted": self._view.state().uncounted}
        return _json({"status": status, **more}, 200 if ready else 503)

    def _row(self, request: Request) -> str:
        identity = str(request.path_params["id"])
        if identity not in self._view.plan.rows:
            raise HTTPException(404, "no indicator of that name; /api/indicators lists them")
        return identity


def _summary(one: Figures) -> dict[str, Any]:
    headline = one.headline
    return {
        **_row(one),
        "direction": one.row.direction,
        "value": headline.value if headline else None,
        "numerator": headline.numerator if headline else None,
        "denominator": headline.denominator if headline else None,
        "suppressed": bool(headline and headline.suppressed),
        "suppressed_cells": one.suppressed,
        **_more(one),
    }


def _more(one: Figures) -> dict[str, Any]:
    """Return what only some rows have: whose further figure it is; of a trend what it compares, and who fell silent."""
    more: dict[str, Any] = {"belongs": one.row.belongs} if one.row.belongs else {}
    if one.parts:
        more |= {"parts": one.parts, "partial": one.partial, "silent": one.silent}
    if one.row.kind == "trend":
        periods = one.comparison
        more |= {
            "window": {"since": periods.since, "until": periods.until} if periods else None,
            "baseline": {"since": periods.baseline_since, "until": periods.baseline_until} if periods else None,
            "partial": one.partial,
            "silent": one.silent,
        }
    return more


def _detail(one: Figures) -> dict[str, Any]:
    return {**_row(one), "values": one.cells, **_more(one)}


def _row(one: Figures) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id,
        "title": row.title,
        "unit": row.unit,
        "kind": row.kind,
        "as_of": one.day,
        "target": row.target,
        "met": one.met,
        "unknown": one.unknown or None,
        "missing": one.missing,
        "coverage": one.coverage,
    }


def _milestone(one: Occurrence, now: datetime) -> dict[str, Any]:
    return {
        "id": one.key,
        "milestone": one.milestone.id,
        "title": one.milestone.title,
        "due": one.due,
        "reached": one.reached,
        "late_s": one.late_s,
        "state": one.standing(now),
        "done": one.done,
        "needed": one.needed,
        "missing": one.missing,
    }


def _json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def _page(content: str) -> Response:
    return HTMLResponse(content)


_CODES = {403: "forbidden", 400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = web.refused(error.status_code, _CODES.get(error.status_code, "error"), error.detail)
    answer.headers.update(error.headers or {})
    return answer
