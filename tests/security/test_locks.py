"""No role can hold another service's locks; a version that takes its locks by hand is excluded, and may still do so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from infra.postgres.provision import LOCKS, ROLES
from infra.postgres.provision import provision as provision_postgres
from shared.contracts import SERVICES
from shared.run.database import APPEND, RELAY, elected, turn

BY_HAND = (
    "select pg_advisory_lock(hashtext($1), $2)",
    "select pg_try_advisory_lock(hashtext($1), $2)",
    "select pg_advisory_lock_shared(hashtext($1), $2)",
    "select pg_advisory_xact_lock(hashtext($1), $2)",
    "select pg_try_advisory_xact_lock_shared(hashtext($1), $2)",
)
OPENED = LOCKS.read_text().replace(
    "revoke execute on function %s from public", "grant execute on function %s to public"
)


@asynccontextmanager
async def session(url: str, name: str = "") -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, server_settings={"application_name": name})
    try:
        yield connection
    finally:
        await connection.close()


async def has_its_turn(region, service: str) -> bool:
    """Whether a service can judge and append within two seconds."""
    async with session(region.database_url(service)) as own:
        try:
            async with own.transaction():
                await asyncio.wait_for(turn(own, service), 2)
        except TimeoutError:
            return False
        return True


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_holds_anothers_locks(region, role):
    async with session(region.database_url(role)) as attacker:
        for service in SERVICES:
            for lock in (APPEND, RELAY):
                for statement in BY_HAND:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await attacker.execute(statement, service, lock)
            for call in ("take_turn()", "try_lead(2)"):
                if service != role:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await attacker.execute(f"select {service}.{call}")
        for statement in ("select pg_advisory_lock(1)", "select pg_try_advisory_xact_lock(1)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await attacker.execute(statement)
        assert await has_its_turn(region, "victims")


async def test_with_the_right_given_back_a_role_stops_another(region):
    """The control: what the right is taken away for."""
    async with session(region.database_url()) as owner, session(region.database_url("intel")) as attacker:
        await owner.execute(OPENED)
        try:
            await attacker.execute(BY_HAND[0], "victims", APPEND)
            assert not await has_its_turn(region, "victims")
        finally:
            await owner.execute(LOCKS.read_text())
    assert await has_its_turn(region, "victims")


async def test_a_version_that_takes_its_locks_by_hand_and_this_one_exclude_each_other(region):
    async with session(region.database_url()) as owner, session(region.database_url()) as older:
        await older.execute(BY_HAND[0], "victims", APPEND)
        assert not await has_its_turn(region, "victims")
        await older.execute("select pg_advisory_unlock_all()")
        async with session(region.database_url("victims")) as own, own.transaction():
            await turn(own, "victims")
            assert not await owner.fetchval(BY_HAND[1], "victims", APPEND)


async def test_one_session_leads(region):
    async with asyncpg.create_pool(region.database_url("victims"), min_size=2, max_size=2) as pool:
        async with elected(pool, "victims", RELAY), session(region.database_url("victims")) as other:
            assert not await other.fetchval("select victims.try_lead($1)", RELAY)
        async with session(region.database_url("victims")) as other:
            assert await other.fetchval("select victims.try_lead($1)", RELAY)


async def test_the_right_is_taken_away_when_no_older_version_is_connected(postgres_server):
    url = postgres_server.server.url()
    async with session(url) as owner:
        await owner.execute(OPENED)
        async with session(
            postgres_server.server.url("intel", postgres_server.passwords["intel"]), "crm-intel"
        ) as older:
            (told,) = await provision_postgres(url, postgres_server.passwords)
            assert "crm-intel" in told
            await older.execute("select pg_advisory_lock(1)")
        assert await provision_postgres(url, postgres_server.passwords) == []
        async with session(postgres_server.server.url("intel", postgres_server.passwords["intel"])) as newer:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await newer.execute("select pg_advisory_lock(1)")
