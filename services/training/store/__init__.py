"""The training service's tables."""

from shared.database import Connection


async def lock(connection: Connection) -> None:
    """Let one transaction at a time judge needs and certificates; one lock for all, so that batches cannot cross."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('training/judged', 0))")
