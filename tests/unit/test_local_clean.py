import os

import pytest

from infra.local import postgres
from infra.local.clean import clean
from infra.local.lock import hold
from infra.local.ports import choose, free_port
from infra.local.postgres import Postgres
from infra.local.process import StartError

pytestmark = pytest.mark.long


def test_clean_takes_all_data_wherever_they_lie(tmp_path):
    state = tmp_path / "state"
    server = Postgres(state / "postgres")
    server.prepare()
    os.close(hold(state))
    clean(state)
    assert not state.exists()
    assert not server.place.exists()


def test_clean_leaves_a_folder_that_is_none_of_ours(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(StartError, match="not a state folder"):
        clean(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_clean_leaves_a_running_copy(tmp_path):
    held = hold(tmp_path)
    with pytest.raises(StartError, match="in use by a running copy"):
        clean(tmp_path)
    os.close(held)


def test_where_nobody_cannot_reach_the_wheel_the_binaries_are_copied(tmp_path, monkeypatch):
    monkeypatch.setattr(postgres, "_reachable", lambda _: False)
    server = Postgres(tmp_path / "postgres")
    try:
        server.start()
        copied = server.bin.is_relative_to(server.place)
        assert copied == (server.user is not None)
        server.stop()
    finally:
        postgres.remove(server.home)


def test_a_preparation_cut_short_is_begun_anew(tmp_path):
    server = Postgres(tmp_path / "postgres")
    server.prepare()
    try:
        half = server.data.with_name("data.new")
        server.data.rename(half)
        server.start()
        assert not half.exists()
        server.stop()
    finally:
        postgres.remove(server.home)


def test_a_pid_file_left_behind_does_not_stop_the_next_start(tmp_path):
    server = Postgres(tmp_path / "postgres")
    server.start()
    try:
        left = (server.data / "postmaster.pid").read_text().splitlines()
        server.stop()
        left[0] = str(os.getppid())  # the number now belongs to somebody else
        (server.data / "postmaster.pid").write_text("\n".join(left) + "\n")
        server.launch()
        server.wait()
        server.stop()
    finally:
        postgres.remove(server.home)


def test_ports_step_aside_only_where_nobody_relies_on_them():
    (free,) = choose(0, 1)
    with pytest.raises(ValueError, match="in use"):
        choose(free, 1)  # another copy would have it, though nobody listens there yet
    assert choose(None, free) != [free]
    other = free_port()
    assert choose(None, other) == [other]


def test_another_servers_binaries_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_PG_BIN", "/opt/other/bin")
    assert str(postgres._binaries(tmp_path, None)) == "/opt/other/bin"
