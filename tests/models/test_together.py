"""Several changes in one statement: each with its own parameters, all or none."""

import pytest

from models.drivers import UniqueViolated
from models.store import Store
from models.together import together

NAMED = "INSERT INTO event_log (id, name, forgotten_xid, forgotten_id) VALUES ($1, $2, $3, $3)"
RENAMED = "UPDATE event_log SET forgotten_xid = $2, name = $1 || name WHERE id = 1"


@pytest.fixture
def postgresql(store: Store) -> Store:
    """A store on PostgreSQL."""
    if store.dialect != "postgresql":
        pytest.skip("Only PostgreSQL changes several tables in one statement.")
    return store


def test_parameters_are_numbered_on():
    """The second text's first parameter is the one behind those of the first; a single text stays."""
    assert together([(NAMED, [1, "a", 2])]) == (NAMED, [1, "a", 2])
    sql, arguments = together([("UPDATE a SET b = $2, c = $1", [1, 2]), ("UPDATE d SET e = $1 + $11", [*range(11)])])
    assert sql == "WITH change_0 AS (UPDATE a SET b = $2, c = $1) UPDATE d SET e = $3 + $13"
    assert arguments == [1, 2, *range(11)]


async def test_what_is_left_for_the_end_is_done_in_one_statement(postgresql: Store):
    """Before the commit, in one way to the database."""
    async with postgresql.transaction() as transaction:
        await transaction.run("DELETE FROM event_log")
        await transaction.run(NAMED, 1, "log", 0)
    statements: list[str] = []
    postgresql.on_statement = statements.append
    async with postgresql.transaction() as transaction:
        transaction.run_later(RENAMED, "the ", 5)
        transaction.run_later("DELETE FROM events WHERE id = $1", 1)
        assert not statements
    postgresql.on_statement = None
    assert len(statements) == 1
    ((name, xid),) = await postgresql.run("SELECT name, forgotten_xid FROM event_log")
    assert (name, xid) == ("the log", 5)


async def test_one_that_fails_leaves_all_undone(postgresql: Store):
    """The others of the statement, and what the transaction did before."""
    async with postgresql.transaction() as transaction:
        await transaction.run("DELETE FROM event_log")
        await transaction.run(NAMED, 1, "log", 0)

    async def rename_and_name_again() -> None:
        async with postgresql.transaction() as transaction:
            transaction.run_later(RENAMED, "the ", 5)
            transaction.run_later(NAMED, 1, "another", 0)

    with pytest.raises(UniqueViolated):
        await rename_and_name_again()
    ((name,),) = await postgresql.run("SELECT name FROM event_log")
    assert name == "log"
