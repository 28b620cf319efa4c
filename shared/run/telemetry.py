"""What a process tells of itself: JSON log lines, Prometheus metrics, and (when asked) OpenTelemetry traces.

Never a payload, a name or a number of a person: types, ids, codes and counts only.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from types import TracebackType
from typing import Any

import msgspec
import structlog
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram

from shared.contracts import Event, decode

RECEIVED = Counter(
    "crm_intake_total",
    "Messages taken in, by what became of them (recorded, refused, waiting, failed).",
    ["service", "stream", "outcome"],
)
OUTCOMES = ("recorded", "refused", "waiting", "failed")
DEADLINE = "deadline"
"""What stands for a stream where an event is due by itself."""
BATCH_SECONDS = Histogram(
    "crm_intake_batch_seconds", "Time from a batch's arrival to its commit and acknowledgement.", ["service", "stream"]
)
ASIDE = Gauge(
    "crm_aside_events",
    "Messages set aside: waiting for what they refer to, or failed by a fault of ours.",
    ["service", "stream", "kind"],
)
LOG_POSITION = Gauge("crm_log_position", "Position of the last row of the service's log.", ["service"])
RELAY_POSITION = Gauge("crm_relay_position", "Last sequence of the service's stream.", ["service"])
_context = TraceContextTextMapPropagator()
REBUILDING = Gauge(
    "crm_rebuild_events", "While the figures are folded anew: events folded, and those there are.", ["of"]
)
MEDDLING = Gauge(
    "crm_meddled_streams",
    "Ways in which streams may publish or take in what they should not.",
    ["service"],
)
CERTIFICATE_EXPIRES = Gauge(
    "crm_certificate_expires_timestamp_seconds", "When this process's own certificate ends.", ["service"]
)
TRUST_EXPIRES = Gauge(
    "crm_trust_expires_timestamp_seconds",
    "When what certificates are trusted by ends: the authority's own (authority), the list of revoked ones (revoked).",
    ["service", "what"],
)
CLOCK = Gauge(
    "crm_clock_timestamp_seconds", "What the process takes for the present: plan time where it is played.", ["service"]
)
DELAY_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Bounds of the delays' buckets, in seconds; 2 s is what is promised (docs/operations.md)."""
INTAKE_DELAY = Histogram(
    "crm_intake_delay_seconds",
    "From a message's arrival in its stream until it is recorded, refused or set aside.",
    ["service", "stream"],
    buckets=DELAY_S,
)
PENDING = Gauge(
    "crm_durable_pending_messages",
    "Messages of a stream that the service has still to take in, those that it holds included.",
    ["service", "stream"],
)
CONNECTIONS = Gauge(
    "crm_database_connections", "Connections of the process to PostgreSQL: busy, idle, max.", ["service", "state"]
)
DEADLINES = Gauge("crm_deadlines", "Events that happen by themselves if nothing takes them away before.", ["service"])
DEADLINE_LATE = Gauge(
    "crm_deadline_late_seconds",
    "For how long (real time) the first deadline has been due and is not recorded; 0: none is due.",
    ["service"],
)
HTTP = Counter("crm_http_requests_total", "Requests answered, by address and class of status.", ["address", "status"])
HTTP_SECONDS = Histogram(
    "crm_http_seconds",
    "From a request's being read to its answer, without sending it.",
    ["address"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
READY = Gauge("crm_ready", "1 when the process does its work, else 0.", ["service"])


def configure(service: str, level: str) -> None:
    """Log JSON lines to standard output, tracebacks without local values; trace if an OTLP endpoint is set."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_places),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _export_traces(service)


def _places(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """Return a traceback without what the exceptions say: PostgreSQL's and Python's texts quote values."""
    lines: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        lines += [*traceback.format_tb(error.__traceback__), type(error).__name__]
        error = error.__cause__ or error.__context__
    return "\n".join(line.rstrip() for line in lines)


def counts(service: str, streams: Iterable[str]) -> None:
    """Show what is counted of these streams with 0, from the start: else the first failure would be no rise."""
    for stream in (*streams, DEADLINE):
        for outcome in OUTCOMES:
            RECEIVED.labels(service, stream, outcome)


def _export_traces(service: str) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - only if traced
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "crm"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@cache
def tracing() -> bool:
    """Return whether spans are exported; where not, events keep the trace context they came with."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


def where(error: BaseException) -> str:
    """Return file and line of the innermost frame: enough to find a bug, without a value of its variables."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.tb_lineno}" if frame else ""


def trace_id(event: Event[Any]) -> str:
    """Return the trace that an event belongs to, for log lines; empty: none."""
    return event.traceparent[3:35]


@contextmanager
def span(name: str, event: Event[Any]) -> Iterator[dict[str, str]]:
    """Span one step of an event's way; yield the trace context that the next step continues."""
    parent = _context.extract({"traceparent": event.traceparent})
    facts = {"crm.event.id": event.id, "crm.event.type": event.type, "crm.event.country": event.country}
    following: dict[str, str] = {}
    with trace.get_tracer("crm").start_as_current_span(name, context=parent, attributes=facts):
        _context.inject(following)
        yield following


@contextmanager
def span_of(payload: bytes, step: str) -> Iterator[None]:
    """Span a step in the way of the recorded event in `payload`; where nothing is traced, do not even decode it.

    What cannot even be decoded has no trace to be part of, and stops no reader.
    """
    event = None
    if tracing():
        with suppress(Exception):
            event = decode(payload)
    if event is None:
        yield
        return
    with span(f"{step} {event.name}", event):
        yield


def traced(step: str, event: Event[Any]) -> Event[Any]:
    """Span the step of an event's way and return the event carrying the new trace context."""
    if not tracing():
        return event
    with span(f"{step} {event.name}", event) as following:
        return msgspec.structs.replace(event, **following)


def begun(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a country's report with the trace context that its way begins with, if it is traced and has none."""
    if not tracing() or "traceparent" in report:
        return report
    following: dict[str, str] = {}
    with trace.get_tracer("crm").start_as_current_span(f"report {report.get('type')}"):
        _context.inject(following)
    return {**report, **following}
