"""The lab: a folder with the peers, their driver and a PostgreSQL that runs. Nothing in it is changed from here."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

_URL_VARIABLE = "LAB_DATABASE_URL"
_USUAL_URL = "postgresql://postgres@127.0.0.1:55432/lab"
_IN_JAVASCRIPT = ("mercurius", "postgraphile", "yoga")
_TABLES = ("device", "reading", "prediction", "anomaly")


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is ready.

    Attributes:
        folder: of the lab, absolute.
        url: of its database.
    """

    folder: Path
    url: str

    @property
    def python(self) -> Path:
        """The interpreter that its driver needs."""
        return self.folder / "py/venv/bin/python"

    @property
    def driver(self) -> Path:
        """The script that checks and loads servers."""
        return self.folder / "bench.py"

    @property
    def source(self) -> str:
        """The name of its database."""
        return urlsplit(self.url).path.removeprefix("/")

    def url_of(self, database: str) -> str:
        """Return the address of another database on its PostgreSQL."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def environment(self, database: str) -> dict[str, str]:
        """Return the environment in which its driver and its peers use another database."""
        return {**os.environ, _URL_VARIABLE: self.url_of(database)}


async def find(folder: Path, peers: list[str]) -> Lab:
    """Return the lab of a folder; end with a list of what it lacks, and how to come by it.

    Args:
        folder: of the lab, absolute.
        peers: those that shall be started.
    """
    if not (folder / "bench.py").is_file():
        raise SystemExit(
            f"There is no bench.py in {folder}: name the folder of a lab, as in make bench-peers BENCH=path. It is a "
            "copy of ../shared/bench at a place that can be written, installed as its README says."
        )
    lab = Lab(folder, os.environ.get(_URL_VARIABLE, _USUAL_URL))
    lacking = [*_not_installed(lab, peers), *await _not_in_database(lab)]
    if lacking:
        raise SystemExit("\n".join([f"The lab in {folder} is not ready. In that folder:", *lacking]))
    return lab


def _not_installed(lab: Lab, peers: list[str]) -> list[str]:
    lacking: list[str] = []
    if not lab.python.exists():
        lacking.append("- python3 -m venv py/venv && py/venv/bin/pip install -r py/requirements.txt")
    wanted = [name for name in _IN_JAVASCRIPT if name in peers]
    missing = [
        name for name in (*(["node"] if wanted else []), *wanted) if not (lab.folder / name / "node_modules").exists()
    ]
    lacking += [f"- (cd {name} && npm install)" for name in missing]
    if shutil.which("wrk") is None:
        lacking.append("- install wrk, which loads the servers: its package has that name, as in apt-get install wrk")
    return lacking


async def _not_in_database(lab: Lab) -> list[str]:
    try:
        connection: Any = await asyncpg.connect(lab.url, timeout=5)
    except asyncpg.InvalidCatalogNameError:
        return ["- ./pg.sh seed"]
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        reason = str(error).partition("\n")[0] or "no answer"
        return [f"- ./pg.sh init once, then ./pg.sh start and ./pg.sh seed: PostgreSQL cannot be reached ({reason})"]
    try:
        # A copy is made of it, for which nobody may be connected: this connection is not kept.
        there = [await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"public.{each}") for each in _TABLES]
    finally:
        await connection.close()
    return [] if all(there) else ["- ./pg.sh seed"]
