"""What each role of the database does with each table, by what comes of it: a table by hand, not from rights.sql."""

from typing import Any

import asyncpg
import pytest

from shared.contracts import SERVICES

WORKED_ON = {"select", "insert", "update", "delete"}
ADDED_TO = {"select", "insert"}
KEPT_AS_IT_IS = {
    **dict.fromkeys(("log", "recorded", "audit"), ADDED_TO),
    "checkpoint": ADDED_TO | {"delete"},
    "tile": ADDED_TO | {"update"},
    "tree": ADDED_TO | {"update"},  # of one column, to lock the row
}
READ_ONLY = {"migration", "archived"}
VERBS = {
    "select": "select 1 from {table} limit 0",
    "insert": "insert into {table} ({column}) select {column} from {table} limit 0",
    "update": "update {table} set {changed} = {changed} where false",
    "delete": "delete from {table} where false",
    "truncate": "truncate {table}",
    "drop": "drop table {table}",
    "alter": "alter table {table} add column mine int",
    "lock": "lock table {table} in access exclusive mode",
}


def granted(role: str, schema: str, table: str) -> set[str]:
    if role == "operator":
        return {"select"}
    if role != schema or table.startswith("log_"):
        return set()
    if table in READ_ONLY:
        return {"select"}
    if table == "generation":
        return {"select", "insert"}
    held = KEPT_AS_IT_IS.get(table, WORKED_ON)
    return held | ({"lock"} if held & {"update", "delete"} and table != "tree" else set())


async def does(role_url: str, tables: list[tuple[str, str, str]]) -> dict[str, set[str]]:
    connection = await asyncpg.connect(role_url)
    done: dict[str, set[str]] = {}
    try:
        for schema, table, column in tables:
            name = f"{schema}.{table}"
            changed = "one" if table == "tree" else f'"{column}"'
            done[name] = set()
            for verb, statement in VERBS.items():
                transaction = connection.transaction()
                await transaction.start()
                try:
                    await connection.execute(statement.format(table=name, column=f'"{column}"', changed=changed))
                except asyncpg.InsufficientPrivilegeError:
                    pass
                except asyncpg.PostgresError as error:
                    if not isinstance(error, asyncpg.PostgresSyntaxError):
                        done[name].add(verb)  # it was let to, and something else was wrong
                else:
                    done[name].add(verb)
                finally:
                    await transaction.rollback()
    finally:
        await connection.close()
    return done


async def tables_of(region: Any) -> list[tuple[str, str, str]]:
    owner = await asyncpg.connect(region.database_url())
    try:
        rows = await owner.fetch(
            "select table_schema, table_name, min(column_name) as column from information_schema.columns"
            " join information_schema.tables using (table_schema, table_name) where table_schema = any($1::text[])"
            " and table_type = 'BASE TABLE' and is_identity = 'NO' and is_generated = 'NEVER'"
            " group by 1, 2 order by 1, 2",
            [*SERVICES],
        )
        return [(row["table_schema"], row["table_name"], row["column"]) for row in rows]
    finally:
        await owner.close()


@pytest.mark.parametrize("role", [*SERVICES, "operator"])
async def test_each_role_does_with_each_table_what_it_may_and_nothing_else(region, role):
    tables = await tables_of(region)
    done = await does(region.database_url(role), tables)
    wanted = {f"{schema}.{table}": granted(role, schema, table) for schema, table, _ in tables}
    assert {name: verbs for name, verbs in done.items() if verbs != wanted[name]} == {}


async def test_a_table_that_is_opened_on_purpose_is_found(region):
    """The control."""
    owner = await asyncpg.connect(region.database_url())
    await owner.execute("grant usage on schema victims to intel; grant delete on victims.log to intel")
    try:
        tables = [one for one in await tables_of(region) if one[:2] == ("victims", "log")]
        assert await does(region.database_url("intel"), tables) == {"victims.log": {"delete", "lock"}}
    finally:
        await owner.execute("revoke delete on victims.log from intel; revoke usage on schema victims from intel")
        await owner.close()
