"""Addresses are what they declare: answers have the document's shape, and what it does not allow is refused."""

import json
import re
from http import HTTPStatus

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from services.indicators.publish import app, documents, reports
from services.indicators.publish.access import country_token
from services.indicators.publish.addresses import logs
from shared.contracts.logs import CheckpointAnswer, TileAnswer
from shared.record import note
from shared.run.refusals import LANGUAGES, _texts
from tests.services.indicators.making import PLAN, event
from tests.services.indicators.serving import Again, example_fold, get, served, viewed

CANARY = "Kanarya"


async def logged(service, question, data):
    """A log of 300 rows, whose hashes are letters."""
    if question == "checkpoint":
        return CheckpointAnswer(checkpoint=f"crm.region/log/{service}\n300\n...\n")
    widths = {(0, 0): 256, (0, 1): 44, (1, 0): 1}
    return TileAnswer(hashes=note.encoded(b"x" * 32 * widths.get((data["level"], data["number"]), 0)))


@pytest.fixture(scope="module")
def view():
    fold = example_fold()
    published = reports.content(reports.report(PLAN, fold.state, "2003-Q3", 1))

    async def report(quarter, revision):
        return published if quarter == "2003-Q3" and (revision or 1) in {1, 2} else None

    return viewed(fold, report=report, recall=Again(event("intel.meeting.held", "MEX")), ask=logged)


@pytest.fixture(scope="module")
def base(view):
    with served(view) as address:
        yield address


@pytest.fixture(scope="module")
def document(base):
    return json.loads(get(f"{base}/api/openapi.json")[1])


ADDRESSES = app.addresses(viewed(None))
WHERE = {
    "/docs/{folder}/{file}": ["/docs/drawings/event.svg"],
    "/api/indicators/{id}/series": ["/api/indicators/LE-2.1/series"],
    "/api/countries/{code}": ["/api/countries/MEX"],
    "/indicators/{id}/curve.svg": [
        "/indicators/LE-2.1/curve.svg",
        "/indicators/XC-4/curve.svg",
        "/indicators/VA-4.1/curve.svg",
    ],
    "/indicators/{id}/spark.svg": ["/indicators/LE-2.1/spark.svg", "/indicators/XC-4/spark.svg"],
    "/docs/{name}": ["/docs/watching", "/docs/openapi.json"],
    "/indicators/{id}": ["/indicators/LE-2.1", "/indicators/PC-1c.trend"],
    "/countries/{code}": ["/countries/HND"],
    "/api/indicators/{id}": [f"/api/indicators/{name}" for name in PLAN.rows],
    "/reports/{name}": ["/reports/2003-Q3", "/reports/2003-Q3.json", "/reports/2003-Q3.csv"],
    "/indicators/{id}/behind": ["/indicators/LE-2.1/behind", "/indicators/XC-3/behind", "/indicators/VA-4.1/behind"],
    "/api/behind/{id}": ["/api/behind/IE-2.1", "/api/behind/XC-3", "/api/behind/MS-LE-1"],
    "/api/events/{service}/{sequence}": ["/api/events/intel/1"],
    "/api/reports/{quarter}/changes": ["/api/reports/2003-Q3/changes"],
    "/contracts/asyncapi/{document}": ["/contracts/asyncapi/intel-sent.json", "/contracts/asyncapi/legal-told.json"],
    "/contracts/schemas/{file}": ["/contracts/schemas/crm.intel.document.flagged.v1.json"],
    "/log/{service}/checkpoint": ["/log/intel/checkpoint"],
    "/log/{service}/tile/{level}/{place:path}": ["/log/legal/tile/0/000", "/log/legal/tile/1/000.p/1"],
    "/static/{file}": ["/static/board.css", "/static/live.js"],
}


NEEDED = {
    "/api/reports/{quarter}/changes": "?from=1&to=2",
    "/api/indicators/{id}/series": "?by=quarter",
    "/api/series": "?by=quarter&indicator=LE-2.1,VA-4.1",
}
"""What must be asked along."""


def test_the_documents_are_valid_and_those_in_docs_are_of_today(document):
    validate(document)
    for name, text in documents.documents().items():
        if name.startswith("openapi"):
            validate(json.loads(text))
        assert (documents.FOLDER / name).read_text() == text, f"{name}: make documents"
    assert json.loads((documents.FOLDER / "openapi.json").read_text()) == document


def test_every_address_and_parameter_is_described(document):
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations) == len(ADDRESSES)
    for one in operations:
        assert len(one["summary"]) > 15
        for parameter in one["parameters"]:
            assert "$ref" in parameter or parameter["description"]


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one.method == "GET"], ids=lambda one: one.path)
def test_every_answer_has_the_shape_that_the_document_says(base, document, address):
    for target in WHERE.get(address.path, [address.path]):
        queries = [NEEDED.get(address.path, "")]
        if "as_of" in address.parameters and not target.startswith(("/api/behind/MS-", "/indicators/VA-4.1/behind")):
            queries.append("?as_of=2003-09-25")
        token = {"Authorization": "Bearer secret"} if address.about in {"Reasons", "Logs"} or address.only else {}
        for query in queries:
            status, body, headers = get(base + target + query, **token)
            answer = document["paths"][address.path.replace(":path", "")]["get"]["responses"][str(status)]
            schema = answer["content"][headers["content-type"].partition(";")[0]]["schema"]
            if "json" in headers["content-type"]:
                rooted = schema | {"components": document["components"]}
                Draft202012Validator(rooted).validate(json.loads(body))
            else:
                assert schema == {"type": "string"}
                assert body


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one.method == "GET"], ids=lambda one: one.path)
def test_an_answer_that_depends_on_a_language_tells_caches(base, address):
    """RFC 9110, 12.5.5."""
    target = WHERE.get(address.path, [address.path])[0] + NEEDED.get(address.path, "")
    token = {"Authorization": "Bearer secret"}
    for name, before in (("Accept-Language", ""), ("Cookie", "lang=")):
        asked = [token | {name: before + one} for one in ("es", "fr")]
        (_, spanish, headers), (_, french, _) = [get(base + target, **one) for one in asked]
        assert spanish == french or name.lower() in headers.get("Vary", "").lower()


