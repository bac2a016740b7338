"""Torn files under a running home: gateway, record and accounts come up, tell, and go on with what can be read."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos.conftest import LIMITS
from tests.chaos.test_full_disk import Disk, replace
from tests.demo import Client, Demo, text_of
from tests.house import DEADLINE, until

PAGE = 4096


class Home(NamedTuple):
    """A running home whose gateway keeps its spool on a disk of its own."""

    demo: Demo
    disk: Disk

    @property
    def spool(self) -> Path:
        return self.disk.folder / "spool.sqlite3"

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """The disk takes nothing within the block."""
        self._remount("ro")
        try:
            yield
        finally:
            self._remount("rw")

    def _remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.disk.folder)], check=True)


@pytest.fixture(scope="module")
def torn_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("torn")
    disk = Disk(folder / "disk", "8m")
    try:
        made = Demo(folder / "var")
        assert made.command("init", "--demo").returncode == 0
        made.lift_limits(*LIMITS)
        replace(made.var / "gateway.toml", f"{made.var}/data/gateway-spool.sqlite3", f"{disk.folder}/spool.sqlite3")
        made.start()
        yield Home(made, disk)
        made.stop()
    finally:
        disk.unmount()


@pytest.fixture
def home(torn_home: Home) -> Demo:
    return torn_home.demo


def ready(home: Demo) -> Client | None:
    """A member's client, once the gateway takes calls and its rooms are there."""
    try:
        client = home.client("member")
        return client if client.device("hall/front-door")["available"] else None
    except (OSError, AssertionError, KeyError):
        return None


def restart(home: Demo, name: str, between: Callable[[], None]) -> None:
    home.supervise("stop", name)
    between()
    home.supervise("start", name)


def spoil(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def recorded(home: Demo, what: str) -> list[str]:
    """Which sources told of this."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{home.var}/data/alerts.sqlite3?mode=ro", uri=True)) as db:
            return [row[0] for row in db.execute("SELECT source FROM events WHERE what = ? ORDER BY row", (what,))]
    except sqlite3.Error:
        return []  # it is torn, or being put aside


def letter(home: Demo, words: str) -> object:
    return any(words in " ".join(text_of(one).split()) for one in home.letters()) or None


WAYS: dict[str, Callable[[Path], None]] = {
    "head": lambda path: spoil(path, 0, b"\xa5" * 100),
    "cut": lambda path: os.truncate(path, PAGE + 100),
}


def waiting(spool: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM event WHERE receipted_at IS NULL").fetchone()[0])


@pytest.mark.parametrize("way", WAYS)
def test_the_gateway_comes_up_with_a_torn_spool_and_its_next_events_are_receipted(torn_home: Home, way: str) -> None:
    home, spool = torn_home.demo, torn_home.spool
    member = until(lambda: ready(home), "the gateway serves")
    assert member.act("hall/front-door", "lock").status == 200
    told = len(recorded(home, "audit:torn"))
    restart(home, "gateway", lambda: WAYS[way](spool))
    member = until(lambda: ready(home), "the gateway serves")
    unlocked = member.act("hall/front-door", "unlock", confirm=True)
    assert unlocked.status == 200, unlocked
    until(lambda: len(recorded(home, "audit:torn")) > told or None, "a critical event tells")
    until(lambda: letter(home, unlocked.body["id"]), "the command has its letter", seconds=2 * DEADLINE)
    until(lambda: waiting(spool) == 0 or None, "every event has its receipt")
    assert recorded(home, "audit:id-reused") == []
    assert list(spool.parent.glob("spool.sqlite3.torn-*Z"))
    assert member.act("hall/front-door", "lock").status == 200


def test_a_record_that_is_torn_goes_on_and_says_so(home: Demo) -> None:
    member = home.client("member")
    record = home.var / "data" / "alerts.sqlite3"
    restart(home, "alerts", lambda: spoil(record, 0, b"\xa5" * 100))
    until(lambda: recorded(home, "audit:record-torn") or None, "the record tells that it was torn")
    done = member.act("hall/front-door", "lock")
    assert done.status == 200
    until(lambda: letter(home, "The record was torn"), "and a letter does")
    assert list(record.parent.glob("alerts.sqlite3.torn-*Z"))
    verified = home.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    until(lambda: home.client("member").call("GET", "/api/v1/audit").status == 200 or None, "the history answers")


def test_torn_accounts_end_no_service_and_repair_takes_them_up_locked_down(home: Demo) -> None:
    member = home.client("member")
    assert member.act("hall/lamp", "on").status == 200
    restart(home, "auth", lambda: spoil(home.var / "data" / "auth.sqlite3", 0, b"\xa5" * 100))
    assert member.act("hall/lamp", "off").status == 200, "safe, and of a session that was just seen"
    until(lambda: letter(home, "The accounts cannot be read"), "a letter tells")
    pid = home.pids()["auth"]
    doctor = home.command("doctor")
    assert doctor.returncode == 1
    assert "repair" in doctor.stdout
    said = home.command("repair")
    assert "repair --accounts" in said.stdout, said.stderr
    assert home.command("repair", "--accounts").returncode == 0
    again = until(lambda: ready(home), "people sign in again")
    refused = again.act("hall/lamp", "on")
    assert (refused.status, refused.body["type"].endswith("lockdown")) == (409, True), refused
    assert home.pids()["auth"] == pid, "the same process all the while"
    assert home.command("lockdown", "end").returncode == 0
    until(lambda: home.client("member").act("hall/lamp", "on").status == 200 or None, "and all is as it was")


def test_the_gateway_comes_up_on_a_disk_that_takes_nothing(torn_home: Home) -> None:
    home = torn_home.demo
    assert home.client("member").act("hall/front-door", "lock").status == 200
    home.supervise("stop", "gateway")
    with torn_home.read_only():
        home.supervise("start", "gateway")
        member = until(lambda: ready(home), "the gateway serves")
        refused = member.act("hall/front-door", "unlock", confirm=True)
        assert (refused.status, refused.body["type"].endswith("no-proof")) == (503, True), refused
        assert member.act("hall/lamp", "on").status == 200
        assert member.act("hall/front-door", "lock").status == 200
    until(lambda: member.act("hall/front-door", "unlock", confirm=True).status == 200 or None, "it heals by itself")
    until(lambda: "gateway" in recorded(home, "audit:paused") or None, "a critical event tells")
    assert member.act("hall/front-door", "lock").status == 200
