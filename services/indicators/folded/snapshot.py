"""The one row that holds the state: a restart goes on from it."""

from shared.run.database import Pool


async def load_snapshot(pool: Pool) -> bytes | None:
    """Return the stored state; None: there is none yet."""
    row = await pool.fetchrow("select state from snapshot")
    return None if row is None else bytes(row["state"])


async def save_snapshot(pool: Pool, state: bytes) -> None:
    """Store the state in place of the one before."""
    await pool.execute(
        "insert into snapshot (state) values ($1) on conflict (one) do update set state = $1, taken = now()",
        state,
    )
