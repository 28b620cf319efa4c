"""One trace follows an event through all the processes that it passes, the country's own included."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.harness.speaking import NOW, clock, say
from tests.harness.system import until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def collector():
    """An OTLP/HTTP receiver: (service, span name) by trace id."""
    spans = {}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in request.resource_spans:
                facts = {fact.key: fact.value.string_value for fact in resource.resource.attributes}
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        spans.setdefault(span.trace_id.hex(), set()).add((facts["service.name"], span.name))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()


async def test_a_trace_runs_from_the_report_to_the_training_need_and_the_fold(system, collector):
    endpoint, spans = collector
    tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    system.start("intel", "training", "indicators", **clock(), **tracing)
    await system.ready()
    gtm = await system.country("GTM")
    reports = [say(gtm, "intel.document.confirmed", NOW - timedelta(days=days)) for days in (3, 2, 1)]
    reports[-1]["traceparent"] = f"00-{TRACE}-00f067aa0ba902b7-01"
    await gtm.publish_all(reports)
    expected = {
        ("intel", "intake intel.document.confirmed"),
        ("intel", "relay intel.document.confirmed"),
        ("training", "hear intel.document.confirmed"),
        ("training", "relay training.need.raised"),
        ("indicators", "fold intel.document.confirmed"),
        ("indicators", "fold training.need.raised"),
    }
    await until(lambda: expected <= spans.get(TRACE, set()), f"the spans {expected}")
    (need,) = await system.log("training", "training.need.raised")
    assert need.traceparent[3:35] == TRACE
    assert need.time >= NOW
