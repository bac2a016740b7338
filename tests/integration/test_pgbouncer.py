"""Both stores through PgBouncer in transaction mode, where each transaction may have another connection behind it."""

import asyncio
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

from alert_service.intake import seq_rows
from alert_service.store import open_store as open_alerts
from auth_service.home import identity_rows
from auth_service.store import open_store as open_auth
from shared.keeping.database import Store
from shared.words.messages import utc
from tests.claimed import free_port
from tests.house import DEADLINE, come_up
from tests.unit.alert_service.parts import START
from tests.unit.alert_service.record_parts import acts, all_rows, tell, verdict

SERVER_CONNECTIONS = 2
AT_ONCE, ROUNDS = 6, 12
"""More at once than there are connections behind the pooler, and statements said often enough to be prepared."""


@pytest.fixture
def pooled(empty_database: str) -> Iterator[str]:
    """The address of the empty database behind a PgBouncer; skipped where that, an option, is not installed."""
    program = shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is None:
        pytest.skip("PgBouncer is not installed")
    host_and_port, _, name = empty_database.partition("@")[2].partition("/")
    host, _, port = host_and_port.partition(":")
    folder = Path(tempfile.mkdtemp(prefix="home-pgb-"))
    # It refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    listen = free_port()
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={host} port={port} dbname={name} user=home\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {listen}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\n"
    )
    with (folder / "log").open("wb") as log:
        pooler = subprocess.Popen([program, str(folder / "pgbouncer.ini")], stdout=log, stderr=log, user=user)
    try:
        log_text = (folder / "log").read_text
        come_up(pooler, lambda: "process up" in log_text(), "PgBouncer is up", said=log_text)
        yield f"postgresql+asyncpg://home@127.0.0.1:{listen}/{name}"
    finally:
        pooler.send_signal(signal.SIGINT)
        pooler.wait(DEADLINE)
        shutil.rmtree(folder)


async def test_the_record_is_written_and_read_by_many_at_once(pooled: str) -> None:
    stores = [await open_alerts(pooled) for _ in range(AT_ONCE)]

    async def use(number: int, store: Store) -> None:
        for turn in range(ROUNDS):
            await tell(store, acts(2, first=1000 * number + 10 * turn))
            async with store.read() as connection:
                await seq_rows.recorded(connection)

    await asyncio.gather(*(use(number, store) for number, store in enumerate(stores)))
    found = await verdict(stores[0])
    assert (found.row, found.broken) == (2 * AT_ONCE * ROUNDS, None)
    assert len(await all_rows(stores[-1])) == 2 * AT_ONCE * ROUNDS
    for store in stores:
        await store.close()


async def test_identities_are_given_out_and_read_by_many_at_once(pooled: str) -> None:
    store = await open_auth(pooled)

    async def use(number: int) -> None:
        for turn in range(ROUNDS):
            name = f"room-{number}-{turn}"
            async with store.write() as connection:
                await identity_rows.enrol(connection, name, "room", utc(START))
            async with store.read() as connection:
                assert await identity_rows.find(connection, name) is not None

    await asyncio.gather(*map(use, range(AT_ONCE)))
    async with store.read() as connection:
        assert len(await identity_rows.all_rows(connection)) == AT_ONCE * ROUNDS
    await store.close()
