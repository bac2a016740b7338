"""What inputs did is told in order, within bounds, and every time is counted, whatever goes on at them and how long."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.room.passing import SUM_SECONDS, Passing, Told
from shared.proof.spool_rows import DROPPED
from shared.words import messages
from shared.words.messages import AuditEvent
from shared.words.names import Kind, Outcome, Severity
from shared.words.problem import HomeError
from tests.unit.device_agents.fakes import WALL, House

DAY = 86_400.0
CONTACT, DOORBELL, HALLWAY = 22, 23, 4


class Heard:
    """A room's inputs on a time of their own, and what was told of them."""

    def __init__(self) -> None:
        self.passing = Passing()
        self.now = 0.0
        self.told: list[Told] = []
        self.done: Counter[tuple[str, str, str]] = Counter()
        self.value = "closed"
        self.passing.stands("door", "closed", 0.0, WALL)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.passing.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.told += self.passing.due(self.now)
        self.now = end

    def swing(self) -> None:
        self.value = "open" if self.value == "closed" else "closed"
        what = "device:opened" if self.value == "open" else "device:closed"
        self.done["door", what, ""] += 1
        self.told += self.passing.stands("door", self.value, self.now, WALL + self.now)

    def move(self) -> None:
        self.done["hall", "device:motion", ""] += 1
        self.told += self.passing.happened("hall", Kind.MOTION, "motion", self.now, WALL + self.now)

    def press(self, gesture: str = "press") -> None:
        self.done["bell", "device:pressed", gesture] += 1
        told = self.passing.happened("bell", Kind.BUTTON, "double" if gesture == "double" else "press", self.now, WALL)
        self.told += told

    def counted(self) -> Counter[tuple[str, str, str]]:
        counts: Counter[tuple[str, str, str]] = Counter()
        for one in self.told:
            counts[one.device, one.what, one.gesture] += one.times
        return counts


acts = st.sampled_from(["swing", "move", "press", "double"])
pauses = st.sampled_from([0.1, 1.5, 7.0, 59.0, 61.0, 125.0, 299.0, 301.0, 899.0, 4000.0])
lives = st.lists(st.tuples(pauses, acts, st.integers(1, 90)), max_size=40)


@given(lives)
def test_every_time_is_counted_once_and_in_order(life: list[tuple[float, str, int]]) -> None:
    heard = Heard()
    for pause, act, times in life:
        for _ in range(times):
            heard.wait(pause)
            if act == "double":
                heard.press("double")
            else:
                getattr(heard, act)()
    told = list(heard.told)
    heard.told += heard.passing.rest(heard.now)
    assert heard.counted() == heard.done
    assert heard.passing.deadline() is None
    for device in ("door", "hall"):
        of_device = [one for one in told if one.device == device]
        assert [one.at for one in of_device] == sorted(one.at for one in of_device)
        assert all(one.at <= one.until for one in of_device)


@given(st.sampled_from(["swing", "move", "press"]), st.sampled_from([1.5, 10.0, 61.0, 100.0, 130.0]))
def test_a_day_of_anything_is_a_thousand_lines_at_the_most(act: str, pause: float) -> None:
    heard = Heard()
    while heard.now < DAY:
        heard.wait(pause)
        getattr(heard, act)()
    assert len(heard.told) <= (500 if act == "move" else 1000)


def test_one_visitor_is_told_at_once_and_the_next_hour_in_sums() -> None:
    heard = Heard()
    heard.move()
    assert [(one.what, one.times) for one in heard.told] == [("device:motion", 1)]
    for _ in range(120):
        heard.wait(30.0)
        heard.move()
    heard.wait(SUM_SECONDS)
    assert sum(one.times for one in heard.told) == 121
    assert len(heard.told) < 12


def test_a_sum_says_from_when_to_when_and_how_often() -> None:
    told = Told("hall", "device:motion", "", WALL, WALL + 60, 12).event("id", "hall-room")
    assert told.detail == {"times": "12", "until": messages.utc(WALL + 60).isoformat()}
    assert (told.where, told.who.issuer, told.outcome) == ("hall-room/hall", "hall-room", Outcome.EXECUTED)


# --- the whole agent ------------------------------------------------------------------------------------------------


def told_by(house: House) -> list[AuditEvent]:
    """Every happening that was written, in its order."""
    return [
        event
        for event in house.ledger.spool.following(0, 100_000)
        if event.what in {"device:opened", "device:closed", "device:motion", "device:pressed"}
    ]


