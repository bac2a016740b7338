"""Erasing somebody from the page's own API on a whole home: the record, the history and the export lose them, too."""

import contextlib
import json
import sqlite3

import pytest

from tests.demo import Client, Demo
from tests.e2e.conftest import Open, Program
from tests.house import until

PASSWORD = "violet engine of numbers"


class Guest:
    """Somebody with a name that stands nowhere else, who signed in and switched a lamp."""

    def __init__(self, demo: Demo, name: str) -> None:
        self.demo, self.name, self.email = demo, name, f"{name.lower()}@home.example"
        secret = demo.var / f"{name}.txt"
        secret.write_text(PASSWORD)
        added = demo.command("user", "add", self.email, "--name", name, "--password-file", str(secret))
        secret.unlink()
        assert added.returncode == 0, added.stderr
        self.client = demo.client()
        self.client.sign_in_as(self.email, PASSWORD)
        self.id = self.client.user["id"]
        answer = self.client.act("hall/lamp", "on")
        assert answer.status == 200, answer
        until(lambda: len(self.rows("user_id = ?", self.id)) >= 3, "the record names them")

    def rows(self, condition: str, *values: str) -> list[tuple[object, ...]]:
        """Rows of the record."""
        record = f"file:{self.demo.var}/data/alerts.sqlite3?mode=ro"
        with contextlib.closing(sqlite3.connect(record, uri=True)) as connection:
            return connection.execute(f"SELECT row, what FROM events WHERE {condition}", values).fetchall()

    @property
    def traces(self) -> list[str]:
        """In which tables of the accounts and the record something still names them."""
        found = []
        for service in ("auth", "alerts"):
            path = self.demo.var / "data" / f"{service}.sqlite3"
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                for table in tables:
                    cells = str(connection.execute(f"SELECT * FROM {table}").fetchall())
                    found += [f"{service}.{table}" for word in (self.name, self.email) if word in cells]
        return found


@pytest.fixture
def master(demo_home: Demo, program: Program) -> Client:
    return program("master")


def erase(demo: Demo, master: Client, guest: Guest) -> None:
    body = {"current": demo.users()["master"]["password"]}
    answer = master.call("DELETE", f"/api/v1/users/{guest.id}", body)
    assert answer.status == 204, answer


def reads(master: Client, guest: Guest) -> str:
    """The history and its export, as the master user gets them."""
    shown = master.call("GET", "/api/v1/audit?limit=200")
    assert shown.status == 200, shown
    saved = [master.call("GET", f"/api/v1/audit/export?format={kind}") for kind in ("jsonl", "csv")]
    assert [one.status for one in saved] == [200, 200]
    return json.dumps(shown.body) + "".join(str(one.body) for one in saved)


def test_who_is_erased_from_the_page_is_in_the_record_no_more(demo_home: Demo, master: Client, open_page: Open) -> None:
    guest = Guest(demo_home, "Quillon")
    assert guest.name in reads(master, guest)
    assert "alerts.events" in guest.traces
    erase(demo_home, master, guest)
    until(lambda: guest.traces == [], "neither accounts nor record name them")
    assert guest.name not in reads(master, guest)
    page = open_page("/history", role="master")
    page.locator("#record").wait_for()
    assert guest.name not in page.content()
    assert guest.rows("place = ? AND what = 'account:erased' AND user_name IS NOT NULL", f"user/{guest.id}"), "by whom"
    verified = demo_home.command("audit", "verify")
    assert "The record is whole" in verified.stdout, verified.stdout


def test_while_the_alert_service_is_away_it_is_done_once_it_is_back(demo_home: Demo, master: Client) -> None:
    """And what a room tells late of them, because it was away, does not bring them back."""
    guest = Guest(demo_home, "Vesperine")
    demo_home.supervise("stop", "alerts")
    try:
        answer = guest.client.act("hall/lamp", "off")  # waits in spools until it is recorded
        assert answer.status == 200, answer
        before = len(guest.rows("1"))
        erase(demo_home, master, guest)
        assert "alerts.events" in guest.traces
    finally:
        demo_home.supervise("start", "alerts")
    until(lambda: len(guest.rows("1")) > before, "what waited is recorded")
    until(lambda: guest.traces == [], "nothing names them")
    late = until(lambda: guest.rows("user_id IS NULL AND what = 'device:off'"), "their act stands, without them")
    assert late
    verified = demo_home.command("audit", "verify")
    assert "The record is whole" in verified.stdout, verified.stdout
