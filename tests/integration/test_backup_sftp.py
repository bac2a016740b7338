"""Another machine as the target, by Debian's own `sftp`: known once and for all, or refused."""

import asyncio
import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from deploy.archives import plan, pruning, sealing, sftp, targets
from shared.words.problem import HomeError
from tests.claimed import free_port
from tests.house import DEADLINE

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
MARK = "ours"


class Machine:
    """A machine with one account, whose folder is `root`: everything that a NAS with SFTP is to us."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.port = port
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.lets_in = root.parent / "authorized_keys"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: asyncssh.SSHAcceptor | None = None

    def start(self) -> None:
        """Listen, with the key that it has now."""

        def files(channel: "asyncssh.SSHServerChannel[bytes]") -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(channel, chroot=str(self.root).encode())

        async def listen() -> asyncssh.SSHAcceptor:
            return await asyncssh.listen(
                "127.0.0.1",
                self.port,
                server_host_keys=[self.key],
                authorized_client_keys=str(self.lets_in),
                sftp_factory=files,
                allow_scp=False,
            )

        self._server = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(DEADLINE)

    def stop(self) -> None:
        """Gone from the network."""
        if self._server is not None:

            async def close(server: asyncssh.SSHAcceptor) -> None:
                server.close()
                await server.wait_closed()

            asyncio.run_coroutine_threadsafe(close(self._server), self._loop).result(DEADLINE)
            self._server = None

    def end(self) -> None:
        """Its last thread."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """One that knows our key."""
    (tmp_path / "account").mkdir()
    (tmp_path / "ours").mkdir()
    made = Machine(tmp_path / "account", free_port())
    made.lets_in.write_text(sftp.make_key(tmp_path / "ours") + "\n")
    made.start()
    yield made
    made.end()


@pytest.fixture
def target(machine: Machine, tmp_path: Path) -> sftp.SftpTarget:
    """It, once somebody has confirmed its key."""
    where = f"sftp://backup@127.0.0.1:{machine.port}/homes/ours"
    (tmp_path / "account" / "homes").mkdir()
    found = sftp.host_keys(sftp.address(where))
    assert sftp.fingerprints(found) == [f"{machine.key.get_fingerprint()} (ED25519)"]
    sftp.trust(tmp_path / "ours", found)
    made = sftp.SftpTarget(where, tmp_path / "ours")
    made.lay_out()
    made.lay_out()
    return made


def test_what_is_put_there_is_there_whole_and_comes_back(
    target: sftp.SftpTarget, machine: Machine, tmp_path: Path
) -> None:
    assert target.names() <= {".", ".."}
    targets.put_mark(target, MARK, NOW)
    targets.put_mark(target, MARK, NOW)
    found = targets.marked(target)
    assert found is not None
    assert (found.mark, found.made_at) == (MARK, NOW)
    name, content = pruning.name(NOW), bytes(range(256)) * 4096
    assert target.make(name, lambda path: path.write_bytes(content)) == len(content)
    there = machine.root / "homes" / "ours"
    assert (there / name).read_bytes() == content
    assert (there / name).stat().st_mode & 0o777 == 0o600
    target.fetch(name, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == content
    (there / ".homesystem-of-a-power-cut.new").write_text("half")
    (tmp_path / "ours" / ".homesystem-begun-1").mkdir()
    target.tidy()
    target.remove([name, pruning.name(NOW + dt.timedelta(days=1))])
    assert {path.name for path in there.iterdir()} == {targets.MARK}
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == ["sftp-hosts", "sftp-key", "sftp-key.pub"]


def test_another_machine_in_its_place_is_refused(target: sftp.SftpTarget, machine: Machine) -> None:
    machine.stop()
    machine.key = asyncssh.generate_private_key("ssh-ed25519")
    machine.start()
    with pytest.raises(HomeError, match="not the one that was confirmed"):
        target.names()
    with pytest.raises(HomeError, match="not the one that was confirmed"):
        target.write("homesystem-revoked.age", b"secret")
    assert not list((machine.root / "homes" / "ours").iterdir())


def test_a_machine_that_is_off_or_lets_nobody_in_is_told(target: sftp.SftpTarget, machine: Machine) -> None:
    machine.lets_in.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_public_key())
    machine.stop()
    machine.start()
    with pytest.raises(HomeError, match="authorized_keys"):
        target.names()
    machine.stop()
    with pytest.raises(HomeError, match="cannot be used"):
        target.names()
    with pytest.raises(HomeError, match="does not answer"):
        sftp.host_keys(sftp.address(target.name))


def test_without_the_mark_it_is_no_target(target: sftp.SftpTarget, tmp_path: Path) -> None:
    arranged = plan.Plan(recipient=sealing.new_key().recipient, target=target.name, mark=MARK)
    with pytest.raises(HomeError, match="its mark"):
        targets.found(arranged, tmp_path / "ours")
    targets.put_mark(target, "another's", NOW)
    with pytest.raises(HomeError, match="another home"):
        targets.found(arranged, tmp_path / "ours")
    targets.put_mark(target, MARK, NOW)
    assert targets.found(arranged, tmp_path / "ours").name == target.name