def short(events: list[AuditEvent]) -> list[tuple[str, str, str]]:
    return [(one.where, one.what, one.detail.get("event", "")) for one in events]


def test_doors_motion_and_bells_are_told_with_their_times_while_the_hub_is_away(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.link.up = False
    house.advance(5.0)
    times = []
    for pin, level in ((CONTACT, 0), (HALLWAY, 1), (CONTACT, 1)):
        house.edge(pin, level)
        house.advance(10.0)
        times.append(house.wall())
    house.edge(DOORBELL, 1)
    house.advance(0.1)
    house.edge(DOORBELL, 0)
    house.advance(2.0)
    told = told_by(house)
    assert short(told) == [
        ("hall/contact", "device:opened", ""),
        ("hall/hallway", "device:motion", ""),
        ("hall/contact", "device:closed", ""),
        ("hall/doorbell", "device:pressed", "press"),
    ]
    assert all(one.severity is Severity.INFO for one in told)
    assert all(before - 10 <= one.at.timestamp() <= before for one, before in zip(told, times, strict=False))


def test_a_start_is_no_happening_and_a_door_that_moved_meanwhile_is_what_nobody_saw(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.restart()
    assert told_by(house) == []
    house.die()
    house.pins.inputs[CONTACT] = 0
    house.born()
    assert short(told_by(house)) == [("hall/contact", "device:opened", "unseen")]
    house.restart()
    assert len(told_by(house)) == 1


@pytest.mark.parametrize("every", [0.01, 0.3])
def test_an_input_at_fault_tells_its_fault_and_no_happening(tmp_path: Path, every: float) -> None:
    house = House(tmp_path)
    for number in range(round(60 / every)):
        house.edge(CONTACT, number % 2)
        house.advance(every)
    before = len(told_by(house))
    assert before < 30, "until it was known to be at fault"
    for number in range(round(60 / every)):
        house.edge(CONTACT, number % 2)
        house.advance(every)
    assert len(told_by(house)) == before
    house.edge(CONTACT, 1)
    house.advance(3.0)
    assert [one for one in told_by(house)[before:] if one.detail.get("event") != "unseen"] == []


def test_what_was_summed_is_told_when_the_agent_ends(tmp_path: Path) -> None:
    house = House(tmp_path)
    for _ in range(5):
        house.edge(HALLWAY, 1)
        house.advance(1.0)
        house.edge(HALLWAY, 0)
        house.advance(65.0)
    house.agent.stop()
    spooled = House.__new__(House)  # the same file, read by whoever comes next
    spooled.__dict__.update(house.__dict__)
    spooled.born()
    assert sum(int(one.detail.get("times", "1")) for one in told_by(spooled)) == 5


def test_a_full_disk_costs_happenings_and_no_act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    append = house.ledger.spool.append

    def full(*events: AuditEvent, durable: bool, **more: object) -> tuple[AuditEvent, ...]:
        raise HomeError("no-proof", "disk is full")

    monkeypatch.setattr(house.ledger.spool, "append", full)
    house.edge(CONTACT, 0)
    house.advance(1.0)
    monkeypatch.setattr(house.ledger.spool, "append", append)
    house.edge(CONTACT, 1)
    house.advance(5.0)
    assert short(told_by(house)) == [("hall/contact", "device:closed", "")]


def test_happenings_make_room_for_themselves_alone(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.link.up = False
    spool = house.ledger.spool
    acts_told = [
        messages.AuditEvent(
            id=f"act{n}",
            at=messages.utc(WALL),
            what="device:on",
            where="hall/lamp",
            who=messages.Who(issuer="nodered"),
            outcome=Outcome.EXECUTED,
            severity=Severity.INFO,
        )
        for n in range(600)
    ]
    spool.append(*acts_told, durable=False)
    for first in range(0, 12_000, 1000):
        many = [
            Told("door", "device:opened", "", WALL, WALL, 1).event(f"h{n}", "hall") for n in range(first, first + 1000)
        ]
        spool.append(*many, durable=False)
    kept = spool.following(0, 100_000)
    assert sum(one.what == "device:on" for one in kept) == 600
    assert 5_000 <= sum(one.what == "device:opened" for one in kept) <= 10_500
    gone = [one for one in kept if one.what == DROPPED]
    assert gone
    assert {one.severity for one in gone} == {Severity.INFO}, "nobody is woken for it"
