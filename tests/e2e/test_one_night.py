"""The same night as master user, member and guest see it: doors, motion, the bell, a switching, a room away."""

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.demo import Demo
from tests.e2e.actions import WAIT, wait_until_live
from tests.e2e.conftest import Open, Program
from tests.house import until

Put = Callable[..., None]
NIGHT = {
    "door": ("device:opened", "hall/door-contact"),
    "bell": ("device:pressed", "hall/doorbell"),
    "motion": ("device:motion", "garage/door-contact"),
    "theirs": ("device:pressed", "hall/lamp"),
}


@pytest.fixture
def put(demo_home: Demo) -> Iterator[Put]:
    """Write a happening into the store, as the intake would; all are gone afterwards."""
    path = demo_home.var / "data" / "alerts.sqlite3"

    def write(ago: float, what: str, place: str, times: int = 1) -> None:
        at = round((time.time() - ago) * 1e6)
        row = (uuid.uuid4().hex, at, at + (times - 1) * 1_000_000, times, at, what, place, place.partition("/")[0])
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection, connection:
            connection.execute(
                "INSERT INTO happenings (source, id, seq, at, until, times, received_at, what, place, room, event)"
                " VALUES ('hall', ?, 0, ?, ?, ?, ?, ?, ?, ?, '')",
                row,
            )

    yield write
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute("DELETE FROM happenings")


def test_each_sees_their_part_of_the_same_night(
    program: Program, put: Put, open_page: Open, shots: Callable[[Page, str], None]
) -> None:
    member = program("member")
    wish = {"action": "off", "id": uuid.uuid4().hex}
    assert member.call("POST", "/api/v1/devices/kitchen/kettle/commands", wish).body["outcome"] == "executed"
    until(
        lambda: wish["id"] in str(member.call("GET", "/api/v1/audit?device=kitchen/kettle").body),
        "what the member did is recorded",
    )
    put(50, "room:away", "kitchen")
    put(46, "room:back", "kitchen")
    for ago, (what, place) in enumerate(NIGHT.values(), 20):
        put(ago, what, place, 12 if what == "device:motion" else 1)
    told = {
        "door": "Front door contact opened",
        "bell": "Doorbell pressed",
        "motion": "Motion in Garage, 12 times until",
        "theirs": "Lamp pressed",
        "away": "Kitchen was away for 4 seconds",
    }
    seen = {"master": set(told), "member": set(told), "guest": {"theirs"}}
    for role, theirs in seen.items():
        page = open_page("/history", role=role)
        record = page.locator("#record")
        for name, words in told.items():
            expect(record.get_by_text(words)).to_have_count(1 if name in theirs else 0)
        kettle = record.locator(".line", has_text="Kettle, Kitchen").filter(has_text="Member")
        if role == "guest":
            expect(kettle).to_have_count(0)
        else:
            expect(kettle).not_to_have_count(0)
        shots(page, f"night-{role}")
        for size, dark in (((390, 844), True), ((1440, 900), False)):
            shots(open_page("/history", role=role, size=size, dark=dark), f"night-{role}-{size[0]}")
        page.goto("/history?what=device:opened,device:closed")
        expect(page.locator("#record .line")).to_have_count(1 if "door" in theirs else 0)


def test_what_happens_appears_on_an_open_page(program: Program, put: Put, open_page: Open) -> None:
    page = open_page("/history?what=device:pressed", role="member")
    wait_until_live(page)
    put(0, "device:pressed", "hall/doorbell")
    member = program("member")
    wish = {"action": "off", "id": uuid.uuid4().hex}  # what is recorded wakes whoever waits for news
    member.call("POST", "/api/v1/devices/kitchen/kettle/commands", wish)
    page.locator("#record").get_by_text("Doorbell pressed").wait_for(timeout=WAIT)
