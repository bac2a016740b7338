"""`homesystem audit verify` and `homesystem user erase` as a person runs them, over a real home's databases."""

import asyncio
import contextlib
import io
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alert_service.chain.arrivals import Arrival
from alert_service.record import records
from alert_service.store import open_store
from deploy.__main__ import main
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.household import users
from shared.mail import Letter, compose
from shared.proof.spool import Spool
from shared.words.messages import UserRef
from tests import house
from tests.begun import begin_accounts
from tests.house import DEADLINE
from tests.unit.alert_service.parts import HOUSE, START, event

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "violet engine of numbers"


@pytest.fixture(scope="module")
def var(home: Home) -> Path:
    """A home that was set up and runs nothing."""
    homes.lay_out(home)
    begin_accounts(home)
    house.seal(home)
    return home.var


class Command:
    """`homesystem`, within this process: starting one for each call would take most of the tests' time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], var: Path) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("HOMESYSTEM_VAR", str(var))
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "stdin", io.StringIO())

    def __call__(self, *words: str, code: int = 0) -> str:
        """What it says; it must end with `code`."""
        self._monkeypatch.setattr(sys, "argv", ["homesystem", *words])
        before = os.umask(0o077)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            os.umask(before)
        said = "".join(self._capsys.readouterr())
        assert (ended.value.code or 0) == code, said
        return said


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], var: Path) -> Command:
    """The command, over `var`."""
    return Command(monkeypatch, capsys, var)


def on_a_terminal(var: Path, *words: str) -> bytes:
    """What the command draws on a terminal."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"HOMESYSTEM_VAR": str(var), "TERM": "xterm", "COLUMNS": "120"}
    command = [sys.executable, "-m", "deploy", *words]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        drawn = b""
        with contextlib.suppress(OSError):  # the other end is closed when the command ends
            while chunk := os.read(ours, 4096):
                drawn += chunk
        os.close(ours)
        assert process.wait(DEADLINE) == 0, drawn
    return drawn


async def tell(var: Path, *arrivals: Arrival) -> list[str]:
    """Record these; their hashes."""
    store = await open_store(f"sqlite+aiosqlite:///{var}/data/alerts.sqlite3")
    async with store.write() as connection:
        receipts, _ = await records.record(connection, arrivals, START, HOUSE)
    await store.close()
    return [receipts[one.source, one.event.id].hash for one in arrivals]


def sql(var: Path, service: str, statement: str) -> list[tuple[object, ...]]:
    """One statement by hand."""
    with contextlib.closing(sqlite3.connect(var / "data" / f"{service}.sqlite3")) as direct:
        found = direct.execute(statement).fetchall()
        direct.commit()
    return found


def test_tampering_truncation_and_damaged_letters_are_told(var: Path, tmp_path: Path, run: Command) -> None:
    assert "the alert service never ran here" in run("audit", "verify", code=1)
    told = [Arrival("hall", event(id=f"e{n}")) for n in range(1, 31)]
    hashes = asyncio.run(tell(var, *told))
    assert f"The record is whole: row 30, hash {hashes[-1]}" in run("audit", "verify")
    assert b"checking" in on_a_terminal(var, "audit", "verify")

    for number in (12, 29):
        letter = Letter(to="a@b", subject="x", text=f"Proof: row {number} (hall), hash {hashes[number - 1]}\n")
        (tmp_path / f"{number}.eml").write_bytes(compose(letter, "Home <home@localhost>", START).as_bytes())
    (tmp_path / "torn.eml").write_bytes(b"\x00")
    said = run("audit", "verify", "--letters", str(tmp_path))
    assert "2 letters name 2 rows: all as they were told." in said
    assert "Letter torn.eml cannot be read and was left out" in said

    sql(var, "alerts", "UPDATE events SET outcome = 'rejected' WHERE row = 17")
    said = run("audit", "verify", code=1)
    assert f"BROKEN: row 17 was changed\nThe rows before it are whole, up to row 16, hash {hashes[15]}" in said
    assert "whole from row 18 on" in run("audit", "verify", "--from-row", "18")
    sql(var, "alerts", "UPDATE events SET outcome = 'executed' WHERE row = 17")

    sql(var, "alerts", "DELETE FROM events WHERE row > 20")
    assert "The record is whole: row 20" in run("audit", "verify")
    said = run("audit", "verify", "--letters", str(tmp_path), code=1)
    assert "BROKEN: row 29 is gone: the table was truncated or rolled back after row 20; letter 29.eml knows it" in said
    assert "There is no row 21" in run("audit", "verify", "--from-row", "21", code=1)
    (tmp_path / "another").mkdir()
    assert "NOTHING WAS COMPARED" in run("audit", "verify", "--letters", str(tmp_path / "another"), code=1)
    assert "no such folder" in run("audit", "verify", "--letters", "/nowhere", code=1)


