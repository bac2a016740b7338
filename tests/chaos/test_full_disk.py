"""A full disk under the gateway's spool, a room's ledger or the alert service's database: what is promised is refused
or goes on, the page says so, and all of it heals by itself when there is space again.
"""

import contextlib
import email.message
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos.conftest import LIMITS
from tests.demo import Client, Demo, text_of
from tests.house import DEADLINE, until

SIZES = {"gateway": "4m", "hall": "4m", "alerts": "12m"}
"""Small, but with room for what each writes beside its table until it folds that in, and the producers for all that the
record has not taken when its own disk is full at last."""
BANNER = "No proof can be written: critical actions are refused."


class Disk:
    """A small tmpfs."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("needs the right to mount a tmpfs")

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte is free within the block."""
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                with contextlib.suppress(OSError):  # this size fits no more
                    while True:
                        file.write(b"\0" * size)
        try:
            yield
        finally:
            filler.unlink()


class SmallHome(NamedTuple):
    """A running home whose gateway, hall and alert service each keep what they must not lose on a small disk."""

    demo: Demo
    disks: dict[str, Disk]
    member: Client


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHome]:
    folder = tmp_path_factory.mktemp("full")
    with contextlib.ExitStack() as ending:
        disks = {name: Disk(folder / name, size) for name, size in SIZES.items()}
        for disk in disks.values():
            ending.callback(disk.unmount)
        demo = Demo(folder / "var", warm=True)
        assert demo.command("init", "--demo").returncode == 0
        demo.lift_limits(*LIMITS)
        var = demo.var
        replace(var / "gateway.toml", f"{var}/data/gateway-spool.sqlite3", f"{disks['gateway'].folder}/spool.sqlite3")
        replace(var / "agents" / "hall.toml", f'data = "{var}/data/agents"', f'data = "{disks["hall"].folder}"')
        replace(var / "alerts.toml", f"{var}/data/alerts.sqlite3", f"{disks['alerts'].folder}/alerts.sqlite3")
        demo.start()
        ending.callback(demo.stop)
        yield SmallHome(demo, disks, demo.client("member"))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{old} in {path}"
    path.write_text(text.replace(old, new))


def page(client: Client) -> str:
    """The home page."""
    answer = client.call("GET", "/", headers={"Accept": "text/html", "Content-Type": ""})
    assert answer.status == 200
    return str(answer.body.decode())


def rest(home: SmallHome) -> None:
    """Everything at rest, so that what follows moves."""
    assert home.member.act("hall/front-door", "lock").status == 200
    assert home.member.act("hall/lamp", "off").status == 200


def test_without_proof_no_critical_action_and_the_page_says_so(small_home: SmallHome) -> None:
    demo, member = small_home.demo, small_home.member
    rest(small_home)
    assert BANNER not in page(member)
    with small_home.disks["gateway"].full():
        until(lambda: BANNER in page(member) or None, "the page says so before anybody tries")
        edges = demo.edges("hall", "front-door")
        refused = member.act("hall/front-door", "unlock", confirm=True)
        assert refused.status == 503
        assert refused.body["type"].endswith("no-proof")
        assert demo.edges("hall", "front-door") == edges
        assert member.act("hall/lamp", "on").status == 200, "ordinary commands go on"
        assert member.act("hall/front-door", "lock").status == 200, "safe ones too"
        assert BANNER in page(member)
    until(lambda: BANNER not in page(member) or None, "it heals by itself")
    assert member.act("hall/front-door", "unlock", confirm=True).status == 200
    assert member.act("hall/front-door", "lock").status == 200


def test_a_room_that_cannot_remember_obeys_only_what_is_safe(small_home: SmallHome) -> None:
    demo, member = small_home.demo, small_home.member
    rest(small_home)
    assert member.act("hall/lamp", "on").status == 200
    assert member.act("hall/front-door", "unlock", confirm=True).status == 200
    with small_home.disks["hall"].full():
        edges = demo.edges("hall", "lamp")
        locked = member.act("hall/front-door", "lock")
        assert locked.status == 200, "safe: obeyed without a ledger"
        for device, action in (("hall/front-door", "unlock"), ("hall/lamp", "on")):
            refused = member.act(device, action, confirm=True)
            assert refused.status == 502, refused
            assert refused.body["type"].endswith("ledger-failed")
        assert demo.edges("hall", "lamp") == edges
        assert member.act("hall/lamp", "off").status == 200
        assert member.act("garage/light", "on").status == 200, "other rooms do not notice"
        assert member.device("hall/front-door")["state"]["value"] == "locked"
    until(lambda: member.act("hall/front-door", "unlock", confirm=True).status == 200 or None, "it heals by itself")
    assert member.act("hall/front-door", "lock").status == 200
    proven = f"SELECT count(*) FROM events WHERE source = 'hall' AND command_id = '{locked.body['id']}'"
    until(lambda: select(small_home, proven) == [(1,)] or None, "what was obeyed meanwhile is proven, once")


def select(home: SmallHome, query: str) -> list[tuple[object, ...]]:
    """What stands in the alert service's database."""
    path = home.disks["alerts"].folder / "alerts.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def letters_about(demo: Demo, command: str) -> list[email.message.EmailMessage]:
    return [letter for letter in demo.letters() if command in text_of(letter)]


def unreceipted(path: Path) -> int:
    """How many events a spool still keeps for want of a receipt."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM event WHERE receipted_at IS NULL").fetchone()[0])


def test_a_record_that_cannot_be_written_stops_receipts_and_nothing_else(small_home: SmallHome) -> None:
    demo, member = small_home.demo, small_home.member
    rest(small_home)
    spools = (small_home.disks["gateway"].folder / "spool.sqlite3", small_home.disks["hall"].folder / "hall.sqlite3")
    until(lambda: all(unreceipted(path) == 0 for path in spools) or None, "all is recorded")
    commands = [str(uuid.uuid4()) for _ in range(6)]
    with small_home.disks["alerts"].full():
        until(lambda: uses_up_what_is_left(demo, member), "the alert service says so")
        for n, command in enumerate(commands):
            action = "lock" if n % 2 else "unlock"
            assert member.act("hall/front-door", action, id=command, confirm=True).status == 200
        until(lambda: all(unreceipted(path) >= len(commands) for path in spools) or None, "their producers keep them")
        assert member.call("GET", "/api/v1/audit").status in (200, 503), "the history answers, or says that it cannot"
        assert letters_about(demo, commands[0]) == []
    until(lambda: all(unreceipted(path) == 0 for path in spools) or None, "all is recorded", seconds=60)
    named = ", ".join(f"'{command}'" for command in commands)
    rows = select(small_home, f"SELECT source, count(*) FROM events WHERE command_id IN ({named}) GROUP BY source")
    assert sorted(rows) == [("gateway", 6), ("hall", 6)], "exactly once"
    until(
        lambda: all(letters_about(demo, one) for one in commands) or None, "each has its letter", seconds=4 * DEADLINE
    )
    assert [len(letters_about(demo, command)) for command in commands] == [1] * 6
    assert member.call("GET", "/api/v1/audit").status == 200


def uses_up_what_is_left(demo: Demo, member: Client) -> bool:
    """SQLite's log beside the table has pages to use again: each command takes some, until there are none."""
    assert member.act("hall/lamp", "on").status == 200
    return "Events cannot be recorded yet" in (demo.var / "log" / "alerts.log").read_text()
