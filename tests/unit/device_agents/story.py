"""Any story of commands, buttons, doors, delays, faults, lost links, jumping clocks, crashes and restarts: what is
promised holds throughout, by the word of an observer who looks at the pins alone.

100,000 steps at the least, the same ones every time, in volumes that are told side by side (test_story_1.py and the
others); HOMESYSTEM_STORIES tells as many others, of 100 steps each.
"""

import logging
import os
import shutil
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from device_agents.link.link import Down, Up
from shared.words import messages, topics
from shared.words.messages import COMMAND_SECONDS, CoverValue, Lockdown, Lockouts, Receipt, ReceiptLine, State
from tests.unit.device_agents.fakes import FakeLink, FakePins, House, Killed
from tests.unit.device_agents.observer import Observer, Rule

MORE = os.environ.get("HOMESYSTEM_STORIES")
STORIES = int(MORE or "1010")
VOLUMES = 3
"""So many files tell them, side by side: alone it takes as long as all other tests of a run."""
STEPS = 100

LAMP, KETTLE, HEATER, COOLER, PUMP, DIMMER, DOOR, GATE, OPENING, CLOSING, VENT, SAW = range(16, 28)
CONTACT, BUTTON = 5, 6
KETTLE_ON, HEATER_ON, DIMMER_ON, COOLER_OFF, PUMP_OFF, RELOCK, TRAVEL = 90.0, 120.0, 200.0, 40.0, 30.0, 25.0, 4.0
CLIMATE_DEAD, WIND_DEAD, COVER_DEAD = 3.0, 2.0, 0.5

DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "lamp", "kind": "switch", "pin": LAMP, "boot": "restore", "on_link_loss": "on"},
    {"id": "kettle", "kind": "switch", "pin": KETTLE, "max_on": KETTLE_ON, "boot": "restore", "on_link_loss": "off"},
    {
        "id": "heater",
        "kind": "switch",
        "pin": HEATER,
        "max_on": HEATER_ON,
        "interlock": "climate",
        "dead_time": CLIMATE_DEAD,
        "on_link_loss": "on",
        "link_loss_after": 40.0,
    },
    {
        "id": "cooler",
        "kind": "switch",
        "pin": COOLER,
        "interlock": "climate",
        "min_off": COOLER_OFF,
        "on_link_loss": "off",
        "link_loss_after": 40.0,
    },
    {"id": "pump", "kind": "switch", "pin": PUMP, "boot": "restore", "min_off": PUMP_OFF, "on_link_loss": "on"},
    {"id": "dimmer", "kind": "dimmer", "pin": DIMMER, "boot": "restore", "max_on": DIMMER_ON, "min_interval": 2.0},
    {"id": "front-door", "kind": "lock", "pin": DOOR, "critical": True, "relock_after": RELOCK, "contact": "contact"},
    {"id": "gate", "kind": "pulse", "pin": GATE, "travel_time": TRAVEL},
    {"id": "blind", "kind": "cover", "pins": [OPENING, CLOSING], "travel_time": 20.0, "interlock": "wind"},
    {"id": "vent", "kind": "switch", "pin": VENT, "interlock": "wind", "dead_time": WIND_DEAD},
    {"id": "saw", "kind": "switch", "pin": SAW, "lockout": True, "boot": "on", "on_link_loss": "on"},
    {"id": "contact", "kind": "contact", "pin": CONTACT},
    {
        "id": "wall",
        "kind": "button",
        "pin": BUTTON,
        "double_ms": 0,
        "binds": {"press": {"device": "lamp", "action": "toggle"}, "long": {"device": "heater", "action": "toggle"}},
    },
)
RULES = [
    Rule(LAMP),
    Rule(KETTLE, max_on=KETTLE_ON),
    Rule(HEATER, max_on=HEATER_ON, group="climate", dead_time=CLIMATE_DEAD),
    Rule(COOLER, min_off=COOLER_OFF, group="climate", dead_time=CLIMATE_DEAD),
    Rule(PUMP, min_off=PUMP_OFF),
    Rule(DIMMER, max_on=DIMMER_ON),
    Rule(DOOR),
    Rule(GATE, max_on=0.5, apart=TRAVEL),
    Rule(OPENING, max_on=22.0, group="wind", dead_time=COVER_DEAD),
    Rule(CLOSING, max_on=22.0, group="wind", dead_time=COVER_DEAD),
    Rule(VENT, group="wind", dead_time=WIND_DEAD),
    Rule(SAW),
]
PINS = {
    d["id"]: tuple(d["pins"]) if "pins" in d else (d["pin"],) for d in DEVICES if d["pin" if "pin" in d else "pins"]
}
OUTPUTS = tuple(d["id"] for d in DEVICES if d["kind"] not in {"contact", "button"})
WISHES: list[tuple[str, str, int | None]] = [
    *(
        (device, action, None)
        for device in ("lamp", "kettle", "heater", "cooler", "pump", "vent", "saw")
        for action in ("on", "off")
    ),
    ("dimmer", "on", None),
    ("dimmer", "off", None),
    ("dimmer", "set", 40),
    ("front-door", "unlock", None),
    ("front-door", "lock", None),
    ("gate", "press", None),
    ("blind", "open", None),
    ("blind", "close", None),
    ("blind", "set", 50),
    ("blind", "stop", None),
]
RIVALS = [wish for wish in WISHES if wish[0] in {"heater", "cooler", "vent", "blind"}]
SAFE = {"off", "lock", "stop"}
FREE = {"ledger-failed", "retained", "id-reused"}
"""Answers that leave an id free, or speak of another command."""


