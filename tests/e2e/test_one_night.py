"""One night as master user, member and guest see it: a door, the bell, steps in the hall, an unlocking, a room away."""

import csv
import io
import json
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, StorageState, expect

from device_agents.pins import simulation
from tests.demo import Client, Demo
from tests.e2e.actions import WAIT, read_letter, wait_until_live
from tests.e2e.conftest import Open, Program, own_home
from tests.house import until

MASTER = "master@home.example"
_STEPS = '\n[[devices]]\nid = "steps"\nname = "Hallway"\nkind = "motion"\npin = 26\n'


class Night:
    """The home's inputs and people, and what of it is in the history so far."""

    def __init__(self, demo: Demo, program: Program) -> None:
        self.demo = demo
        self.master, self.member, self.guest = (program(role) for role in ("master", "member", "guest"))

    def drive(self, place: str, value: str) -> None:
        """A hand, a door or somebody who walks by; returns once the home knows."""
        room, device = place.split("/")
        simulation.drive(self.demo.var / "sim", room, device, value)

    def told(self) -> list[tuple[str, str]]:
        """What of it stands in the history, acts and happenings, as the master user reads it: what, and where."""
        page = self.master.call("GET", "/api/v1/audit?happenings=too&limit=100").body
        return [(one["what"], one["where"]) for one in (*page["events"], *page["happenings"])]

    def does(self, place: str, value: str, what: str) -> None:
        """Drive it, and wait until it is told once more than before."""
        thing = (what, place)
        before = self.told().count(thing)
        self.drive(place, value)
        until(lambda: self.told().count(thing) > before, f"{thing} is in the history")

    def act(self, client: str, place: str, action: str, **more: object) -> None:
        """Somebody presses a button on a page; it is in the history once it was done."""
        id_ = uuid.uuid4().hex
        answer = getattr(self, client).act(place, action, id=id_, **more)
        assert answer.body["outcome"] == "executed", answer
        until(lambda: id_ in str(self.master.call("GET", "/api/v1/audit?limit=100").body), f"{action} is recorded")


@pytest.fixture(scope="module")
def signed_in() -> dict[str, StorageState]:
    """Nobody, at first: those of other homes are nobody here."""
    return {}


def _with_steps(made: Demo) -> None:
    hall = made.var / "agents" / "hall.toml"
    hall.write_text(hall.read_text() + _STEPS)


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home of this module's own, with a motion sensor, in which nothing else happens."""
    with own_home(tmp_path_factory.mktemp("night"), "reads", prepared=_with_steps) as made:
        yield made


@pytest.fixture
def night(demo_home: Demo, program: Program) -> Night:
    """Its doors are closed, and were so long enough to be known."""
    made = Night(demo_home, program)
    doors = ("hall/door-contact", "garage/door-contact")
    for door in doors:
        made.drive(door, "closed")
    until(lambda: all(_state(made, door) == "closed" for door in doors), "every door is closed")
    return made


def _state(night: Night, place: str) -> object:
    return (night.master.device(place).get("state") or {}).get("value")


def test_each_sees_their_part_of_the_same_night(
    night: Night, open_page: Open, shots: Callable[[Page, str], None]
) -> None:
    before = len(night.demo.letters())
    night.act("guest", "hall/lamp", "on")
    night.does("hall/steps", "motion", "device:motion")
    night.does("hall/doorbell", "press", "device:pressed")
    night.act("member", "hall/front-door", "unlock", confirm=True)
    night.does("hall/door-contact", "open", "device:opened")
    night.does("hall/door-contact", "closed", "device:closed")
    night.does("garage/door-contact", "open", "device:opened")
    former = night.demo.kill("agent-kitchen")
    night.demo.reborn("agent-kitchen", former)
    until(lambda: ("room:back", "kitchen") in night.told(), "the kitchen was away, and is back")
    letter = read_letter(night.demo, "^Front door .* unlocked", to=MASTER, after=before)
    assert "Member unlocked Front door (Hall) at" in letter, letter
    told = {
        "light": "Lamp, Hall",
        "steps": "Motion in Hall",
        "bell": "Doorbell pressed",
        "door": "Front door contact opened",
        "shut": "Front door contact closed",
        "garage": "Garage door contact opened",
        "kitchen": "Kitchen was away",
    }
    seen = {"master": set(told), "member": set(told), "guest": {"light"}}
    for role, theirs in seen.items():
        page = open_page("/history", role=role)
        record = page.locator("#record")
        for name, words in told.items():
            found = record.get_by_text(words)
            if name in theirs:
                expect(found.first).to_be_visible()
            else:
                expect(found).to_have_count(0)
        unlocking = record.locator(".line", has_text="Front door, Hall").filter(has_text="Unlock")
        expect(unlocking).to_have_count(0 if role == "guest" else 1)
        shots(page, f"night-{role}")
        for size, dark in (((390, 844), True), ((1440, 900), False)):
            shots(open_page("/history", role=role, size=size, dark=dark), f"night-{role}-{size[0]}")
        page.goto("/history?what=device:opened,device:closed")
        expect(page.locator("#record .line")).to_have_count(0 if role == "guest" else 3)


