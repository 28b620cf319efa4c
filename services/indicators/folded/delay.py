"""How long after its record an event is in the figures: what is promised of the system as a whole."""

from datetime import datetime

import msgspec
from msgspec import Struct
from prometheus_client import Histogram

from services.indicators.folded.reading import Delayed
from shared.contracts import SERVICES
from shared.run.clock import Clock
from shared.run.telemetry import DELAY_S
from shared.run.tracing import tracing

FIGURE_DELAY = Histogram(
    "crm_figure_delay_seconds",
    "From an event's record in its log until the figures have it, in real time.",
    ["stream"],
    buckets=DELAY_S,
)


class _Recorded(Struct, frozen=True, gc=False):
    recordedtime: datetime
    traceparent: str = ""


_times = msgspec.json.Decoder(_Recorded)


def delayed(clock: Clock) -> Delayed:
    """Return what measures each event that was just folded; one that cannot be read has no time."""
    # From the start, so that the first late one is a rise.
    late = {service.upper(): FIGURE_DELAY.labels(service.upper()) for service in SERVICES}

    def measured(stream: str, payload: bytes) -> None:
        try:
            told = _times.decode(payload)
        except msgspec.MsgspecError:
            return
        example = {"trace_id": told.traceparent[3:35]} if told.traceparent and tracing() else None
        late[stream].observe(max(0.0, clock.real_s(clock.now() - told.recordedtime)), example)

    return measured
