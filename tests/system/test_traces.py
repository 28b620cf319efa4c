"""One trace follows an event through all the processes that it passes, the country's own included."""

import re
import threading
import urllib.request
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.harness.speaking import NOW, clock, say
from tests.harness.system import free_port, until

pytestmark = pytest.mark.long

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def collector():
    """An OTLP/HTTP receiver: its address, and of each trace its spans, as (service, name, span)."""
    traces = {}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in request.resource_spans:
                facts = {fact.key: fact.value.string_value for fact in resource.resource.attributes}
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        traces.setdefault(span.trace_id.hex(), []).append((facts["service.name"], span.name, span))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "OTEL_BSP_SCHEDULE_DELAY": "200"},
        traces,
    )
    server.shutdown()
    server.server_close()


async def spans(traces, *expected, trace=TRACE):
    """The spans of a trace by service and name, once those expected are there."""
    await until(
        lambda: set(expected) <= {(service, name) for service, name, _ in traces.get(trace, ())},
        f"{expected} in {trace}: {[(key, *one[:2]) for key, some in traces.items() for one in some]}",
    )
    return {(service, name): span for service, name, span in traces[trace]}


def of(span):
    """What a span says beside its times."""
    return {fact.key: fact.value.string_value for fact in span.attributes}


async def test_a_trace_runs_from_the_report_to_the_training_need_and_the_fold(system, collector):
    tracing, traces = collector
    system.start("intel", "training", "indicators", **clock(), **tracing)
    await system.ready()
    gtm = await system.country("GTM")
    reports = [say(gtm, "intel.document.confirmed", NOW - timedelta(days=days)) for days in (3, 2, 1)]
    reports[-1]["traceparent"] = f"00-{TRACE}-00f067aa0ba902b7-01"
    await gtm.publish_all(reports)
    found = await spans(
        traces,
        ("intel", "intake intel.document.confirmed"),
        ("intel", "relay intel.document.confirmed"),
        ("training", "hear intel.document.confirmed"),
        ("training", "relay training.need.raised"),
        ("indicators", "fold intel.document.confirmed"),
        ("indicators", "fold training.need.raised"),
    )
    assert all(span.end_time_unix_nano > span.start_time_unix_nano for span in found.values())
    whole = found["intel", "intake intel.document.confirmed"]
    assert of(whole)["crm.outcome"] == "recorded"
    steps = [found["intel", name] for name in ("queued", "decode", "judge", "commit")]
    assert steps[0].start_time_unix_nano == whole.start_time_unix_nano, "from when the stream stored it"
    for before, after in pairwise(steps):
        assert before.end_time_unix_nano <= after.start_time_unix_nano
    assert steps[-1].end_time_unix_nano <= whole.end_time_unix_nano
    (need,) = await system.log("training", "training.need.raised")
    assert need.traceparent[3:35] == TRACE
    assert need.time >= NOW


async def test_delays_name_a_trace_as_an_example_and_nothing_else(system, collector):
    tracing, _ = collector
    ports = {service: free_port() for service in ("intel", "indicators")}
    for service, port in ports.items():
        system.start(service, CRM_OPS_PORT=str(port), **clock(), **tracing)
    await system.ready()
    gtm = await system.country("GTM")
    report = say(gtm, "intel.document.confirmed") | {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    await gtm.publish_all([report])
    for service, name in (("intel", "crm_intake_delay_seconds"), ("indicators", "crm_figure_delay_seconds")):
        lines = await until(partial(examples, ports[service], name), f"an example in {name}")
        assert {EXAMPLE.search(line)[1] for line in lines} == {f'trace_id="{TRACE}"'}
        assert "# {" not in scraped(ports[service], "text/plain"), "as before, for who does not ask for it"
    await gtm.ask("intel", "quota")
    assert await until(lambda: examples(ports["intel"], "crm_question_seconds"), "an example of a question")


EXAMPLE = re.compile(r" # \{([^}]*)\} ")


def scraped(port, kind):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": kind})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith(kind)
        return answer.read().decode()


def examples(port, name):
    page = scraped(port, "application/openmetrics-text")
    assert page.endswith("# EOF\n")
    return [line for line in page.splitlines() if line.startswith(name) and EXAMPLE.search(line)]


async def test_what_is_refused_and_what_is_asked_leave_spans_with_their_outcome(system, collector):
    tracing, traces = collector
    system.start("intel", **clock(), **tracing)
    await system.ready()
    gtm = await system.country("GTM")
    refused = say(gtm, "intel.document.confirmed") | {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    refused["data"]["issuing"] = "HN"
    await gtm.client.publish("report.intel.document.confirmed", msgspec.json.encode(refused))
    found = await spans(traces, ("intel", "intake"), ("intel", "relay intel.report.rejected"))
    assert of(found["intel", "intake"]) == {"crm.outcome": "refused"}
    await gtm.ask("intel", "quota")
    asked = ("intel", "question quota")
    seen = await until(
        lambda: [span for some in traces.values() for *where, span in some if tuple(where) == asked],
        "the question's span",
    )
    assert of(seen[0])["crm.outcome"] == "answered"
    assert seen[0].end_time_unix_nano > seen[0].start_time_unix_nano