def test_a_user_is_disabled_and_erased_and_the_record_still_fits(var: Path, tmp_path: Path, run: Command) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    file = ("--password-file", str(tmp_path / "password"))
    run("user", "add", "ada@example.org", "--name", "Ada", "--role", "master", *file)
    run("user", "add", "eve@example.org", "--name", "Evelyn", "--language", "de", *file)
    assert "fr is none of them" in run("user", "change", "eve@example.org", "--language", "fr", code=1)
    assert sql(var, "auth", "SELECT language FROM users ORDER BY name") == [(None,), ("de",)]
    run("user", "change", "eve@example.org", "--language", "home")
    run("user", "change", "ada@example.org", "--language", "de")
    assert sql(var, "auth", "SELECT language FROM users ORDER BY name") == [("de",), (None,)]
    assert "Make another master user first" in run("user", "disable", "ada@example.org", code=1)
    ((user_id,),) = sql(var, "auth", "SELECT id FROM users WHERE name = 'Evelyn'")
    eve = UserRef(id=str(user_id), name="Evelyn")
    asyncio.run(tell(var, *(Arrival("gateway", event(id=f"x{n}", user=eve)) for n in range(3))))

    assert "homesystem user disable eve@example.org" in run("user", "erase", "eve@example.org", "--yes", code=1)
    run("user", "disable", "eve@example.org")
    assert "Aborted" in run("user", "erase", "eve@example.org", code=1)  # nobody is there to say yes
    run("user", "reset", "eve@example.org", *file)
    assert "in 3 rows of the record" in run("user", "erase", "eve@example.org", "--yes")
    nobody = "There is no user eve@example.org; `homesystem user list` names them all."
    for wrong in (("erase", "--yes"), ("disable",), ("drop-factors",), ("grant",), ("change", "--language", "de")):
        assert nobody in " ".join(run("user", wrong[0], "eve@example.org", *wrong[1:], code=1).split())
    nowhere = ("--password-file", str(tmp_path / "nowhere"))
    assert "nowhere cannot be read: No such file" in run("user", "reset", "ada@example.org", *nowhere, code=1)
    assert sql(var, "alerts", "SELECT count(*) FROM events WHERE user_name = 'Evelyn'") == [(0,)]
    assert sql(var, "auth", "SELECT name FROM users") == [("Ada",)]
    run("audit", "verify")
    with contextlib.closing(Spool(var / "data" / "auth-spool.sqlite3")) as spool:
        last = spool.pending(100)[-1]
    assert (last.what, last.where, last.detail) == ("account:erased", f"user/{user_id}", {})


