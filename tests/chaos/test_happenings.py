"""What happened is told once, in its order and at its own time, whoever is away or dies in between; the whole home."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from device_agents.pins import simulation
from shared.words import messages
from shared.words.happenings import GESTURE, PASSING, UNSEEN
from shared.words.messages import AuditEvent
from shared.words.problem import HomeError
from tests.demo import Client, Demo
from tests.house import until

ROOMS = ("hall", "garage")


class Done(NamedTuple):
    """What somebody did at an input, and between which two moments, in microseconds since 1970."""

    place: str
    what: str
    gesture: str
    began: int
    ended: int


class Kept(NamedTuple):
    """A row of the store."""

    source: str
    id: str
    at: int
    until: int
    times: int
    received_at: int
    what: str
    place: str
    event: str


class House:
    """The demo's inputs, what their rooms' spools hold of them, and what the alert service keeps.

    A killed agent's simulated doors begin anew; that one moved unseen then is left out.
    """

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def spooled(self, room: str) -> list[tuple[AuditEvent, bool]]:
        """What its inputs did, as a room's spool has it, and whether each has its receipt."""
        path = self.demo.var / "data" / "agents" / f"{room}.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            rows = file.execute("SELECT body, receipted_at IS NOT NULL FROM event ORDER BY seq").fetchall()
        told = [(messages.decode(AuditEvent, body), bool(receipted)) for body, receipted in rows]
        return [one for one in told if one[0].what in PASSING and one[0].detail.get(GESTURE) != UNSEEN]

    def kept(self) -> list[Kept]:
        """What the inputs did, by when it happened."""
        columns = ", ".join(Kept._fields)
        path = self.demo.var / "data" / "alerts.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            sql = f"SELECT {columns} FROM happenings WHERE what LIKE 'device:%' AND event <> ? ORDER BY at, number"
            return [Kept(*row) for row in file.execute(sql, (UNSEEN,))]

    def drive(self, place: str, value: str) -> None:
        """A hand or a door moves, as soon as its agent listens to its inputs."""
        room, device = place.split("/")

        def driven() -> bool:
            try:
                simulation.drive(self.demo.var / "sim", room, device, value)
            except HomeError:
                return False
            return True

        until(driven, f"{place} can be driven")

    def does(self, place: str, value: str, what: str, gesture: str = "") -> Done:
        """Drive an input; returns once its room has written down what happened."""
        room = place.partition("/")[0]
        before, began = len(self.spooled(room)), _now()
        self.drive(place, value)
        until(lambda: len(self.spooled(room)) > before, f"{room} wrote down that {place} is {value}")
        return Done(place, what, gesture, began, _now())

    def receipted(self) -> None:
        """Wait until the alert service has all of it."""
        until(lambda: all(done for room in ROOMS for _, done in self.spooled(room)), "all of it is receipted")


@pytest.fixture
def house(chaos_home: Demo) -> Iterator[House]:
    """Its doors are closed, and were so long enough to be known."""
    made = House(chaos_home)
    yield made
    made.receipted()


def shut(house: House) -> None:
    """Let every door end closed, whether it was so or not, so that opening it is the next thing that happens."""
    doors = [f"{room}/door-contact" for room in ROOMS]
    member = house.demo.client("member")
    until(lambda: all(_value(member, door) is not None for door in doors), "the rooms are there")
    for door in doors:
        house.drive(door, "closed")
    until(lambda: all(_value(member, door) == "closed" for door in doors), "every door is closed")
    house.receipted()


def test_what_happened_while_the_hub_was_away_is_kept_in_order_and_with_its_own_times(house: House) -> None:
    shut(house)
    earlier = house.kept()
    house.demo.supervise("stop", "broker")
    try:
        done = [
            house.does("hall/door-contact", "open", "device:opened"),
            house.does("hall/doorbell", "press", "device:pressed", "press"),
            house.does("garage/door-contact", "open", "device:opened"),
        ]
        former = house.demo.kill("agent-hall")  # what it wrote down outlives it
        house.demo.reborn("agent-hall", former)
        done += [
            house.does("hall/doorbell", "double", "device:pressed", "double"),
            house.does("garage/door-contact", "closed", "device:closed"),
            house.does("hall/doorbell", "long", "device:pressed", "long"),
        ]
        assert house.kept() == earlier
        returned = _now()
    finally:
        house.demo.supervise("start", "broker")
    house.receipted()
    kept = house.kept()[len(earlier) :]
    assert [(one.place, one.what, one.event) for one in kept] == [did[:3] for did in done]
    for one, did in zip(kept, done, strict=True):
        assert did.began <= one.at == one.until <= did.ended
        assert (one.times, one.received_at > returned) == (1, True)
    assert house.demo.command("audit", "verify").returncode == 0


def test_kill_9_of_agent_and_alert_service_loses_nothing_that_was_written_down_and_keeps_nothing_twice(
    house: House,
) -> None:
    shut(house)
    earlier, done = house.kept(), list[Done]()
    for name, door, what in (
        ("alerts", "open", "device:opened"),
        ("agent-hall", "", ""),
        ("alerts", "closed", "device:closed"),
        ("agent-hall", "", ""),
    ):
        done.append(house.does("hall/doorbell", "press", "device:pressed", "press"))
        former = house.demo.kill(name)  # at whatever it was just doing
        if door:
            done.append(house.does("garage/door-contact", door, what))
        house.demo.reborn(name, former)
        done.append(house.does("hall/doorbell", "press", "device:pressed", "press"))
    house.receipted()
    kept = house.kept()[len(earlier) :]
    assert [(one.place, one.what, one.event) for one in kept] == [did[:3] for did in done]
    assert len({(one.source, one.id) for one in kept}) == len(kept)
    told = {event.id for room in ROOMS for event, _ in house.spooled(room)}
    assert {one.id for one in kept} <= told
    assert house.demo.command("audit", "verify").returncode == 0


def _value(client: Client, place: str) -> object:
    device = client.device(place)
    return device["state"]["value"] if device["available"] and device["state"] else None


def _now() -> int:
    """Microseconds since 1970, a millisecond back: events tell no finer time."""
    return time.time_ns() // 1_000_000 * 1000
