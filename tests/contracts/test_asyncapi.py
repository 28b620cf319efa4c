"""What the AsyncAPI documents say of a report is what its JSON Schema says, in fewer words."""

import pytest
from jsonschema import Draft202012Validator

from shared.contracts import SERVICES, registry
from shared.contracts.asyncapi import asyncapi
from shared.contracts.schema import example, report_schema

REPORTED = {name: one for name, one in registry().items() if one.reported}


@pytest.fixture(scope="module")
def described():
    found = {}
    for service in SERVICES:
        components = asyncapi(service, "sent")["components"]
        for name in components["schemas"]:
            schema = {"$ref": f"#/components/schemas/{name}", "components": components}
            found[name] = Draft202012Validator(schema)
    return found


def reports(agreed):
    """Its example; with nothing said of each field, in words; with a person's name in each."""
    good = example(agreed)
    yield good
    for where in (("data",), ()):
        for name in report_schema(agreed)["properties"]["data"]["properties"] if where else good:
            for value in (None, "Ana-Lopez-Garcia", "no such value", 1, []):
                data = good["data"] | {name: value}
                yield good | {"data": data} if where else good | {name: value}


@pytest.mark.parametrize("name", REPORTED)
def test_both_take_and_refuse_the_same(name, described):
    schema, document = Draft202012Validator(report_schema(REPORTED[name])), described[f"{name}.report"]
    taken = [schema.is_valid(report) for report in reports(REPORTED[name])]
    assert [document.is_valid(report) for report in reports(REPORTED[name])] == taken
    assert {*taken} == {True, False}
