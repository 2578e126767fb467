"""Monthly partitions of the reading tables on PostgreSQL.

There is no default partition: without one PostgreSQL knows the order of the others, so "the newest reading" looks into
the newest partition first and stops there.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from models.devices import KINDS
from models.repositories.base import Writes
from models.statements import table_of

Month = tuple[int, int]

# Any number; it serialises the makers of partitions, which would otherwise collide on the name.
_LOCK = 0x10757068


def month_of(instant: datetime) -> Month:
    """Return the month of an instant, in UTC."""
    utc = instant.astimezone(UTC)
    return utc.year, utc.month


def following(month: Month, count: int) -> Month:
    """Return the month that is `count` months later."""
    index = month[0] * 12 + month[1] - 1 + count
    return index // 12, index % 12 + 1


async def ensure(transaction: Writes, kinds: Iterable[str], months: Iterable[Month]) -> None:
    """Make the partitions of these months where they are missing; SQLite has none."""
    if transaction.dialect != "postgresql":
        return
    months = sorted(set(months))
    for kind in kinds:
        table = str(table_of(KINDS[kind].reading_table).name)
        if not await _missing(transaction, table, months):
            continue
        await transaction.run("SELECT pg_advisory_xact_lock($1)", _LOCK)
        for month in await _missing(transaction, table, months):
            for sql in _creation(table, month):
                await transaction.run(sql)


async def _missing(transaction: Writes, table: str, months: Iterable[Month]) -> list[Month]:
    existing = {row[0] for row in await transaction.run(_EXISTING, table)}
    return [month for month in months if partition_name(table, month) not in existing]


def partition_name(table: str, month: Month) -> str:
    """Return the name of a table's partition for a month."""
    return f"{table}_y{month[0]:04d}m{month[1]:02d}"


_EXISTING = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass"
)


def _creation(table: str, month: Month) -> tuple[str, str]:
    # Attached rather than created as a part: that would lock the whole table against readers and writers.
    name = partition_name(table, month)
    start, end = (datetime(*each, 1, tzinfo=UTC).isoformat() for each in (month, following(month, 1)))
    return (
        f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)",
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')",
    )