def test_a_guest_is_granted_devices_and_hours_and_a_second_try_changes_nothing(
    var: Path, tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    file = ("--password-file", str(tmp_path / "password"))
    if not sql(var, "auth", "SELECT 1 FROM users WHERE role = 'master'"):
        run("user", "add", "ada@example.org", "--name", "Ada", "--role", "master", *file)
    run("user", "add", "gus@example.org", "--name", "Gus", "--role", "guest", *file)
    sql(var, "auth", "INSERT INTO identities VALUES ('cellar', 'room', '2026-03-01', NULL)")
    sql(var, "auth", "INSERT INTO identities VALUES ('attic', 'room', '2026-03-01', NULL)")
    sql(var, "auth", "INSERT INTO rooms (id, name) VALUES ('cellar', 'Cellar'), ('attic', 'Attic')")
    sql(
        var,
        "auth",
        "INSERT INTO devices (room, id, name, kind, critical, confirm) "
        "VALUES ('cellar', 'lamp', 'Lamp', 'switch', 0, 0)",
    )
    assert "gus@example.org may use nothing." in run("user", "grant", "gus@example.org")
    grant = ["user", "grant", "gus@example.org", "--may", "cellar/lamp", "--days", "mon-fri", "--hours", "22:00-06:00"]
    grant += ("--from", "2026-01-01", "--until", "2026-01-31", "--only", "on,off")
    line = "  cellar/lamp mon-fri 22:00-06:00 from 2026-01-01 until 2026-01-31 only on off (over)"
    assert line in run(*grant)
    assert line in run(*grant)
    rights = "SELECT 1 FROM changed_rights WHERE user_id <> 'registry'"  # which who was erased before had a part in
    assert len(sql(var, "auth", "SELECT 1 FROM grants")) == len(sql(var, "auth", rights)) == 1
    monkeypatch.setattr(users.console, "width", 200)  # it took the terminal's when it was first imported
    assert "cellar/lamp mon-fri 22:00-06:00 from 2026-01-01" in " ".join(run("user", "list").replace("│", " ").split())
    both = run("user", "grant", "gus@example.org", "--may", "cellar/lamp")
    assert line in both
    assert "  cellar/lamp (now)" in both
    for wrong, told in (
        (("--may", "cellar/door"), "The room cellar has no device door; it has: lamp."),
        (("--may", "celar/lamp"), "There is no room celar; these are enrolled: attic, cellar."),
        (("--may", "attic/lamp"), "The room attic has no device lamp that is known: it has not said yet what it has."),
        (("--may", "cellar"), "is no device; write ROOM/DEVICE"),
        (("--may", "cellar/lamp", "--days", "never"), "--days: never is no weekday"),
        (("--may", "cellar/lamp", "--hours", "9-17"), "--hours: 9-17 is no span of hours"),
        (("--may", "cellar/lamp", "--until", "soon"), "--until: soon is no day"),
        (("--may", "cellar/lamp", "--only", "fly"), "--only: fly is no action"),
        (("--may", "cellar/lamp", "--only", "unlock"), "cellar/lamp does on, off, and not unlock"),
        (("--days", "mon"), "Say for which device: --may ROOM/DEVICE"),
    ):
        assert told in " ".join(run("user", "grant", "gus@example.org", *wrong, code=1).split())
        if wrong[0] == "--may" and len(wrong) == 2:
            new = ("guy@example.org", "--name", "Guy", "--role", "guest", *file, *wrong)
            assert told in " ".join(run("user", "add", *new, code=1).split())
    assert sql(var, "auth", "SELECT 1 FROM users WHERE email = 'guy@example.org'") == []
    assert "Grants are for guests" in run("user", "grant", "ada@example.org", "--may", "cellar/lamp", code=1)
    assert "There is no user" in run("user", "grant", "nobody@example.org", "--none", code=1)
    assert "gus@example.org may use nothing." in run("user", "grant", "gus@example.org", "--none")
    assert sql(var, "auth", "SELECT 1 FROM grants") == []
    with contextlib.closing(Spool(var / "data" / "auth-spool.sqlite3")) as spool:
        changes = [one for one in spool.pending(100) if one.what == "account:grants-changed"]
    assert [(one.who.issuer, one.detail["grants"]) for one in changes] == [
        ("admin", "1"),
        ("admin", "2"),
        ("admin", "0"),
    ]
    sql(var, "auth", "DELETE FROM users WHERE email = 'gus@example.org'")