def test_what_happens_appears_on_an_open_page(night: Night, open_page: Open) -> None:
    page = open_page("/history?what=device:pressed", role="member")
    wait_until_live(page)
    bells = page.locator("#record").get_by_text("Doorbell pressed")
    before = bells.count()
    night.does("hall/doorbell", "press", "device:pressed")
    bells.nth(before).wait_for(timeout=WAIT)


def everything(client: Client, asked: str) -> list[tuple[str, int]]:
    """All of it, three at a time: acts by their rows, happenings by their numbers."""
    rows: list[int] = []
    numbers: list[int] = []
    moments: list[tuple[str, int]] = []
    after = ""
    while True:
        page = client.call("GET", f"/api/v1/audit?{asked}&limit=3{after}").body
        assert len(page["events"]) + len(page["happenings"]) <= 3
        rows += [one["row"] for one in page["events"]]
        numbers += [one["number"] for one in page["happenings"]]
        moments += [(one["at"], one["number"]) for one in page["happenings"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert rows == sorted(set(rows), reverse=True), "each once, the newest first"
    assert moments == sorted(set(moments), reverse=True), "each once, the newest first"
    return [*(("row", one) for one in rows), *(("number", one) for one in numbers)]


def saved(client: Client, asked: str) -> list[tuple[str, int]]:
    """What a file of lines has."""
    lines = client.call("GET", f"/api/v1/audit/export?format=jsonl&{asked}").body.splitlines()
    told = [json.loads(line) for line in lines]
    return sorted(("row", one["row"]) if "row" in one else ("number", one["number"]) for one in told)


def test_pages_and_files_tell_each_reader_all_of_theirs_once(night: Night) -> None:
    night.act("guest", "hall/lamp", "off")
    night.does("hall/doorbell", "press", "device:pressed")
    night.does("hall/door-contact", "open", "device:opened")
    night.does("hall/door-contact", "closed", "device:closed")
    for client in (night.master, night.member, night.guest):
        both, only = everything(client, "happenings=too"), everything(client, "happenings=only")
        acts = client.call("GET", "/api/v1/audit?limit=200").body["events"]
        assert sorted(both) == sorted([*(("row", one["row"]) for one in acts), *only])
        assert {kind for kind, _ in only} == ({"number"} if client is not night.guest else set())
        table = client.call("GET", "/api/v1/audit/export?format=csv&happenings=too").body
        doors = everything(client, "happenings=too&what=device:opened,device:closed")
        assert saved(client, "happenings=too") == sorted(both)
        assert len(list(csv.reader(io.StringIO(table.decode())))) == 1 + len(both)
        assert saved(client, "happenings=too&what=device:opened,device:closed") == sorted(doors)
        assert (len(doors) >= 2) is (client is not night.guest)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("happenings=maybe", "none, too or only"),
        ("happenings=only&limit=201", "200"),
        ("happenings=only&happenings=too", "twice"),
        ("happenings=too&after=1.2.3", "after"),
    ],
)
def test_what_cannot_be_asked_of_happenings_is_said(night: Night, asked: str, told: str) -> None:
    answer = night.member.call("GET", f"/api/v1/audit?{asked}")
    assert (answer.status, answer.body["type"]) == (400, "/problems/bad-request")
    assert told in answer.body["detail"], answer.body
