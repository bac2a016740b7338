"""kill -9 before every single effect of a command, and after the last: for every kind, with timers pending.

What is counted: the edges of the commanded device's own pins, from just before the command. Those that the command
causes, before or after the kill, number none or as many as it has undisturbed, never more; a pin goes up once at
most. The way back to the safe level that a restart may take (boot policy) is an edge down, or to the level that was
remembered, and counts apart: nobody asked for it twice.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from device_agents.agent import Agent
from device_agents.link.link import Heard, Up
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, CoverValue, Receipt, ReceiptLine
from tests.effects import CountedPins, Effects, counted_statements
from tests.unit.device_agents.fakes import FakeLink, FragileLedger, House, Killed

LAMP, FAN, KETTLE, DOOR, DIMMER, GATE, BELL, BUTTON = 17, 25, 24, 27, 18, 12, 13, 23
PUMP, SPARE = 7, 8
OPENING, CLOSING = 5, 6
MAX_ON = 30.0
DEAD_FOR = 2.0
"""How long it takes until the killed agent is started again."""

DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": LAMP, "boot": "restore"},
    {"id": "fan", "name": "Fan", "kind": "switch", "pin": FAN, "min_off": 10.0},
    {"id": "kettle", "name": "Kettle", "kind": "switch", "pin": KETTLE, "max_on": MAX_ON, "boot": "restore"},
    {"id": "pump", "name": "Pump", "kind": "switch", "pin": PUMP, "interlock": "pumps", "dead_time": 1.0},
    {"id": "spare", "name": "Spare pump", "kind": "switch", "pin": SPARE, "interlock": "pumps"},
    {"id": "door", "name": "Door", "kind": "lock", "pin": DOOR, "relock_after": 15.0},
    {"id": "dimmer", "name": "Dimmer", "kind": "dimmer", "pin": DIMMER, "boot": "restore"},
    {"id": "blind", "name": "Blind", "kind": "cover", "pins": [OPENING, CLOSING], "travel_time": 6.0},
    {"id": "gate", "name": "Gate", "kind": "pulse", "pin": GATE, "travel_time": 1.0},
    {"id": "bell", "name": "Bell", "kind": "pulse", "pin": BELL, "pulse_ms": 15_000},
    {
        "id": "button",
        "name": "Button",
        "kind": "button",
        "pin": BUTTON,
        "double_ms": 0,
        "binds": {"press": {"device": "lamp", "action": "toggle"}},
    },
)
PINS: dict[str, tuple[int, ...]] = {
    device["id"]: tuple(device.get("pins", [device.get("pin")])) for device in DEVICES if device["kind"] != "button"
}


class Wish(NamedTuple):
    """A command on a device."""

    device: str
    action: str
    value: int | None = None


class Case(NamedTuple):
    """A command to be killed in; `first` are those that bring its device there, each followed by so many seconds."""

    wish: Wish
    first: tuple[tuple[Wish, float], ...] = ()
    held_back: bool = False
    """Whether a restart makes it wait, where nothing of the command had been committed."""
    pressed: bool = False
    """Whether it is a hand at the button that wants it."""

    @property
    def name(self) -> str:
        way = "-".join([*(wish.action for wish, _ in self.first), "then"]) if self.first else "at-rest"
        return f"{way}-{'button' if self.pressed else self.wish.device}-{self.wish.action}"


ON, OFF, OPEN, CLOSE, STOP = "on", "off", "open", "close", "stop"
CASES = (
    Case(Wish("lamp", ON)),
    Case(Wish("lamp", OFF), ((Wish("lamp", ON), 1.0),)),
    Case(Wish("lamp", ON), pressed=True),
    Case(Wish("lamp", OFF), ((Wish("lamp", ON), 1.0),), pressed=True),
    Case(Wish("kettle", ON)),
    Case(Wish("kettle", ON), ((Wish("kettle", ON), 10.0),)),
    Case(Wish("kettle", OFF), ((Wish("kettle", ON), 10.0),)),
    Case(Wish("fan", ON)),
    Case(Wish("fan", OFF), ((Wish("fan", ON), 1.0),)),
    Case(Wish("pump", ON), ((Wish("spare", ON), 1.0), (Wish("spare", OFF), 2.0)), held_back=True),
    Case(Wish("pump", OFF), ((Wish("pump", ON), 1.0),)),
    Case(Wish("dimmer", "set", 40)),
    Case(Wish("dimmer", "set", 40), ((Wish("dimmer", "set", 10), 1.0),)),
    Case(Wish("dimmer", OFF), ((Wish("dimmer", "set", 10), 1.0),)),
    Case(Wish("door", "unlock")),
    Case(Wish("door", "unlock"), ((Wish("door", "unlock"), 10.0),)),
    Case(Wish("door", "lock"), ((Wish("door", "unlock"), 10.0),)),
    Case(Wish("blind", OPEN)),
    Case(Wish("blind", CLOSE), ((Wish("blind", OPEN), 2.0),)),
    Case(Wish("blind", "set", 30), ((Wish("blind", CLOSE), 8.0),)),
    Case(Wish("blind", STOP), ((Wish("blind", OPEN), 2.0),)),
    Case(Wish("blind", STOP), ((Wish("blind", OPEN), 2.0), (Wish("blind", CLOSE), 0.2))),
    Case(Wish("gate", "press")),
    Case(Wish("gate", "press"), ((Wish("gate", "press"), 0.8),)),
)
OTHERS: tuple[tuple[Wish, float], ...] = (
    (Wish("kettle", ON), 5.0),
    (Wish("door", "unlock"), 0.1),
    (Wish("blind", CLOSE), 0.1),
    (Wish("bell", "press"), 0.1),
)
"""Sets a timer of every kind going, so that all of them are pending while the command comes."""


TWICE = tuple(case for case in CASES if case.name == "at-rest-door-unlock")


class Link(FakeLink):
    """Counts what it is given."""

    effects: Effects

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None) -> bool:
        self.effects.before(f"publish {topic}")
        return super().publish(topic, payload, retain=retain, expiry=expiry)

    def done_with(self, heard: Heard) -> None:
        self.effects.before("confirm")
        super().done_with(heard)


class Row(NamedTuple):
    """What the ledger's file holds of the command."""

    id: str
    answer: bytes | None


