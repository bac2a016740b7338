"""Enrolling and revoking: finished by a second try, wherever the first was ended, and done only when it is done."""

import asyncio
import contextlib
import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth_service import config as auth_config
from auth_service.home.identity_rows import IdentityRole
from auth_service.hub import accounts
from deploy.allowing import rights
from deploy.enrolling import enrol, opening
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.pki.pairs import Pki
from shared.proof.spool import Spool
from shared.running.config import ConfigError
from shared.words import topics
from shared.words.problem import HomeError
from tests import warm
from tests.begun import whole_home
from tests.crash_enrol import FINISHED, REFUSED, Ending
from tests.house import DEADLINE, Broker, until


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """With a whole home around it: accounts, authorities of its own."""
    made = Broker(whole_home(tmp_path_factory.mktemp("home")))
    made.start()
    yield made
    made.stop()


class Doomed:
    """Commands that are killed before the effect of a given number."""

    def __init__(self, home: Home) -> None:
        self._process = warm.Popen(
            [sys.executable, "-m", "tests.crash_enrol", str(home.var)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, number: int, act: str, name: str, out: Path) -> Ending:
        """Number 0 is not killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([number, act, name, str(out)]) + "\n")
        self._process.stdin.flush()
        said: list[str] = []
        for line in self._process.stdout:
            if line.startswith("end "):
                return Ending(int(line.split()[1]), said)
            said.append(line.strip())
        raise AssertionError(said)

    def close(self) -> None:
        self._process.communicate(timeout=DEADLINE)


@pytest.fixture(scope="module")
def doomed(broker: Broker) -> Iterator[Doomed]:
    made = Doomed(broker.home)
    yield made
    made.close()


def publish(broker: Broker, room: str, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    files = ["--cafile", f"{out}/ca.crt", "--cert", f"{out}/room.crt", "--key", f"{out}/room.key"]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(broker.port)]
    command = ["mosquitto_pub", *place, *files, "-q", "1", "-t", topics.description(room), "-m", "x", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)


@contextlib.contextmanager
def listen(broker: Broker, room: str, out: Path) -> Iterator["subprocess.Popen[str]"]:
    files = ["--cafile", f"{out}/ca.crt", "--cert", f"{out}/room.crt", "--key", f"{out}/room.key"]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(broker.port)]
    command = ["stdbuf", "-oL", "mosquitto_sub", *place, *files, "-t", topics.commands_for(room), "-d"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as listener:
        try:
            assert listener.stdout is not None
            next(line for line in listener.stdout if "SUBACK" in line)
            yield listener
        finally:
            listener.kill()  # of whom nothing was taken


def begin(broker: Broker, room: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enrol a room, and be interrupted before it has its rights."""
    with monkeypatch.context() as patched:
        patched.setattr(brokers, "grant", interrupt)
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(enrol.add_room(broker.home, room, out))


def told(home: Home, what: str, name: str) -> int:
    """How many events of auth's spool say so."""
    spool = Spool(auth_config.read(home.config("auth")).spool)
    try:
        return sum(event.what == what and event.where == f"room/{name}" for event in spool.following(0, 10_000))
    finally:
        spool.close()


def test_an_enrolment_that_is_killed_anywhere_is_finished_by_a_second_try(
    broker: Broker, doomed: Doomed, tmp_path: Path
) -> None:
    for number in itertools.count(1):
        room, out = f"room-{number}", tmp_path / str(number)
        first = doomed.run(number, "add", room, out)
        admitted = brokers.standing(broker.home, room).admitted
        if admitted or (out / "room.crt").exists():
            assert told(broker.home, "room:added", room), first.said
        if not admitted:
            assert first.code == -signal.SIGKILL, first.said
            assert doomed.run(0, "add", room, out).code == FINISHED, first.said
        assert "Not authorized" not in publish(broker, room, out).stderr
        again = doomed.run(0, "add", room, out)
        assert again.code == REFUSED
        assert "is in use" in again.said[-1]
        if first.code == FINISHED:
            break
    assert number > 10


def test_a_key_of_an_enrolment_that_was_finished_elsewhere_opens_nothing(
    broker: Broker, doomed: Doomed, tmp_path: Path
) -> None:
    for number in itertools.count(1):
        room = f"elsewhere-{number}"
        doomed.run(number, "add", room, tmp_path / f"{number}-first")
        if brokers.standing(broker.home, room).admitted:
            break
        assert doomed.run(0, "add", room, tmp_path / f"{number}-second").code == FINISHED
        assert publish(broker, room, tmp_path / f"{number}-second").returncode == 0
        if (tmp_path / f"{number}-first" / "room.crt").exists():
            (tmp_path / f"{number}-first" / "ca.crt").write_bytes((broker.home.pki / "device-ca.crt").read_bytes())
            assert publish(broker, room, tmp_path / f"{number}-first").returncode != 0
    assert number > 10


def test_a_connection_by_a_key_of_an_enrolment_that_was_interrupted_is_dropped_by_the_second_try(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but the second try's key is to have the rights that come with it."""
    begin(broker, "early", tmp_path / "first", monkeypatch)
    files = ["--cafile", "ca.crt", "--cert", "room.crt", "--key", "room.key"]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-t", topics.description("early")]
    with subprocess.Popen(
        ["stdbuf", "-oL", "mosquitto_pub", *place, *files, "-l", "-d"],
        cwd=tmp_path / "first",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as whoever_has_it:
        try:
            assert whoever_has_it.stdout is not None
            said = next(line for line in whoever_has_it.stdout if "CONNACK" in line)
            assert "CONNACK (0)" in said, said
            asyncio.run(enrol.add_room(broker.home, "early", tmp_path / "second"))
            said, _ = whoever_has_it.communicate("x\n", timeout=DEADLINE)
            assert "received PUBACK" not in said, said
        finally:
            whoever_has_it.kill()
    assert publish(broker, "early", tmp_path / "second").returncode == 0
    assert publish(broker, "early", tmp_path / "first").returncode != 0


def test_a_key_of_an_enrolment_that_was_interrupted_opens_nothing_once_a_line_was_printed(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(broker, "begun", tmp_path / "first", monkeypatch)
    opening.new(broker.home, "begun", "room", [])
    brokers.grant(broker.home, rights.room_role("begun"))  # as it is given its rights once the machine came
    assert publish(broker, "begun", tmp_path / "first").returncode != 0


def test_a_revocation_that_is_killed_anywhere_is_finished_by_a_second_try(
    broker: Broker, doomed: Doomed, tmp_path: Path
) -> None:
    for number in itertools.count(1):
        room, out = f"stolen-{number}", tmp_path / str(number)
        assert doomed.run(0, "add", room, out).code == FINISHED
        assert publish(broker, room, out, "-r").returncode == 0
        with listen(broker, room, out) as pi:
            first = doomed.run(number, "revoke", room, out)
            if brokers.standing(broker.home, room).out:
                assert told(broker.home, "room:revoked", room), first.said
            if first.code != FINISHED:
                assert doomed.run(0, "revoke", room, out).code == FINISHED
            assert brokers.standing(broker.home, room).out, first.said
            pi.wait(DEADLINE)
        assert publish(broker, room, out).returncode != 0
        # The proof comes first: killed before the commit that follows it, the second try has one of its own.
        assert told(broker.home, "room:revoked", room) in (1, 2), first.said
        # With its rights back the broker would show what it left behind.
        brokers.grant(broker.home, rights.room_role(room))
        with brokers.as_admin(broker.home) as admin:
            assert admin.retained_of(room) == set(), first.said
        if first.code == FINISHED:
            break
    assert number > 10


async def test_half_an_enrolment_can_be_revoked(broker: Broker, tmp_path: Path) -> None:
    async with accounts.opened(auth_config.read(broker.home.config("auth"))) as book:
        await book.enrol_identity("half", "room")
    broker.home.authority().ensure_client("half", "room", folder=tmp_path, stem="room")
    assert await enrol.revoke(broker.home, "half", "room")
    assert brokers.standing(broker.home, "half").out


async def test_a_revocation_whose_broker_does_not_answer_says_that_it_is_not_done(
    broker: Broker, doomed: Doomed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doomed.run(0, "add", "held", tmp_path).code == FINISHED
    monkeypatch.setattr(brokers, "PATIENCE_SECONDS", 0.5)
    with listen(broker, "held", tmp_path) as pi:
        broker.freeze()
        try:
            with pytest.raises(HomeError, match=r"held is NOT SHUT OUT YET.* `homesystem room revoke held` again"):
                await enrol.revoke(broker.home, "held", "room")
        finally:
            broker.thaw()
        assert pi.poll() is None
        assert await enrol.revoke(broker.home, "held", "room")
        pi.wait(DEADLINE)


async def test_whoever_cannot_be_put_on_the_list_loses_rights_and_connection_all_the_same(
    broker: Broker, doomed: Doomed, tmp_path: Path
) -> None:
    assert doomed.run(0, "add", "listed-not", tmp_path).code == FINISHED
    index = broker.home.vault / "issued.json"
    whole = index.read_bytes()
    with listen(broker, "listed-not", tmp_path) as pi:
        index.write_bytes(whole[:-1])
        try:
            with pytest.raises(HomeError, match=r"listed-not is NOT SHUT OUT YET.*issued\.json: cannot be read"):
                await enrol.revoke(broker.home, "listed-not", "room")
        finally:
            index.write_bytes(whole)
        pi.wait(DEADLINE)
    assert brokers.standing(broker.home, "listed-not").out
    assert await enrol.revoke(broker.home, "listed-not", "room")


async def test_whose_accounts_cannot_be_opened_is_shut_out_all_the_same(
    broker: Broker, doomed: Doomed, tmp_path: Path
) -> None:
    """A disk that is full may not even let them be read."""
    assert doomed.run(0, "add", "stolen", tmp_path).code == FINISHED
    file = broker.home.var / "data" / "auth.sqlite3"
    with listen(broker, "stolen", tmp_path) as pi:
        file.rename(file.with_name("away"))
        file.mkdir()
        try:
            assert not await enrol.call_off(broker.home, "stolen", "room")
            with pytest.raises(HomeError, match=r"stolen is shut out of the broker, and its name is NOT REVOKED YET"):
                await enrol.revoke(broker.home, "stolen", "room")
            for nobody in ("nobody", "gateway"):
                with pytest.raises(ConfigError, match="cannot be"):
                    await enrol.revoke(broker.home, nobody, "room")
        finally:
            file.rmdir()
            file.with_name("away").rename(file)
        pi.wait(DEADLINE)
    assert brokers.standing(broker.home, "stolen").out
    assert await enrol.revoke(broker.home, "stolen", "room")


async def test_an_enrolment_is_not_begun_while_the_broker_does_not_answer(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "PATIENCE_SECONDS", 0.5)
    broker.freeze()
    try:
        with pytest.raises(HomeError, match="The broker cannot be reached"):
            await enrol.add_room(broker.home, "later", tmp_path / "later")
    finally:
        broker.thaw()
    assert "later" not in [row.name for row in await enrol.identities(broker.home, "room")]
    assert not (tmp_path / "later").exists()
    await enrol.add_room(broker.home, "later", tmp_path / "later")
    assert publish(broker, "later", tmp_path / "later").returncode == 0


async def test_a_folder_with_somebody_elses_key_is_left_alone(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "room.key").write_text("somebody's")
    with pytest.raises(HomeError, match="would be lost; choose another folder"):
        await enrol.add_room(broker.home, "careful", tmp_path)
    assert (tmp_path / "room.key").read_text() == "somebody's"
    assert "careful" not in [row.name for row in await enrol.identities(broker.home, "room")]


def test_commands_at_once_wait_for_one_another(broker: Broker, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy", "room", "add"]
    environment = {"HOMESYSTEM_VAR": str(broker.home.var), "PATH": "/usr/bin"}
    running = [
        warm.Popen([*command, f"at-once-{n}", "--out", str(tmp_path / str(n))], env=environment) for n in range(5)
    ]
    assert [each.wait(DEADLINE * 3) for each in running] == [0] * 5
    for n in range(5):
        assert publish(broker, f"at-once-{n}", tmp_path / str(n)).returncode == 0


def test_a_room_that_slept_too_long_gets_another_certificate_and_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    asyncio.run(enrol.add_room(broker.home, "sleepy", old))
    assert publish(broker, "sleepy", old).returncode == 0
    with listen(broker, "sleepy", old) as whoever_has_it:
        assert asyncio.run(enrol.renew(broker.home, "sleepy", "room", new)) == 1
        whoever_has_it.wait(DEADLINE)  # its line, which stood, is dropped
    assert (said := publish(broker, "sleepy", new)).returncode == 0
    assert "Not authorized" not in said.stderr
    until(lambda: publish(broker, "sleepy", old).returncode != 0, "the old one is refused")
    assert 'identity = "sleepy"' in (new / "room.toml").read_text(), "a Pi that begins anew has none"
    assert told(broker.home, "certificate:renewed", "sleepy") == 1
    with pytest.raises(HomeError, match="would be lost"):
        asyncio.run(enrol.renew(broker.home, "sleepy", "room", new))


def test_a_renewal_that_was_interrupted_is_finished_by_a_second_try(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(enrol.add_room(broker.home, "drowsy", tmp_path / "old"))
    monkeypatch.setattr(Pki, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(enrol.renew(broker.home, "drowsy", "room", tmp_path / "new"))
    monkeypatch.undo()
    assert asyncio.run(enrol.renew(broker.home, "drowsy", "room", tmp_path / "new")) == 2
    assert publish(broker, "drowsy", tmp_path / "new").returncode == 0
    until(lambda: publish(broker, "drowsy", tmp_path / "old").returncode != 0, "the old one is refused")


def interrupt(*_: object) -> int:
    raise KeyboardInterrupt


def test_a_client_keeps_what_it_may(broker: Broker, tmp_path: Path) -> None:
    asyncio.run(enrol.add_room(broker.home, "study", tmp_path / "study"))
    asyncio.run(enrol.add_client(broker.home, "wall-2", [("study", "lamp")], tmp_path / "old"))
    before = brokers.standing(broker.home, "wall-2")
    asyncio.run(enrol.renew(broker.home, "wall-2", "client", tmp_path / "new"))
    assert brokers.standing(broker.home, "wall-2") == before
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["ca.crt", "client.crt", "client.key"]


@pytest.mark.parametrize(("name", "role"), [("nobody", "room"), ("gone", "room"), ("study", "client")])
def test_who_is_not_enrolled_or_was_revoked_gets_nothing(
    broker: Broker, tmp_path: Path, name: str, role: IdentityRole
) -> None:
    if name == "gone":
        asyncio.run(enrol.add_room(broker.home, "gone", tmp_path / "gone"))
        asyncio.run(enrol.revoke(broker.home, "gone", "room"))
    with pytest.raises(HomeError) as refused:
        asyncio.run(enrol.renew(broker.home, name, role, tmp_path / "out"))
    assert refused.value.slug == "not-found"
    assert not list((tmp_path / "out").glob("*.key"))