def refusals(address):
    """Queries that the address does not take -> the reason; empty: whichever fits the parameter."""
    query = [one for one in address.parameters.values() if one.place == "query"]
    rest = {one.name: "x" for one in query if one.required}
    yield f"{CANARY}={CANARY}", "unknown_parameter" if query else "no_parameters"
    for one in query:
        if one.name == "q":  # words that are searched for: any are
            continue
        others = "".join(f"&{name}={value}" for name, value in rest.items() if name != one.name)
        yield f"{one.name}=1&{one.name}=2", "given_twice"
        yield f"{one.name}={CANARY}{others}", ""
        yield f"{one.name}=null{others}", ""
        if one.required:
            yield others[1:], "missing_parameter"


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda one: one.path)
def test_what_an_address_does_not_take_is_refused_with_a_reason_and_never_an_echo(base, document, address):
    target = base + WHERE.get(address.path, [address.path])[0]
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    for query, reason in refusals(address):
        status, body, headers = get(f"{target}?{query}", address.method, Authorization="Bearer secret")
        assert (status, headers["content-type"]) == (400, "application/problem+json"), query
        told = json.loads(body)
        Draft202012Validator(problem).validate(told)
        assert told["error"] == {"code": "bad_request", "message": told["detail"]}
        assert reason in ("", told["reason"])
        assert CANARY not in body


def test_a_reason_is_told_in_the_readers_language(base):
    said = {
        lang: json.loads(get(f"{base}/api/indicators?as_of=x", **{"Accept-Language": lang})[1])["detail"]
        for lang in ("en", "es", "fr", "de")
    }
    assert said["en"] == said["de"] == "as_of must be a date, YYYY-MM-DD, from 1990-01-01 to 2200-12-31"
    assert said["es"] == "as_of debe ser una fecha, AAAA-MM-DD, de 1990-01-01 a 2200-12-31"
    assert said["fr"] == "as_of doit être une date, AAAA-MM-JJ, du 1990-01-01 au 2200-12-31"
    assert "lang debe ser uno de" not in get(f"{base}/?lang=xx")[1]


def test_a_page_names_a_parameter_as_it_stands_in_the_address(base):
    status, body, _ = get(f"{base}/indicators/VA-2.1?lang=fr&as_of=x", Accept="text/html")
    assert status == 400
    assert "<code>as_of</code> doit être une date" in body
    assert "As_of" not in body
    assert "<p>No hay nada en esta dirección.</p>" in get(f"{base}/nothing?lang=es", Accept="text/html")[1]


def test_every_reason_has_the_same_places_in_every_language():
    for reason, texts in _texts().items():
        assert {*texts} == {*LANGUAGES}, reason
        places = {lang: {*re.findall(r"\{(\w+)\}", text)} for lang, text in texts.items()}
        assert len({frozenset(one) for one in places.values()}) == 1, reason


def test_a_method_that_an_address_does_not_take_names_those_that_it_takes(base):
    status, _, headers = get(f"{base}/api/indicators", "DELETE")
    assert (status, {*headers["allow"].split(", ")}) == (HTTPStatus.METHOD_NOT_ALLOWED, {"GET", "HEAD"})
    assert get(f"{base}/api/indicators", "HEAD")[0] == 200


def test_whoever_is_no_operator_is_refused_before_anything_else_is_looked_at(base):
    for target in ("/rebuild", "/purged", f"/purged?{CANARY}"):
        status, body, _ = get(base + target, "POST")
        assert (status, json.loads(body)["reason"]) == (403, "operators_only")


def test_the_trees_of_the_logs_are_for_members_and_exactly_as_the_specification_has_them(base):
    country = {"Authorization": f"Bearer {country_token('secret', 'HND')}"}
    for path in ("/log/intel/checkpoint", "/log/intel/tile/0/000"):
        assert get(base + path)[0] == 403
        assert get(base + path, Authorization="Bearer x")[0] == 403
        assert get(base + path, **country)[0] == 200
    for path, width in (("0/000", 256), ("0/001.p/44", 44), ("0/001.p/7", 7), ("1/000.p/1", 1), ("0/000.p/255", 255)):
        assert len(get(f"{base}/log/intel/tile/{path}", **country)[1]) == 32 * width
    wrong = (
        "0/001",
        "0/002",
        "0/1",
        "0/000.p/0",
        "0/000.p/257",
        "0/0000",
        "0/x000/000",
        "0/x1/000",
        "8/000",
        "0/x/000",
    )
    for path in wrong:
        assert get(f"{base}/log/intel/tile/{path}", **country)[0] == 404, path
    assert get(f"{base}/log/nothing/checkpoint", **country)[0] == 404


def test_a_tiles_number_has_the_form_of_the_specification():
    assert logs.path(1234067) == "x001/x234/067"
    assert logs.read("x001/x234/067") == (1234067, 256)
    assert logs.path(0) == "000"
