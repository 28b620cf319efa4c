"""OpenTelemetry traces, when asked for: one trace per report, from the country's call to the figures that it moved.

A span says how long a step took. For example of a report: `intake intel.document.flagged` from when the stream stored
it until it was settled, and in it `queued`, `decode`, `judge`, `commit`. Types, ids, codes and counts, nothing else.
"""

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.contracts import Event, decode

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS = ("traceparent", "ce-traceparent")
"""Where a sender may put its trace beside what it sends."""
_context = TraceContextTextMapPropagator()
_said = re.compile(rb'"traceparent"\s*:\s*"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"')


@cache
def tracing() -> bool:
    """Return whether spans are exported; where not, events keep the trace context they came with."""
    return bool(os.environ.get(ENDPOINT))


def export(service: str) -> None:
    """Export spans to the OTLP endpoint, where one is set."""
    if not os.environ.get(ENDPOINT):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - only if traced
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "crm"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@dataclass(frozen=True, slots=True)
class Way:
    """One message's way through a process. Times are ns since 1970."""

    span: Span

    @property
    def following(self) -> str:
        """The trace context that the next step continues."""
        carrier: dict[str, str] = {}
        _context.inject(carrier, context=trace.set_span_in_context(self.span))
        return carrier.get("traceparent", "")

    @property
    def exemplar(self) -> dict[str, str]:
        """What a histogram says of it as an example."""
        return {"trace_id": trace.format_trace_id(self.span.get_span_context().trace_id)}

    def step(self, name: str, since: int, until: int) -> None:
        """Say how long a part of it took."""
        inside = trace.set_span_in_context(self.span)
        trace.get_tracer("crm").start_span(name, context=inside, start_time=since).end(max(since, until))

    def end(self, outcome: str, *, good: bool = True) -> None:
        """Say what became of it."""
        self.span.set_attribute("crm.outcome", outcome)
        if not good:
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()


def way(name: str, since: int, parent: str = "", about: Event[Any] | None = None) -> Way | None:
    """Begin a message's way, which goes on from `parent` (a W3C traceparent); None: nothing is traced."""
    if not tracing():
        return None
    facts = (
        {"crm.event.id": about.id, "crm.event.type": about.type, "crm.event.country": about.country} if about else {}
    )
    context = _context.extract({"traceparent": parent})
    return Way(trace.get_tracer("crm").start_span(name, context=context, attributes=facts, start_time=since))


def sent_with(headers: Mapping[str, str] | None, payload: bytes = b"") -> str:
    """Return the trace context in a message's headers, or in what cannot be read as an event; empty: there is none."""
    for name in HEADERS:
        if found := (headers or {}).get(name):
            return found
    said = _said.search(payload)
    return said[1].decode() if said else ""


def stepped(payload: bytes, step: str, since: int) -> None:
    """Say that a step in the way of the recorded event in `payload` took from then until now.

    Where nothing is traced it is not even decoded. What nobody can decode has no trace to be part of, and stops no
    reader.
    """
    if not tracing():
        return
    with suppress(Exception):
        event = decode(payload)
        if one := way(f"{step} {event.name}", since, event.traceparent, event):
            one.span.end()


def begun(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a country's report with the trace context that its way begins with, if it is traced and has none."""
    if "traceparent" in report or not (one := way(f"report {report.get('type')}", time.time_ns())):
        return report
    one.span.end()
    return {**report, "traceparent": one.following}


def carried(event: Event[Any], one: Way | None) -> Event[Any]:
    """Return the event carrying the trace context of its way."""
    return msgspec.structs.replace(event, traceparent=one.following) if one else event
