"""Bring a PostgreSQL server to what the services need: database, roles, schemas, migrations, rights."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from shared.contracts import SERVICES
from shared.record.log import head, make_room
from shared.run.database import CALLED_BEFORE, connected, migration_files

DATABASE = "crm"
OPERATOR, UPKEEP = "operator", "upkeep"
ROLES = (*SERVICES, OPERATOR, UPKEEP)
LOCK = 4_707_283
"""Advisory lock of provisioning: one at a time, the others wait."""
ROOT = Path(__file__).parents[2]
RIGHTS, LOCKS = Path(__file__).with_name("rights.sql"), Path(__file__).with_name("locks.sql")


class MigrationError(RuntimeError):
    """A migration cannot be applied; the message names it and why."""


def passwords(folder: Path) -> dict[str, str]:
    """Return the password of each role that is not revoked; made once, in `folder`, readable by nobody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {role: _password(folder / f"{role}.pw") for role in ROLES if not (folder / f"{role}.revoked").exists()}


async def provision(owner_url: str, role_passwords: Mapping[str, str]) -> list[str]:
    """Make or adapt database, roles, schemas, tables and rights; return the migrations applied, and what is still open.

    `owner_url` is the owner's address, of the database `crm` or, before that exists, any other on the server.
    Everything inside the database is one transaction: it is provisioned whole or not at all. Idempotent.
    """
    await _database(owner_url)
    connection = await connected(owner_url, database=DATABASE)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
            for role, password in role_passwords.items():
                await _role(connection, role, password)
            applied = []
            for service in SERVICES:
                applied += await _schema(connection, service)
            return applied + await _locks(connection)
    finally:
        await connection.close()


async def _database(owner_url: str) -> None:
    connection = await connected(owner_url, database="postgres")
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
            await connection.execute(f"create database {DATABASE}")
    finally:
        await connection.close()


async def _role(connection: "asyncpg.Connection[asyncpg.Record]", role: str, password: str) -> None:
    """Make the role, or set its password; the server quotes both."""
    known = await connection.fetchval("select true from pg_roles where rolname = $1", role)
    form = "alter role %I login password %L" if known else "create role %I login password %L"
    await connection.execute(await connection.fetchval("select format($1, $2::text, $3::text)", form, role, password))


async def _schema(connection: "asyncpg.Connection[asyncpg.Record]", service: str) -> list[str]:
    """Apply the service's missing migrations, then the rights."""
    await connection.execute(f"create schema if not exists {service}; set local search_path = {service}")
    await connection.execute(
        "create table if not exists migration (name text primary key, sha256 text not null,"
        " applied timestamptz not null default now())"
    )
    known = {row["name"]: row["sha256"] for row in await connection.fetch("select name, sha256 from migration")}
    applied = []
    for file in migration_files(ROOT / "services" / service):
        name, text = f"{file.parent.parent.name}/{file.name}", file.read_bytes()
        checksum = hashlib.sha256(text).hexdigest()
        if name not in known:
            await _apply(connection, name, text.decode(), checksum)
            applied.append(f"{service}: {name}")
        elif known[name] != checksum:
            raise MigrationError(f"{service}: migration {name} was changed after it was applied; write a new one")
    position, _ = await head(connection)
    await make_room(connection, position)
    database = await connection.fetchval("select current_database()")
    await connection.execute(RIGHTS.read_text().format(service=service, database=database))
    return applied


async def _locks(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Take from all roles the right to hold any advisory lock, unless an older process is connected that needs it.

    The services take theirs through functions of their own schemas (migration 0014_turns).
    """
    before = await connection.fetch(
        "select distinct application_name as name from pg_stat_activity"
        " where datname = current_database() and starts_with(application_name, $1) order by 1",
        CALLED_BEFORE,
    )
    if before:
        names = ", ".join(row["name"] for row in before)
        return [f"any role may hold a service's locks while an older version runs ({names}): provision again after it"]
    await connection.execute(LOCKS.read_text())
    return []


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", name: str, text: str, checksum: str) -> None:
    try:
        await connection.execute(text)
    except asyncpg.PostgresError as error:
        raise MigrationError(f"migration {name}: {error}") from error
    await connection.execute("insert into migration (name, sha256) values ($1, $2)", name, checksum)


def _password(file: Path) -> str:
    """Return the password in the file, which is made when it is missing, with a .pgpass beside it for the service."""
    if not file.exists():
        _secret(file, secrets.token_urlsafe(24))
    password = file.read_text().strip()
    login = file.with_suffix(".pgpass")
    if not login.exists():
        _secret(login, f"*:*:{DATABASE}:{file.stem}:{password}\n")
    return password


def _secret(file: Path, content: str) -> None:
    """Write a file that nobody else can read, whole or not at all."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    fresh.write_text(content)
    fresh.rename(file)