class DoomedHouse(House):
    """A room that can be killed before any effect."""

    def __init__(self, folder: Path, devices: Sequence[dict[str, Any]]) -> None:
        self.effects = Effects(self._kill)
        self.doomed: int | None = None
        """Before which effect of its start the next process is killed."""
        self.file = folder / "data" / "hall.sqlite3"
        super().__init__(folder, devices)

    def born(self) -> None:
        self.link = link = Link()
        link.effects = self.effects
        with counted_statements(self.effects):
            self.ledger = FragileLedger(self.file, boot=self.boot, monotonic=lambda: self.now)
        pins = CountedPins(self.pins, self.effects)
        self.agent = Agent(self.config, pins, self.ledger, link=link, monotonic=lambda: self.now, wall=self.wall)
        if self.doomed is not None:
            self.effects.arm(self.doomed)
        self.agent.start()
        self.agent.take(Up(None), self.now)
        self.agent.tick(self.now)

    def row(self, device: str) -> Row | None:
        """What the file, not the agent, says of the command; the agent must be dead."""
        file = sqlite3.connect(self.file)
        found = file.execute("SELECT id, answer FROM command WHERE device = ? AND id NOT LIKE 'first%'", (device,))
        rows = [Row(*row) for row in found]
        file.close()
        assert len(rows) <= 1
        return rows[0] if rows else None

    def outcomes(self, id_: str) -> list[str]:
        """How the command ended, as the events in the spool have it."""
        return [e.outcome.value for e in self.events() if e.command_id == id_ and e.outcome != "asked"]

    def _kill(self) -> None:
        raise Killed


class Way(NamedTuple):
    """How the command comes; `busy`: with a timer of every kind pending."""

    issuer: str
    critical: bool
    busy: bool


WAYS = {
    "plain": Way("gateway", critical=False, busy=False),
    "critical": Way("gateway", critical=True, busy=False),
    "timers-pending": Way("phone", critical=True, busy=True),
}


