"""Any story of commands, repeats, delays, crashes, full disks and restarts: what is promised holds throughout."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.messages import COMMAND_SECONDS
from tests.unit.device_agents.fakes import DEVICES, House

WISHES = [
    ("lamp", "on", None),
    ("lamp", "off", None),
    ("front-door", "unlock", None),
    ("front-door", "lock", None),
    ("kettle", "on", None),
    ("dimmer", "set", 40),
    ("gate", "press", None),
    ("blind", "open", None),
    ("blind", "close", None),
    ("blind", "stop", None),
]
SAFE = {"off", "lock", "stop"}
PINS = {"lamp": (17,), "front-door": (27,), "kettle": (24,), "dimmer": (18,), "gate": (12,), "blind": (5, 6)}
MAX_ON = 90.0
FREE = {"ledger-failed", "retained", "id-reused"}
"""Answers that leave an id free, or speak of another command."""


class Story(RuleBasedStateMachine):
    """The hub's heartbeats reach the room promptly; its commands may be held back for up to 20 s."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="story-"))
        kettle = {"id": "kettle", "name": "Kettle", "kind": "switch", "pin": 24, "max_on": MAX_ON}
        self.house = House(self.folder, [kettle if device["id"] == "kettle" else device for device in DEVICES])
        self.answers: dict[tuple[str, str], dict[tuple[str, str, int | None], tuple[str, str | None]]] = {}
        self.edges: dict[tuple[str, str], int] = {}
        self.kettle_since: float | None = None

    @initialize()
    def begin(self) -> None:
        self.house.heartbeat()

    @rule(
        wish=st.sampled_from(WISHES),
        number=st.integers(1, 20),
        issuer=st.sampled_from(["gateway", "phone"]),
        age=st.sampled_from([0.0, 0.0, 0.0, 3.0, 7.0, 20.0]),
        kill=st.sampled_from([None, None, None, None, "committed", "moved", "finished", "stated"]),
        retained=st.sampled_from([False] * 9 + [True]),
    )
    def command(
        self, wish: tuple[str, str, int | None], number: int, issuer: str, age: float, kill: str | None, retained: bool
    ) -> None:
        device, action, value = wish
        key = (issuer, f"c{number}")
        self.house.kill_at = kill
        before = len(self.house.pins.waveform)
        full = self.house.ledger.full
        ack = self.house.command(device, action, value=value, id=key[1], issuer=issuer, age=age, retained=retained)
        moved = [edge for edge in self.house.pins.waveform[before:] if edge[0] in PINS[device]]
        killed = kill is not None and self.house.kill_at is None
        self.house.kill_at = None
        if retained or age > COMMAND_SECONDS:
            assert moved == []
        if moved and not (full and action in SAFE):
            assert self.edges.get(key, 0) == 0
            self.edges[key] = 1
        if ack is not None:
            answer = (ack.outcome.value, ack.reason)
            self.judge(key, wish, answer, moved=bool(moved))
        if killed:
            if not full:
                interrupted = kill in {"committed", "moved"}
                truth = ("failed", "interrupted") if interrupted else ("executed", None)
                assert self.answers.setdefault(key, {}).setdefault(wish, truth) == truth
            self.house.restart()
            self.house.heartbeat()

    def judge(
        self,
        key: tuple[str, str],
        wish: tuple[str, str, int | None],
        answer: tuple[str, str | None],
        *,
        moved: bool,
    ) -> None:
        """One id, one meaning, one answer; and "executed" only where the room is as it was wished."""
        outcome, reason = answer
        if moved:
            assert outcome == "executed"
        if reason in FREE:
            return
        known = self.answers.setdefault(key, {})
        if not self.house.ledger.full:
            assert known.setdefault(wish, answer) == answer
            assert len(known) == 1 or wish in known
        if outcome == "executed" and moved:
            levels = {pin: self.house.pins.levels[pin] for pin in PINS[wish[0]]}
            wished = {"on": 1, "off": 0, "unlock": 1, "lock": 0, "press": 1, "set": 40}
            if wish[1] in wished:
                assert list(levels.values()) == [wished[wish[1]]]

    @rule(seconds=st.sampled_from([0.1, 0.6, 2.0, 11.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.house.advance(seconds)
        self.house.heartbeat()

    @rule(number=st.integers(100, 10_000))
    def kettle_wanted_again_and_again(self, number: int) -> None:
        self.house.command("kettle", "on", id=f"k{number}")
        self.house.advance(35.0)
        self.house.heartbeat()

    @rule()
    def silence(self) -> None:
        self.house.advance(130.0)

    @rule(session=st.sampled_from(["g1", "g2"]))
    def gateway_restarts(self, session: str) -> None:
        self.house.heartbeat(session)

    @rule()
    def killed(self) -> None:
        self.house.restart()
        self.house.heartbeat()

    @rule()
    def stopped_and_started(self) -> None:
        self.house.agent.stop()
        self.house.born()
        self.house.heartbeat()

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        self.house.ledger.full = full

    @rule(level=st.integers(0, 1), pause=st.sampled_from([0.01, 0.2]))
    def door_moves(self, level: int, pause: float) -> None:
        self.house.edge(22, level)
        self.house.advance(pause)

    @invariant()
    def states_and_pins_agree(self) -> None:
        levels = self.house.pins.levels
        assert self.house.state("lamp").value == ("on" if levels[17] else "off")
        assert self.house.state("front-door").value == ("unlocked" if levels[27] else "locked")
        assert self.house.state("kettle").value == ("on" if levels[24] else "off")
        assert self.house.state("dimmer").value == levels[18]
        assert levels[5] + levels[6] <= 1

    @invariant()
    def the_kettle_is_never_on_for_longer_than_it_may(self) -> None:
        if not self.house.pins.levels[24]:
            self.kettle_since = None
        elif self.kettle_since is None:
            self.kettle_since = self.house.now
        assert self.kettle_since is None or self.house.now - self.kettle_since <= MAX_ON

    @invariant()
    def each_command_has_one_outcome_in_the_spool(self) -> None:
        outcomes = [
            (event.who.issuer, event.command_id)
            for event in self.house.events()
            if event.outcome != "asked" and event.detail.get("reason") not in FREE
        ]
        assert len(outcomes) == len(set(outcomes))

    def teardown(self) -> None:
        self.house.die()
        shutil.rmtree(self.folder)


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
