"""Inputs are understood in their own time: a loop that was held up hears the same as one that was prompt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.devices.input import Happening
from device_agents.room.device import Device
from device_agents.room.listening import EDGES_MOST, Listening
from device_agents.room.room import Room
from shared.words.messages import Value
from shared.words.problem import HomeError
from tests.unit.device_agents.fakes import FakePins, House

CONTACT, DOORBELL, HALLWAY = 22, 23, 4
NAMES = {"contact", "doorbell", "hallway"}
Told = list[tuple[str, tuple[Happening, ...], Value]]


class Ear:
    """The inputs of a room on fakes, heard by a loop that looks when it is told to."""

    def __init__(self, room: Room) -> None:
        self.pins = FakePins()
        self.devices: list[Device] = [room.devices[name] for name in sorted(NAMES)]
        self.listening = Listening(self.pins, self.devices)
        self.listening.start()
        self.told: Told = []

    def edge(self, pin: int, level: int, at: float) -> None:
        self.pins.inputs[pin] = level
        self.listening.hear(pin, level, at)

    def look(self, now: float) -> None:
        for device, events in self.listening.listen(now):
            value = device.signal.value
            if events or value != self._value(device.id):
                self.told.append((device.id, events, value))

    def look_promptly(self, until: float) -> None:
        """At every deadline up to `until`."""
        while (due := min((d.signal.deadline for d in self.devices if d.signal.deadline), default=None)) is not None:
            if due > until:
                break
            self.look(due)

    def _value(self, name: str) -> Value:
        values = [value for id_, _, value in self.told if id_ == name]
        return values[-1] if values else {"contact": "closed", "doorbell": None, "hallway": "clear"}[name]


@pytest.fixture(scope="module")
def new_ear(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Ear]:
    """Ears whose devices stand as they do at a start."""
    house = House(tmp_path_factory.mktemp("house"))
    house.die()
    return lambda: Ear(Room(house.config, FakePins(), house.ledger))


@pytest.fixture(scope="module")
def late_ear(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], "LateEar"]:
    house = House(tmp_path_factory.mktemp("house"))
    house.die()
    return lambda: LateEar(Room(house.config, FakePins(), house.ledger))


gaps = st.sampled_from([0.001, 0.01, 0.029, 0.031, 0.08, 0.2, 0.39, 0.41, 0.9, 1.1, 3.0])
presses = st.lists(st.tuples(gaps, st.sampled_from([CONTACT, DOORBELL, HALLWAY])), max_size=30)
hums = st.tuples(
    st.sampled_from([0.005, 0.01, 0.02]), st.integers(1, 400), st.sampled_from([CONTACT, DOORBELL, HALLWAY])
)
edges = st.one_of(presses, st.builds(lambda hum, then: [(hum[0], hum[2])] * hum[1] + then, hums, presses))


@given(edges=edges, held_up=st.sets(st.integers(0, 300)))
def test_a_loop_that_was_held_up_hears_what_a_prompt_one_hears(
    new_ear: Callable[[], Ear], edges: list[tuple[float, int]], held_up: set[int]
) -> None:
    prompt, late = new_ear(), new_ear()
    now, levels = 0.0, {CONTACT: 1, DOORBELL: 0, HALLWAY: 0}
    for number, (gap, pin) in enumerate(edges):
        now += gap
        levels[pin] ^= 1
        prompt.look_promptly(now)
        for ear in (prompt, late):
            ear.edge(pin, levels[pin], now)
        prompt.look(now)
        if number not in held_up:
            late.look_promptly(now)
            late.look(now)
    prompt.look_promptly(now + 600.0)
    late.look_promptly(now + 600.0)
    late.look(now + 600.0)
    late.look_promptly(now + 1200.0)
    for name in NAMES:
        told = [one for one in prompt.told if one[0] == name]
        assert [one for one in late.told if one[0] == name] == told


def test_a_press_while_the_first_states_go_to_the_disk_is_heard(new_ear: Callable[[], Ear]) -> None:
    ear = new_ear()
    for device in ear.listening.start():
        if device.id == "contact":
            ear.edge(DOORBELL, 1, 0.0)
    ear.look_promptly(0.08)
    ear.edge(DOORBELL, 0, 0.08)
    ear.look(0.08)
    ear.look_promptly(2.0)
    assert [events for name, events, _ in ear.told if name == "doorbell" and events] == [("press",)]


@pytest.mark.parametrize("with_the_level", [False, True])
def test_a_press_before_the_first_look_is_heard(late_ear: Callable[[], "LateEar"], with_the_level: bool) -> None:
    """The board is heard from the moment that its inputs are watched; the first look at them comes later."""
    ear = late_ear()
    ear.edge(DOORBELL, 1, 0.0)
    if not with_the_level:
        ear.deliver()
    ear.listening.start()
    ear.edge(DOORBELL, 0, 0.08)
    ear.deliver()
    ear.look(0.08)
    ear.look_promptly(2.0)
    assert [events for name, events, _ in ear.told if name == "doorbell" and events] == [("press",)]


def test_a_button_that_is_held_down_while_the_agent_starts_has_not_been_pressed(new_ear: Callable[[], Ear]) -> None:
    ear = new_ear()
    ear.pins.inputs[DOORBELL] = 1
    ear.listening.start()
    ear.edge(DOORBELL, 0, 0.08)
    ear.look(0.08)
    ear.look_promptly(2.0)
    assert [events for name, events, _ in ear.told if name == "doorbell" and events] == []


def test_a_press_during_a_long_disk_sync_is_heard(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.pins.inputs[DOORBELL] = 1
    house.pins.changed(DOORBELL)
    house.now += 0.08
    house.pins.inputs[DOORBELL] = 0
    house.pins.changed(DOORBELL)
    house.now += 0.7  # only now the loop is free again
    before = len(house.link.said)
    house.agent.tick(house.now)
    assert any(b'"press"' in body for _, body, *_ in house.link.said[before:])


def test_a_pin_that_cannot_be_read_at_its_edge_is_read_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.pins.unreadable.add(CONTACT)
    with pytest.raises(HomeError):
        house.pins.read(CONTACT)
    house.edge(CONTACT, 0)
    house.advance(0.5)
    assert house.state("contact").fault == "sensor"
    house.pins.unreadable.discard(CONTACT)
    house.advance(2.0)
    assert (house.state("contact").value, house.state("contact").fault) == ("open", None)


# --- what does not hold still ------------------------------------------------------------------------------------


def hum(house: House, pin: int, seconds: float, every: float = 0.01) -> None:
    for number in range(round(seconds / every)):
        house.edge(pin, number % 2)
        house.advance(every)


def spoken(house: House) -> list[str]:
    """What was said, but for events, which are said again until somebody receipts them."""
    return [topic for topic, *_ in house.link.said if not topic.startswith("audit/")]


def unrest(house: House) -> list[tuple[str, str]]:
    return [
        (told.what, told.severity) for told in house.events() if told.what in {"device:restless", "device:holds-still"}
    ]


@pytest.mark.parametrize(
    ("name", "pin", "afterwards"),
    [("contact", CONTACT, "open"), ("hallway", HALLWAY, "clear"), ("doorbell", DOORBELL, None)],
)
def test_an_input_that_hums_is_at_fault_until_it_holds_still(
    tmp_path: Path, name: str, pin: int, afterwards: Value
) -> None:
    house = House(tmp_path)
    hum(house, pin, 0.9)
    assert house.state(name).fault is None
    hum(house, pin, 0.3)
    assert (house.state(name).value, house.state(name).fault) == (None, "restless")
    said = len(house.link.said)
    hum(house, pin, 60.0)
    assert (house.state(name).value, house.state(name).fault) == (None, "restless")
    assert not any(topic.endswith("/event") for topic, *_ in house.link.said), "nothing happened that anybody knows of"
    assert len(house.link.said) - said < 20, "it is told once"
    assert unrest(house) == [("device:restless", "critical")]
    house.edge(pin, 0)
    house.advance(1.1)
    assert (house.state(name).value, house.state(name).fault) == (afterwards, None)
    assert unrest(house) == [("device:restless", "critical"), ("device:holds-still", "info")]
    hum(house, pin, 2.0)
    assert house.state(name).fault == "restless"
    assert len(unrest(house)) == 2, "what comes and goes is told once in ten minutes"


@pytest.mark.parametrize("every", [0.03, 0.055, 0.1, 0.3, 0.9])
def test_a_contact_that_trembles_is_at_fault_however_slowly(tmp_path: Path, every: float) -> None:
    house = House(tmp_path)
    hum(house, CONTACT, 6.0, every)
    assert (house.state("contact").value, house.state("contact").fault) == (None, "restless")
    said = len(spoken(house))
    hum(house, CONTACT, 60.0, every)
    assert len(spoken(house)) - said < 20, "it is told once"
    house.advance(1.1)
    assert house.state("contact").fault is None


def test_a_door_in_a_childs_hand_is_no_fault(tmp_path: Path) -> None:
    house = House(tmp_path)
    hum(house, CONTACT, 4.0, 0.4)
    house.advance(1.1)
    hum(house, CONTACT, 20.0, 1.1)
    assert house.state("contact").fault is None
    assert unrest(house) == []


def test_a_button_that_is_pressed_for_long_again_and_again_is_no_fault(tmp_path: Path) -> None:
    house = House(tmp_path)
    hum(house, DOORBELL, 20.0, 0.3)
    assert house.state("doorbell").fault is None


LATCH = (
    {"id": "door", "name": "Door", "kind": "lock", "pin": 27, "relock_after": 5.0, "contact": "contact"},
    {"id": "contact", "name": "Contact", "kind": "contact", "pin": CONTACT},
)


def test_a_lock_takes_a_humming_contact_for_an_open_door(tmp_path: Path) -> None:
    house = House(tmp_path, LATCH)
    house.heartbeat()
    house.command("door", "unlock")
    hum(house, CONTACT, 8.0)
    assert house.pins.levels[27] == 1, "it does not lock into a door that may be open"
    house.edge(CONTACT, 1)
    house.advance(1.5)
    assert house.pins.levels[27] == 0


pauses = st.lists(st.sampled_from([0.001, 0.01, 0.02, 0.04, 0.06, 0.2]), max_size=200)


@given(pauses)
def test_at_fault_is_what_has_no_rest_for_a_second_and_nothing_else(
    new_ear: Callable[[], Ear], pauses: list[float]
) -> None:
    ear = new_ear()
    contact = next(device for device in ear.devices if device.id == "contact")
    now = begun = 10.0
    level, last = 1, 0.0
    restless, unsteady = False, begun
    for pause in pauses:
        now += pause
        if now - last >= 1.0:
            restless, unsteady = False, now
        if now - last >= 0.05:
            begun = now
        last = now
        restless = restless or now - begun >= 1.0 or now - unsteady >= 5.0
        level ^= 1
        ear.look_promptly(now)
        ear.edge(CONTACT, level, now)
        ear.look(now)
        assert contact.restless == restless
    ear.look_promptly(now + 5.0)
    assert not contact.restless
    assert contact.signal.value == ("closed" if level else "open")


def test_an_input_with_a_long_debounce_may_take_its_time(tmp_path: Path) -> None:
    house = House(tmp_path, ({"id": "contact", "name": "C", "kind": "contact", "pin": CONTACT, "debounce_ms": 1000},))
    house.edge(CONTACT, 0)
    house.advance(0.9)
    house.edge(CONTACT, 1)
    house.advance(0.9)
    house.edge(CONTACT, 0)
    assert house.state("contact").fault is None
    house.advance(1.1)
    assert house.state("contact").value == "open"


# --- edges that come late, or not at all ---------------------------------------------------------------------------


class LateEar(Ear):
    """As `Ear`, with a kernel that keeps edges until somebody reads them: a thread, whenever it gets its turn, or who
    looks at the pin.
    """

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self.kept: list[tuple[int, int, float]] = []
        read = self.pins.read

        def catch_up(pin: int) -> int:
            self.deliver(pin)
            return read(pin)

        self.pins.read = catch_up  # type: ignore[method-assign]

    def edge(self, pin: int, level: int, at: float) -> None:
        self.pins.inputs[pin] = level
        self.kept.append((pin, level, at))

    def deliver(self, only: int | None = None) -> None:
        for edge in [edge for edge in self.kept if only in (None, edge[0])]:
            self.kept.remove(edge)
            self.listening.hear(*edge)


@given(edges=edges, read_after=st.sets(st.integers(0, 300)))
def test_however_late_edges_are_read_the_same_is_heard(
    new_ear: Callable[[], Ear], late_ear: Callable[[], LateEar], edges: list[tuple[float, int]], read_after: set[int]
) -> None:
    prompt, late = new_ear(), late_ear()
    now, levels = 0.0, {CONTACT: 1, DOORBELL: 0, HALLWAY: 0}
    for number, (gap, pin) in enumerate(edges):
        now += gap
        levels[pin] ^= 1
        prompt.look_promptly(now)
        late.look_promptly(now)
        prompt.edge(pin, levels[pin], now)
        late.edge(pin, levels[pin], now)
        prompt.look(now)
        if number in read_after:
            late.deliver()
            late.look(now)
    late.deliver()
    prompt.look_promptly(now + 600.0)
    late.look(now)
    late.look_promptly(now + 600.0)
    for name in NAMES:
        told = [one for one in prompt.told if one[0] == name]
        assert [one for one in late.told if one[0] == name] == told


def test_a_flutter_on_one_pin_costs_no_other_its_press(new_ear: Callable[[], Ear]) -> None:
    ear = new_ear()
    ear.edge(DOORBELL, 1, 0.0)
    ear.edge(DOORBELL, 0, 0.08)
    for number in range(10_001):
        ear.edge(CONTACT, number % 2, 0.1 + number * 1e-5)
    assert sum(map(len, ear.listening._edges.values())) <= 2 + EDGES_MOST
    ear.look(0.3)
    ear.look_promptly(5.0)
    assert [events for name, events, _ in ear.told if name == "doorbell" and events] == [("press",)]
    assert ear._value("contact") == "open"


@pytest.mark.parametrize("down", [0, 1])
def test_of_lost_edges_no_press_is_guessed(new_ear: Callable[[], Ear], down: int) -> None:
    ear = new_ear()
    ear.edge(DOORBELL, 1, 0.0)
    ear.look(0.0)
    ear.look_promptly(0.04)
    ear.listening.hear(DOORBELL, down, 0.05, missed=True)
    ear.pins.inputs[DOORBELL] = down
    ear.look(0.05)
    ear.look_promptly(0.5)
    ear.edge(DOORBELL, 0, 0.6)
    ear.look(0.6)
    ear.look_promptly(3.0)
    assert [events for _, events, _ in ear.told if events] == []
    for at, level in ((4.0, 1), (4.08, 0)):
        ear.edge(DOORBELL, level, at)
    ear.look(4.08)
    ear.look_promptly(6.0)
    assert [events for _, events, _ in ear.told if events] == [("press",)]


def test_of_lost_edges_a_contact_tells_what_it_reads_in_the_end(new_ear: Callable[[], Ear]) -> None:
    ear = new_ear()
    ear.listening.hear(CONTACT, 0, 1.0, missed=True)
    ear.pins.inputs[CONTACT] = 0
    ear.look_promptly(1.02)
    assert ear.told == []
    ear.look(1.02)
    ear.look_promptly(1.1)
    assert ear.told == [("contact", (), "open")]


def test_a_button_that_could_not_be_read_was_not_pressed(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.edge(DOORBELL, 1)
    house.pins.unreadable.add(DOORBELL)
    house.advance(5.0)
    assert house.state("doorbell").fault == "sensor"
    house.pins.unreadable.discard(DOORBELL)
    house.advance(2.0)
    house.edge(DOORBELL, 0)
    house.advance(2.0)
    assert house.state("doorbell").fault is None
    assert not any(topic.endswith("/event") for topic, *_ in house.link.said)