class Run:
    """One command with one kill in it, and what is asked afterwards."""

    def __init__(self, folder: Path, case: Case, way: Way) -> None:
        self.case = case
        self.way = way
        self.wish = case.wish
        self.pins = PINS[case.wish.device]
        self.audited = way.critical or way.issuer == "phone" or case.pressed
        self.kettle_since: float | None = None
        critical = {case.wish.device} if way.critical else set()
        self.house = DoomedHouse(folder, [device | {"critical": device["id"] in critical} for device in DEVICES])
        self._prepare()
        self.running = {pin for pin, level in self.house.pins.levels.items() if level}
        self.start = len(self.house.pins.waveform)
        self.ack: Acknowledgement | None = None

    def strike(self, chosen: int) -> bool:
        """Command, and kill before the effect `chosen`, else after the last; whether it was reached."""
        effects = self.house.effects
        if self.case.pressed:
            self.house.edge(BUTTON, 1)
            self.house.advance(0.1)
        effects.arm(chosen)
        if self.case.pressed:
            self._let_go()
        else:
            self.ack = self.ask()
        struck = effects.count == chosen
        effects.disarm()
        return struck

    def ask(self) -> Acknowledgement | None:
        device, action, value = self.wish
        return self.house.command(device, action, value=value, issuer=self.way.issuer)

    def edges(self, start: int) -> list[tuple[int, int]]:
        """Those of the commanded device."""
        return [edge for edge in self.house.pins.waveform[start:] if edge[0] in self.pins]

    def _prepare(self) -> None:
        self.house.advance(10.0)  # what an unknown past holds back is over
        others = [step for step in OTHERS if step[0].device != self.wish.device] if self.way.busy else []
        for number, (wish, seconds) in enumerate((*others, *self.case.first)):
            self.house.heartbeat()
            ack = self.house.command(wish.device, wish.action, value=wish.value, id=f"first-{number}")
            assert ack is not None
            assert ack.outcome == "executed", (wish, ack)
            if wish == Wish("kettle", ON) and self.kettle_since is None:
                self.kettle_since = self.house.now
            self.house.advance(seconds)
        self.house.heartbeat()
        recorded = tuple(ReceiptLine(id=event.id, row=1, hash="h") for event in self.house.events())
        self.house.hear(topics.receipt("hall"), Receipt(events=recorded))

    def _let_go(self) -> None:
        try:
            self.house.edge(BUTTON, 0)
            self.house.advance(0.1)
        except Killed:
            return


class Verdict:
    """What must be so after a kill, whenever it came; `whole` are the edges of the command undisturbed."""

    def __init__(self, run: Run, whole: list[tuple[int, int]]) -> None:
        self.run = run
        self.house = run.house
        self.whole = whole
        self.made = run.edges(run.start)
        self.caused = list(self.made)
        self.house.die()
        self.row = self.house.row(run.wish.device)
        self._what_was_committed_is_what_was_done()

    @property
    def world(self) -> tuple[bool, bool, int]:
        """What the kill left: whether anything is committed, whether an answer is, and how much has moved."""
        return self.row is not None, self.row is not None and self.row.answer is not None, len(self.made)

    def start_again(self, *, doomed: int | None = None) -> bool:
        """The agent is started by its service manager; False where it had come up before the effect `doomed`."""
        before = len(self.house.pins.waveform)
        struck = doomed is not None and self._die_at_birth(doomed)
        self.house.now += DEAD_FOR
        self.house.born()
        self.house.heartbeat()
        self._the_start_moved_only_to_what_is_safe(self.house.pins.waveform[before:])
        agrees(self.house)
        return struck

    def go_on(self) -> None:
        """The agent lives on: the repeat, its repeat, and one after another restart; then all timers run out."""
        self._each_outcome_is_recorded_once(self.row)
        if not self.run.case.pressed:
            first = self._repeat()
            self._the_repeat_is_truthful(first)
            assert self._repeat() == first
            self.house.die()
            self.row = self.house.row(self.run.wish.device)
            self.start_again()
            assert self._repeat() == first
            self._each_outcome_is_recorded_once(self.row)
        self._every_timer_is_obeyed()
        self._no_edge_came_twice()

    def _die_at_birth(self, doomed: int) -> bool:
        house = self.house
        house.now += DEAD_FOR
        house.doomed = doomed
        try:
            house.born()
        except Killed:
            return True
        finally:
            house.doomed = None
            house.effects.disarm()
            house.die()
        return False

    def _what_was_committed_is_what_was_done(self) -> None:
        answered = self.row is not None and self.row.answer is not None
        assert self.made == self.whole[: len(self.made)]
        assert self.row is not None or not self.made, "a pin moved before its intent was committed"
        assert not answered or self.made == self.whole, "an answer was committed before all was done"
        assert answered or self.run.ack is None, "an answer was given before it was committed"

    def _the_start_moved_only_to_what_is_safe(self, edges: list[tuple[int, int]]) -> None:
        """Lamp and kettle are kept, a dimmer goes to what was remembered, everything else comes to rest; once."""
        assert len({pin for pin, _ in edges}) == len(edges)
        assert LAMP not in dict(edges)
        for pin, level in edges:
            assert level == 0 or (pin, level) == (DIMMER, 10)
        others = set(PINS["kettle"]) - set(self.run.pins)
        assert not others & dict(edges).keys(), "a running time survives a restart"

    def _repeat(self) -> Acknowledgement:
        before = len(self.house.pins.waveform)
        ack = self.run.ask()
        assert ack is not None
        edges = self.run.edges(before)
        self.caused += edges
        assert not edges or self.row is None, "a command that had been begun moved something again"
        assert len(edges) == len(self.house.pins.waveform) - before
        return msgspec.structs.replace(ack, repeated=False)

    def _the_repeat_is_truthful(self, ack: Acknowledgement) -> None:
        said = (ack.outcome.value, ack.reason)
        if self.row is None:
            executed, too_soon = ("executed", None), ("rejected", "too-soon")
            assert said == (too_soon if self.run.case.held_back else executed)
            self.row = Row(ack.id, b"now")
        elif self.row.answer is None:
            assert said == ("failed", "interrupted")
        else:
            assert ack == messages.decode(Acknowledgement, self.row.answer)
            assert self.run.ack in (None, ack)

    def _each_outcome_is_recorded_once(self, row: Row | None) -> None:
        """The ledger's word and the spool's are one: written together, or not at all."""
        if row is None:
            assert [e for e in self.house.events() if e.command_id in {"c1", None}] == []
            return
        outcomes = self.house.outcomes(row.id)
        assert len(outcomes) == self.run.audited
        if self.run.audited and row.answer is not None:
            assert outcomes == [messages.decode(Acknowledgement, row.answer).outcome]
        elif self.run.audited:
            assert outcomes == ["failed"]

    def _every_timer_is_obeyed(self) -> None:
        """The kettle's time counts from before the kill; whatever else was going is at rest since the start."""
        house = self.house
        resting = {DOOR, OPENING, CLOSING, BELL, GATE, PUMP, SPARE, FAN} - set(self.run.pins)
        assert not any(house.pins.levels[pin] for pin in resting)
        if self.run.kettle_since is not None:
            house.advance(self.run.kettle_since + MAX_ON - house.now)
            assert house.pins.levels[KETTLE] == 0
        before = len(house.pins.waveform)
        house.advance(MAX_ON)
        self.caused += [edge for edge in self.run.edges(before) if edge[1]]
        assert not any(level for pin, level in house.pins.levels.items() if pin not in {LAMP, DIMMER, *self.run.pins})
        assert not any(house.pins.levels[pin] for pin in {KETTLE, DOOR, OPENING, CLOSING, BELL, GATE})
        agrees(house)
        house.die()

    def _no_edge_came_twice(self) -> None:
        assert len(set(self.caused)) == len(self.caused), self.caused


