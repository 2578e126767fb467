"""Leases: which process does a work that only one may do, by the clock that all processes share.

The instants are the database server's: clocks of servers differ, and nobody else's is asked. On SQLite all processes
run on one machine and share its clock. Whoever holds a lease counts its seconds from before it was asked for, on a
clock of its own that is never set, and so gives it up before the database does.
"""

from models.repositories.base import Reads, Writes

_NOW = {
    "postgresql": "clock_timestamp()",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
}
_AFTER = {
    "postgresql": "clock_timestamp() + make_interval(secs => $3)",
    "sqlite": f"{_NOW['sqlite']} + CAST($3 * 1000000 AS INTEGER)",
}
_HOLD = """
INSERT INTO worker_leases (name, holder, expires_at) VALUES ($1, $2, {after})
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE worker_leases.holder = excluded.holder OR worker_leases.expires_at <= {now}
RETURNING holder"""
_RELEASE = "DELETE FROM worker_leases WHERE name = $1 AND holder = $2"
# Whoever takes the lease over waits until the transaction that has asked is done.
_CONFIRM = "SELECT holder FROM worker_leases WHERE name = $1 AND holder = $2 {lock}"
# Frozen within a transaction a process would keep the lease's row from the others: it loses the transaction instead.
_LIMIT_IDLENESS = "SELECT set_config('idle_in_transaction_session_timeout', $1, true)"
_LOCK = {"postgresql": "FOR SHARE", "sqlite": ""}
_HOLDER = "SELECT holder FROM worker_leases WHERE name = $1 AND expires_at > {now}"


async def hold(transaction: Writes, name: str, holder: str, seconds: float) -> bool:
    """Take a lease that is free or has expired, or renew one's own; False while another holds it.

    Args:
        transaction: a short one.
        name: of the work.
        holder: of the process, like no other's.
        seconds: how long it is held, from now by the database's clock.
    """
    return bool(await transaction.run(_sql(_HOLD, transaction.dialect), name, holder, float(seconds)))


async def release(transaction: Writes, name: str, holder: str) -> None:
    """Give a lease up, if it is one's own."""
    await transaction.run(_sql(_RELEASE, transaction.dialect), name, holder)


async def confirm(transaction: Writes, name: str, holder: str) -> bool:
    """Say whether nobody has taken a lease over, and let nobody do so before the transaction ends."""
    return bool(await transaction.run(_sql(_CONFIRM, transaction.dialect), name, holder))


async def limit_idleness(transaction: Writes, seconds: float) -> None:
    """Let a transaction end, undone, if its process falls silent within it for so long; on SQLite nothing is done."""
    if transaction.dialect == "postgresql":
        await transaction.run(_LIMIT_IDLENESS, f"{max(round(seconds * 1000), 1)}ms")


async def holder_of(db: Reads, name: str) -> str | None:
    """Return who holds a lease; None if it is free or has expired."""
    rows = await db.run(_sql(_HOLDER, db.dialect), name)
    return None if not rows else str(rows[0][0])


def _sql(text: str, dialect: str) -> str:
    made = text.format(now=_NOW[dialect], after=_AFTER[dialect], lock=_LOCK[dialect])
    return made if dialect == "postgresql" else made.replace("$", "?")
