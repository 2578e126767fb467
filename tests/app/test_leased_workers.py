"""Workers that run in one process of several: two share a database, one of them works."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from app.workers import Leased, Supervisor
from app.workers.leased import LeaseLost
from models.repositories import leases
from models.store import Store
from tests.app.running import use_environment
from tests.app.test_cli_process import FLEET, ROOT, process, url_told


class Work:
    """A worker that notes whether it runs."""

    name = "work"

    def __init__(self, running: set[str], who: str, fence) -> None:
        self.running, self.who, self.fence = running, who, fence
        self.began = asyncio.Event()

    async def run(self, beat):
        """Run until it is stopped."""
        assert not self.running, "two run at once"
        self.running.add(self.who)
        self.began.set()
        beat()
        try:
            await asyncio.Event().wait()
        finally:
            # Stopping takes a moment, in which nobody else may begin.
            await asyncio.sleep(0.02)
            self.running.remove(self.who)


class Pair:
    """Two leased workers over one store, as of two processes."""

    def __init__(self, store: Store, seconds: float = 0.4) -> None:
        self.running: set[str] = set()
        self.works: dict[str, Work] = {}
        self.first, self.second = (Leased(store, self._make(who), seconds) for who in ("first", "second"))

    def _make(self, who: str):
        def make(fence) -> Work:
            self.works[who] = Work(self.running, who, fence)
            return self.works[who]

        return make


@asynccontextmanager
async def working(leased: Leased):
    """Run a leased worker under a supervisor."""
    supervisor = Supervisor([leased], on_failure=lambda _name: None, first_pause_seconds=0.01)
    async with supervisor.running():
        yield supervisor


async def began(work: Work) -> None:
    """Wait until it runs."""
    async with asyncio.timeout(20):
        await work.began.wait()


async def one_began(pair: Pair) -> None:
    """Wait until either runs."""
    waiting = [asyncio.create_task(began(work)) for work in pair.works.values()]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_worker_that_stops_gives_its_lease_up_at_once(store: Store):
    """Another takes over without waiting for the end of a long lease; the two never run together."""
    pair = Pair(store, seconds=4)
    async with working(pair.second):
        async with working(pair.first):
            await one_began(pair)
            holder = next(iter(pair.running))
            assert (pair.first if holder == "first" else pair.second).is_held
        await began(pair.works["second"])
        assert pair.running == {"second"}


async def test_a_worker_whose_lease_was_taken_over_stops(store: Store):
    """It waits again, and is not unwell; what it would write in the meantime is refused."""
    pair = Pair(store)
    async with working(pair.first) as supervisor:
        await began(pair.works["first"])
        async with store.transaction() as transaction:
            await leases.release(transaction, "work", pair.first.holder)
            assert await leases.hold(transaction, "work", "somebody", 600)
        async with store.transaction() as transaction:
            with pytest.raises(LeaseLost, match="held by another process"):
                await pair.works["first"].fence(transaction)
        async with asyncio.timeout(20):
            while pair.running:  # noqa: ASYNC110 - what it waits for is the end of a task of its own
                await asyncio.sleep(0.01)
        assert not pair.first.is_held
        assert supervisor.states[0].failing_since is None


async def test_a_lease_lasts_as_long_as_it_is_renewed(store: Store):
    """Another that waits meanwhile gets nothing, however short the lease is."""
    pair = Pair(store, seconds=0.4)
    async with working(pair.first), working(pair.second):
        await one_began(pair)
        holder = set(pair.running)
        await asyncio.sleep(1)
        assert pair.running == holder


async def held(client: httpx.AsyncClient, url: str) -> float:
    """Return whether a server says that it monitors."""
    text = (await client.get(f"{url}/metrics")).text
    line = next(
        line for line in text.splitlines() if line.startswith('iotsphere_worker_lease_held{worker="monitoring"}')
    )
    return float(line.split()[-1])


async def test_when_a_server_dies_another_takes_its_work_over(postgresql_url, tmp_path, monkeypatch):
    """Of two server processes on one database one monitors; it is killed, and within seconds the other one does."""
    use_environment(
        monkeypatch,
        tmp_path,
        APP_ENV="development",
        IOTSPHERE_DATABASE__URL=postgresql_url,
        IOTSPHERE_MONITORING__LEASE_SECONDS="3",
        IOTSPHERE_MONITORING__CHECK_SECONDS="0.1",
        IOTSPHERE_SIMULATOR__ENABLED="false",
        **FLEET,
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    async with process("serve", "--port", "0") as one, process("serve", "--port", "0") as two:
        urls = [(await url_told(each)).removesuffix("/graphql") for each in (one, two)]
        async with httpx.AsyncClient() as client, asyncio.timeout(60):
            flags = [0.0, 0.0]
            while sum(flags) == 0:
                flags = [await held(client, url) for url in urls]
            for _ in range(10):
                assert [await held(client, url) for url in urls] == flags
            holder = flags.index(1.0)
            for url in urls:
                report = (await client.get(f"{url}/readyz")).json()
                assert report["workers"]["monitoring"]["status"] == "ok"
            (one, two)[holder].kill()
            await (one, two)[holder].wait()
            while not await held(client, urls[1 - holder]):  # noqa: ASYNC110 - nothing tells of another's workers
                await asyncio.sleep(0.05)
