"""A traceback in a log line says where and what kind, and nothing of a value."""

import json

import structlog

from shared.run import telemetry

NAME = "Juana-Inventada"


def fail():
    try:
        int(NAME)
    except ValueError as error:
        raise KeyError(NAME) from error


def test_a_traceback_names_places_and_kinds_and_quotes_no_value(capsys):
    before = structlog.get_config()
    try:
        telemetry.configure("intel", "INFO")
        try:
            fail()
        except KeyError:
            structlog.get_logger().exception("failed")
    finally:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
    line = json.loads(capsys.readouterr().out)
    assert NAME not in str(line)
    assert [kind in line["exception"] for kind in ("KeyError", "ValueError", "test_tracebacks.py", "in fail")] == [
        True
    ] * 4