def agrees(house: House) -> None:
    """Every state that was told is that of the pins."""
    levels = house.pins.levels
    words = {"lamp": ON, "fan": ON, "kettle": ON, "pump": ON, "spare": ON, "door": "unlocked"}
    for device, word in words.items():
        on = levels[PINS[device][0]] > 0
        assert house.state(device).value == (word if on else "locked" if device == "door" else OFF)
    assert house.state("dimmer").value == levels[DIMMER]
    blind = house.state("blind").value
    assert isinstance(blind, CoverValue)
    assert levels[OPENING] + levels[CLOSING] <= 1
    assert blind.moving == ("opening" if levels[OPENING] else "closing" if levels[CLOSING] else None)
    assert all(state.fault is None for state in map(house.state, PINS))


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: a kill loses nothing that a process wrote, so no disk needs to sync."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="crash-", dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def points_of(folder: Path, case: Case, way: Way) -> tuple[int, list[tuple[int, int]]]:
    """How many points there are at which to kill, the one after the last effect among them; and all the edges."""
    undisturbed = Run(folder / "undisturbed", case, way)
    assert not undisturbed.strike(10_000)
    undisturbed.house.die()
    return len(undisturbed.house.effects.done) + 1, undisturbed.edges(undisturbed.start)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_killed_anywhere_no_edge_comes_twice_and_the_repeat_is_answered_truthfully(
    folder: Path, case: Case, way: Way
) -> None:
    points, whole = points_of(folder, case, way)
    for chosen in range(1, points + 1):
        run = Run(folder / str(chosen), case, way)
        assert run.strike(chosen) == (chosen < points)
        verdict = Verdict(run, whole)
        verdict.start_again()
        verdict.go_on()


@pytest.mark.parametrize("case", TWICE, ids=[case.name for case in TWICE])
def test_killed_once_more_anywhere_in_the_start_that_follows_all_holds_as_well(folder: Path, case: Case) -> None:
    """From every different world that the first kill can leave: what is committed, and what has moved."""
    way = WAYS["timers-pending"]
    points, whole = points_of(folder, case, way)
    worlds = set()
    for chosen in range(1, points + 1):
        doomed, struck = 1, True
        while struck:
            run = Run(folder / f"{chosen}-{doomed}", case, way)
            run.strike(chosen)
            verdict = Verdict(run, whole)
            if doomed == 1 and verdict.world in worlds:
                break
            worlds.add(verdict.world)
            struck = verdict.start_again(doomed=doomed)
            verdict.go_on()
            doomed += 1
    assert len(worlds) == 4