class WatchedPins(FakePins):
    """Pins beside which the observer stands; at the `kill_in`th write from now on the process is killed."""

    def __init__(self, story: "Story") -> None:
        super().__init__()
        self.story = story
        self.kill_in: int | None = None

    def write(self, pin: int, level: int) -> None:
        if self.kill_in is not None:
            self.kill_in -= 1
            if self.kill_in < 0:
                self.kill_in = None
                raise Killed
        before = self.levels.get(pin, 0)
        super().write(pin, level)
        self.change(pin, before)

    def change(self, pin: int, before: int) -> None:
        after = self.levels.get(pin, 0)
        if after != before:
            self.story.observer.edge(pin, after, self.story.true_now())

    def fall(self) -> None:
        """The board boots anew: every line is let go."""
        before, self.levels = self.levels, {}
        for pin, level in before.items():
            self.change(pin, level)

    def read(self, pin: int) -> int:
        return self.inputs.get(pin, 0) if pin in (CONTACT, BUTTON) else self.levels.get(pin, 0)


class LastLink(FakeLink):
    """Remembers only the last word on each topic: a long story is told in little memory."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None) -> bool:
        if self.up:
            if len(self.said) > 400:
                del self.said[:200]
            self.last[topic] = payload
        return super().publish(topic, payload, retain=retain, expiry=expiry)

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, bytes] = {}


OTHER = {"gateway": "gateway-2", "gateway-2": "gateway"}


class StoryHouse(House):
    """A house whose board can boot anew, and whose link is ours."""

    link_kind = LastLink

    def heartbeat(self, session: str = "g1", *, gateway: str = "gateway", retained: bool = False) -> None:
        """Both gateways are there."""
        for one in OTHER:
            super().heartbeat(session, gateway=one, retained=retained)


class Story(RuleBasedStateMachine):
    """The hub's heartbeats reach the room promptly; its commands may be held back for up to a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="story-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.observer = Observer(RULES)
        self.epoch = 0.0
        self.pins = WatchedPins(self)
        self.house: StoryHouse | None = None
        self.answers: dict[tuple[str, str], dict[tuple[str, str, int | None], tuple[str, str | None]]] = {}
        self.moved_by: Counter[tuple[str, str]] = Counter()
        self.locked_down = False
        self.fresh = 0
        self.sent: list[tuple[tuple[str, str, int | None], str, str]] = []
        self.seen: set[str] = set()
        self.outcomes: set[tuple[str, str]] = set()
        named = [{"name": device["id"], **device} for device in DEVICES]
        self.house = StoryHouse(self.folder, named, pins=self.pins)
        logging.disable(logging.CRITICAL)  # a hundred thousand steps say a lot
        self.house.hub_ahead = 0.3
        self.observer.started = self.true_now()

    def true_now(self) -> float:
        return self.epoch + (self.house.now if self.house is not None else 1000.0)

    @property
    def home(self) -> StoryHouse:
        assert self.house is not None
        return self.house

    @initialize()
    def begin(self) -> None:
        self.home.heartbeat()

    # --- what people do -----------------------------------------------------------------------------------------

    @rule(
        wish=st.sampled_from(WISHES),
        number=st.integers(1, 25),
        issuer=st.sampled_from(["gateway", "gateway-2", "phone"]),
        age=st.sampled_from([0.0, 0.0, 0.0, 0.0, 3.0, 7.0, 60.0]),
        kill=st.sampled_from([None] * 8 + ["committed", "moved", "finished", "stated", 0, 1]),
        retained=st.sampled_from([False] * 9 + [True]),
    )
    def command(
        self,
        wish: tuple[str, str, int | None],
        number: int,
        issuer: str,
        age: float,
        kill: str | int | None,
        retained: bool,
    ) -> None:
        self.wish(wish, f"c{number}", issuer, age=age, kill=kill, retained=retained)

    @rule(back=st.integers(0, 5), age=st.sampled_from([0.0, 0.0, 3.0, 60.0]), crosses=st.booleans())
    def delivered_again(self, back: int, age: float, crosses: bool) -> None:
        """What was sent is sent once more, to the letter, or through the other gateway."""
        if back < len(self.sent):
            wish, id_, issuer = self.sent[-1 - back]
            self.wish(wish, id_, OTHER.get(issuer, issuer) if crosses else issuer, age=age)

    def wish(
        self,
        wish: tuple[str, str, int | None],
        id_: str,
        issuer: str,
        *,
        age: float = 0.0,
        kill: str | int | None = None,
        retained: bool = False,
    ) -> None:
        device, action, value = wish
        key = ("whoever is at a gateway" if issuer in OTHER else issuer, id_)
        self.sent.append((wish, id_, issuer))
        house = self.home
        house.kill_at = kill if isinstance(kill, str) else None
        self.pins.kill_in = kill if isinstance(kill, int) else None
        before = len(self.pins.waveform)
        full = house.ledger.full
        ack = house.command(device, action, value=value, id=key[1], issuer=issuer, age=age, retained=retained)
        moved = [edge for edge in self.pins.waveform[before:] if edge[0] in PINS[device]]
        killed = house.killed
        house.killed, house.kill_at, self.pins.kill_in = False, None, None
        energised = any(level > 0 for _, level in moved)
        if retained or age > COMMAND_SECONDS or (self.locked_down and action not in SAFE):
            assert not moved or (action in SAFE and not retained and age <= COMMAND_SECONDS)
        if energised:
            assert self.moved_by[key] == 0, f"{key} moved something a second time"
            self.moved_by[key] += 1
        if ack is not None and not killed:
            event(f"{ack.outcome} {ack.reason}")
            self.judge(key, wish, (ack.outcome.value, ack.reason), moved=bool(moved))
        if killed:
            event("killed in a command")
            if not full and kill in {"committed", "moved", "finished", "stated"}:
                interrupted = kill in {"committed", "moved"}
                truths = {("failed", "interrupted")} if interrupted else {("executed", None), ("failed", "pin-failed")}
                known = self.answers.setdefault(key, {}).get(wish)
                assert known is None or known in truths
                if interrupted:
                    self.answers[key][wish] = ("failed", "interrupted")
            self.revive()

    def judge(
        self, key: tuple[str, str], wish: tuple[str, str, int | None], answer: tuple[str, str | None], *, moved: bool
    ) -> None:
        """One id, one meaning, one answer; and "executed" only where the room is as it was wished."""
        outcome, reason = answer
        if moved:
            assert outcome == "executed" or reason == "pin-failed"
        if reason in FREE:
            return
        known = self.answers.setdefault(key, {})
        if not self.home.ledger.full:
            assert known.setdefault(wish, answer) == answer
            assert len(known) == 1 or wish in known
        if outcome == "executed" and moved:
            levels = [self.pins.levels.get(pin, 0) for pin in PINS[wish[0]]]
            wished = {"on": 1, "off": 0, "unlock": 1, "lock": 0, "press": 1, "set": 40}
            if wish[0] != "blind":
                assert levels == [100 if wish[:2] == ("dimmer", "on") else wished[wish[1]]]

    @rule(wish=st.sampled_from(WISHES), issuer=st.sampled_from(["gateway", "phone"]))
    def plain_wish(self, wish: tuple[str, str, int | None], issuer: str) -> None:
        self.fresh += 1
        self.wish(wish, f"f{self.fresh}", issuer)

    @rule(one=st.sampled_from(RIVALS), other=st.sampled_from(RIVALS), pause=st.sampled_from([0.0, 0.6, 2.0, 3.0, 41.0]))
    def rivals(self, one: tuple[str, str, int | None], other: tuple[str, str, int | None], pause: float) -> None:
        """One after the other, as close as people can be."""
        self.plain_wish(one, "gateway")
        self.pass_time(pause)
        self.home.heartbeat()
        self.plain_wish(other, "phone")

    @rule(
        device=st.sampled_from(["kettle", "heater", "dimmer", "front-door"]), pause=st.sampled_from([20.0, 31.0, 60.0])
    )
    def wanted_again_and_again(self, device: str, pause: float) -> None:
        """Whoever wants it on for ever."""
        action = "unlock" if device == "front-door" else "on"
        for _ in range(3):
            self.plain_wish((device, action, None), "gateway")
            self.pass_time(pause)
            self.home.heartbeat()

    @rule(seconds=st.sampled_from([0.05, 0.2, 1.2]))
    def button(self, seconds: float) -> None:
        self.home.edge(BUTTON, 1)
        self.pass_time(seconds)
        self.home.edge(BUTTON, 0)
        self.pass_time(0.1)

    @rule(level=st.integers(0, 1), pause=st.sampled_from([0.01, 0.2]))
    def door_moves(self, level: int, pause: float) -> None:
        self.home.edge(CONTACT, level)
        self.pass_time(pause)

    @rule(devices=st.sets(st.sampled_from(OUTPUTS), max_size=2))
    def lock_outs(self, devices: set[str]) -> None:
        self.home.hear_hub(topics.LOCKOUTS, Lockouts(devices=tuple(f"hall/{d}" for d in devices), at=messages.utc(0)))
        self.observer.forbidden = {pin for device in devices for pin in PINS[device]} | {SAW}

    @rule(active=st.sampled_from([True, False, False, False]))
    def lockdown(self, active: bool) -> None:
        self.home.hear_hub(topics.LOCKDOWN, Lockdown(active=active, at=messages.utc(0)))
        self.locked_down = active

    # --- what happens -------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Step by step, so that the observer looks in between; a kill set before strikes wherever it does."""
        end = self.home.now + seconds
        while self.home.now < end:
            try:
                self.home.advance(min(5.0, end - self.home.now))
            except Killed:
                event("killed in a timer")
                self.revive()
                end = max(end, self.home.now)
            self.observer.check(self.true_now())

    @rule(seconds=st.sampled_from([0.1, 0.6, 2.0, 3.1, 11.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)
        self.home.heartbeat()

    @rule(seconds=st.sampled_from([2.0, 31.0, 95.0]), writes=st.integers(0, 2))
    def killed_in_a_timer(self, seconds: float, writes: int) -> None:
        self.pins.kill_in = writes
        self.pass_time(seconds)
        self.pins.kill_in = None
        self.home.heartbeat()

    @rule()
    def silence(self) -> None:
        self.pass_time(70.0)

    @rule(down=st.booleans())
    def link(self, down: bool) -> None:
        self.home.agent.take(Down(None, "gone") if down else Up(None), self.home.now)
        self.home.agent.tick(self.home.now)

    @rule(session=st.sampled_from(["g1", "g2"]))
    def gateway_restarts(self, session: str) -> None:
        self.home.heartbeat(session)

    @rule(jump=st.sampled_from([-1e9, -3600.0, -30.0, 30.0, 7200.0, 1e8, 0.0]))
    def clock_jumps(self, jump: float) -> None:
        before = list(self.pins.waveform)
        self.home.wall_shift = jump
        self.home.agent.tick(self.home.now)
        assert self.pins.waveform == before

    @rule(dead=st.sampled_from([0.0, 0.3, 10.0]))
    def killed(self, dead: float) -> None:
        self.revive(dead)

    @rule(dead=st.sampled_from([1.0, 50.0]))
    def board_boots(self, dead: float) -> None:
        self.home.die()
        self.pins.fall()
        self.epoch = self.true_now() + dead - 7.0
        self.home.now, self.home.boot = 7.0, self.home.boot + "+"
        self.born()

    @rule()
    def stopped_and_started(self) -> None:
        self.home.agent.stop()
        self.born()

    @rule(full=st.sampled_from([True, False, False, False]))
    def disk(self, full: bool) -> None:
        self.home.ledger.full = full

    @rule(
        pin=st.sampled_from(sorted(rule.pin for rule in RULES)), how=st.sampled_from(["stuck", "fine", "fine", "falls"])
    )
    def line(self, pin: int, how: str) -> None:
        """A line hangs at its level, or is free again, or is let go by somebody else."""
        if how == "stuck" and len(self.pins.stuck) < 2:
            self.pins.stuck.add(pin)
            self.observer.lenient.add(pin)
        elif how == "fine" and pin in self.pins.stuck:
            self.pins.stuck.discard(pin)
            self.pass_time(12.0)
            self.observer.fixed(pin, self.true_now())
        elif how == "falls" and pin not in self.pins.stuck and self.pins.levels.get(pin):
            before, self.pins.levels[pin] = self.pins.levels[pin], 0
            self.pins.change(pin, before)
            self.pass_time(12.0)

    def revive(self, dead: float = 0.0) -> None:
        self.home.die()
        self.home.now += dead
        self.born()

    def born(self) -> None:
        # Nobody can switch anything off while the process is dead; from its start on it must.
        self.observer.started = self.true_now()
        self.pins.kill_in = None
        overdue = self.observer.lenient.copy()
        self.observer.lenient |= set(PINS_OF_ALL)
        self.home.born()
        self.observer.lenient = overdue
        self.observer.check(self.true_now())
        self.home.heartbeat()

    # --- what must hold -----------------------------------------------------------------------------------------

    def shown(self, device: str) -> State:
        link = self.home.link
        if link.up and isinstance(link, LastLink):
            return messages.decode(State, link.last[topics.state("hall", device)])
        return self.home.agent._room.devices[device].state

    @invariant()
    def states_and_pins_agree(self) -> None:
        if self.house is None:
            return
        for device in OUTPUTS:
            state, levels = self.shown(device), [self.pins.levels.get(pin, 0) for pin in PINS[device]]
            match device:
                case "front-door":
                    right = state.value == ("unlocked" if levels[0] else "locked")
                    assert right or (state.value == "jammed" and state.fault == "mismatch")
                case "dimmer":
                    assert state.value == levels[0]
                case "gate":
                    assert state.value is None
                case "blind":
                    assert isinstance(state.value, CoverValue)
                    moving = {"opening": [1, 0], "closing": [0, 1], None: [0, 0]}[state.value.moving]
                    assert moving == levels or state.fault == "mismatch"
                case _:
                    assert state.value == ("on" if levels[0] else "off")

    @invariant()
    def nothing_is_on_for_longer_than_it_may(self) -> None:
        self.observer.check(self.true_now())

    @invariant()
    def each_command_has_one_outcome_in_the_spool(self) -> None:
        """What was seen is receipted, so that the spool stays short however long the story is."""
        lines = []
        for said in self.home.events():
            lines.append(ReceiptLine(id=said.id, row=1, hash="h"))
            free = said.outcome == "asked" or said.detail.get("reason") in FREE
            if said.command_id is None or free or said.id in self.seen:
                continue
            self.seen.add(said.id)
            key = (said.who.issuer, said.command_id)
            assert key not in self.outcomes, f"a second outcome of {key}"
            self.outcomes.add(key)
        if lines:
            self.home.ledger.spool.receipted(Receipt(events=tuple(lines)))

    def teardown(self) -> None:
        self.home.die()
        shutil.rmtree(self.folder)
        logging.disable(logging.NOTSET)


PINS_OF_ALL = tuple(rule.pin for rule in RULES)


def told(volume: int) -> type[unittest.TestCase]:
    """One of the volumes: stories of its own, about as many as in each other."""

    class Volume(Story):
        pass

    if MORE is None:
        # What turns red is what was changed. New stories are told by hand, by the thousand, after a change to the room.
        seed(volume)(Volume)
    test_case = Volume.TestCase
    test_case.settings = settings(
        max_examples=STORIES // VOLUMES + 1,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return test_case
