"""A PostgreSQL of the tests' own, for the services whose database may be one."""

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.claimed import free_port
from tests.house import DEADLINE, come_up


def binary(name: str) -> str | None:
    """Where a tool of PostgreSQL is; distributions keep the server's out of the path."""
    places = [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")]
    return shutil.which(name, path=os.pathsep.join([*sorted(places, reverse=True), os.environ.get("PATH", "")]))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A fresh cluster's address, but for the database's name; skipped where PostgreSQL, an option, is not installed."""
    initdb, postgres = binary("initdb"), binary("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed")
    # It refuses to run as root, and its user must reach the folder.
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="home-pg-"))
    os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    port = free_port()
    try:
        subprocess.run(
            [initdb, "-D", folder / "d", "-A", "trust", "-U", "home", "--no-sync"],
            user=user,
            check=True,
            capture_output=True,
            cwd=folder,
        )
        options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(folder), "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([postgres, "-D", folder / "d", *options], user=user, stderr=log, cwd=folder)
        log_text = (folder / "log").read_text
        come_up(server, lambda: "ready to accept" in log_text(), "PostgreSQL is ready", said=log_text)
        yield f"postgresql+asyncpg://home@127.0.0.1:{port}/"
        server.send_signal(signal.SIGINT)
        server.wait(DEADLINE)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
async def empty_database(cluster: str, request: pytest.FixtureRequest) -> str:
    """The address of an empty database, named after the test."""
    name = str(request.node.name)[:60]
    engine = create_async_engine(cluster + "postgres", isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return cluster + name
