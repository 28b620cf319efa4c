"""What a process tells of itself: JSON log lines and Prometheus metrics (traces: shared/run/tracing.py).

Never a payload, a name or a number of a person: types, ids, codes and counts only.
"""

import logging
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

from shared.contracts import Event
from shared.run import tracing

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
    tracing.export(service)


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


def where(error: BaseException) -> str:
    """Return file and line of the innermost frame: enough to find a bug, without a value of its variables."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.tb_lineno}" if frame else ""


def trace_id(event: Event[Any]) -> str:
    """Return the trace that an event belongs to, for log lines; empty: none."""
    return event.traceparent[3:35]
