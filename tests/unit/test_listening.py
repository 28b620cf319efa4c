"""Ports: those that are handed out, and what is said of one that another process has."""

import socket

import pytest

from infra.local.ports import GIVEN, free_port
from shared.run import web


def test_no_port_is_handed_out_that_an_outgoing_connection_may_take():
    """Linux gives these from 32,768 on; another process's would take the port before its server listens."""
    assert GIVEN.stop <= 32_768
    assert all(free_port() in GIVEN for _ in range(200))


async def test_who_cannot_listen_says_so_before_it_ends(capsys):
    async def app(scope, receive, send):
        raise AssertionError

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit):
            async with web.served(app, "127.0.0.1", port):
                pass
    told = capsys.readouterr().out
    assert "cannot listen" in told
    assert str(port) in told
