"""The inbox is fair: whatever one source brings, another has its turn, and nothing is lost without a word."""

import itertools
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alert_service.intake.inbox import HELD_MOST, HELD_PER_SOURCE, Brought, Fate, Inbox, Taken
from shared.broker.mqtt import IN_FLIGHT

SOURCES = st.sampled_from(["hall", "garage", "gateway", "auth"])


def items(taken: list[Taken[int]]) -> list[int]:
    return [one.item for one in taken]


def test_the_brokers_window_never_closes() -> None:
    assert HELD_PER_SOURCE < HELD_MOST < IN_FLIGHT
    inbox: Inbox[int] = Inbox()
    for n in range(5000):
        inbox.put(f"room-{n % 7}", [Brought(n, 100)])
    assert sum(one.held is not None for one in inbox.take(5000)) == HELD_MOST


def test_a_flood_holds_its_share_and_waits_confirmed() -> None:
    inbox: Inbox[int] = Inbox(per_source=3)
    assert [inbox.put("hall", [Brought(n, 1)]) for n in range(5)] == [Fate.HELD] * 3 + [Fate.CONFIRM] * 2
    assert inbox.put("garage", [Brought(9, 1)]) is Fate.HELD
    assert items(inbox.take(4)) == [0, 9, 1, 2]
    assert items(inbox.take(4)) == [3, 4]


def test_what_is_being_recorded_counts_until_it_is_settled() -> None:
    inbox: Inbox[int] = Inbox(per_source=1)
    inbox.put("hall", [Brought(1, 1)])
    batch = inbox.take(9)
    assert inbox.put("hall", [Brought(2, 1)]) is Fate.CONFIRM
    inbox.settled(batch)
    assert inbox.put("hall", [Brought(3, 1)]) is Fate.HELD


def test_a_batch_of_an_earlier_link_frees_nothing_on_this_one() -> None:
    inbox: Inbox[int] = Inbox(per_source=1)
    inbox.put("hall", [Brought(1, 1)])
    batch = inbox.take(9)
    inbox.forget()
    assert inbox.put("hall", [Brought(1, 1)]) is Fate.HELD
    inbox.settled(batch)
    assert inbox.put("hall", [Brought(2, 1)]) is Fate.CONFIRM


def test_a_queue_is_bounded_in_number_and_size_and_others_have_their_own() -> None:
    inbox: Inbox[int] = Inbox(events=2, size=100)
    assert Fate.DROPPED not in {inbox.put("hall", [Brought(1, 1)]), inbox.put("hall", [Brought(2, 1)])}
    assert inbox.put("hall", [Brought(3, 1)]) is Fate.DROPPED
    assert inbox.put("garage", [Brought(4, 60)]) is Fate.HELD
    assert inbox.put("garage", [Brought(5, 60)]) is Fate.DROPPED
    inbox.keep("garage", 6)
    assert items(inbox.take(9)) == [1, 4, 2, 6]
    assert inbox.put("garage", [Brought(7, 60)]) is Fate.HELD
    assert len(inbox) == 1


def test_a_lost_link_drops_what_comes_again_and_keeps_what_does_not() -> None:
    inbox: Inbox[int] = Inbox(per_source=2)
    for n in range(4):
        inbox.put("hall", [Brought(n, 1)])
    inbox.keep("alerts", 9)
    inbox.forget()
    assert sorted(items(inbox.take(9))) == [2, 3, 9]


@given(st.lists(SOURCES, max_size=200), st.integers(1, 7), st.integers(1, 300))
def test_nobody_waits_longer_than_its_turn(sources: list[str], most: int, flood: int) -> None:
    """The n-th waiting event of a source is taken with the first n turns of all sources, however long a flood is."""
    inbox: Inbox[int] = Inbox()
    for n in range(flood):
        inbox.put("kitchen", [Brought(-n, 1)])
    for n, source in enumerate(sources):
        inbox.put(source, [Brought(n, 1)])
    taken: list[Taken[int]] = []
    while batch := inbox.take(most):
        assert len(batch) == min(most, len(batch) + len(inbox))
        taken += batch
    place = {one.item: at for at, one in enumerate(taken) if one.source != "kitchen"}
    nth: dict[str, int] = {}
    count = len({*sources, "kitchen"})
    for n, source in enumerate(sources):
        nth[source] = nth.get(source, 0) + 1
        assert place[n] < nth[source] * count


def test_a_message_of_several_is_held_as_one_and_confirmed_with_its_last() -> None:
    inbox: Inbox[str] = Inbox(per_source=1)
    assert inbox.put("hall", [Brought("a", 1), Brought("door", 1, urgent=True), Brought("b", 1)]) is Fate.HELD
    assert inbox.settled(inbox.take(1)) == [], "the door went ahead, and two are not recorded yet"
    assert inbox.put("hall", [Brought("c", 1)]) is Fate.CONFIRM
    assert inbox.settled(inbox.take(1)) == []
    assert inbox.settled(inbox.take(1)) == ["b"]
    assert inbox.put("hall", [Brought("d", 1), Brought("e", 1)]) is Fate.HELD


def test_a_message_of_several_fits_as_a_whole_or_not_at_all() -> None:
    inbox: Inbox[int] = Inbox(events=5, size=100)
    assert inbox.put("hall", [Brought(n, 10) for n in range(4)]) is Fate.HELD
    assert inbox.put("hall", [Brought(n, 10) for n in range(4, 6)]) is Fate.DROPPED
    assert inbox.put("hall", [Brought(6, 61)]) is Fate.DROPPED
    assert inbox.put("hall", [Brought(7, 60)]) is Fate.HELD
    assert items(inbox.take(9)) == [0, 1, 2, 3, 7]


def test_a_message_that_was_recorded_in_part_comes_again_as_a_whole() -> None:
    inbox: Inbox[str] = Inbox(per_source=1)
    message = [Brought("door", 1, urgent=True), Brought("a", 1)]
    inbox.put("hall", message)
    door = inbox.take(1)
    inbox.forget()
    assert inbox.settled(door) == []
    assert len(inbox) == 0
    assert inbox.put("hall", message) is Fate.HELD
    assert inbox.settled(inbox.take(9)) == ["a"]


class Part(NamedTuple):
    """The `at`th of what a message brought."""

    message: int
    at: int


class Machine(RuleBasedStateMachine):
    """A broker that hands over again what a lost link left unconfirmed, and a recorder that may be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: Inbox[Part] = Inbox(per_source=3, held=5, events=6, size=40)
        self.ids = itertools.count()
        self.open: dict[int, str] = {}  # with the broker: handed over, not confirmed
        self.confirmed: set[int] = set()
        self.dropped: set[int] = set()
        self.recorded: set[Part] = set()
        self.sent: dict[int, tuple[str, list[Brought[Part]]]] = {}
        self.batch: list[Taken[Part]] = []

    def _hand_over(self, n: int) -> None:
        source, brought = self.sent[n]
        fate = self.inbox.put(source, brought)
        if fate is Fate.HELD:
            self.open[n] = source
            return
        assert n not in self.confirmed
        self.confirmed.add(n)
        self.open.pop(n, None)
        if fate is Fate.DROPPED:
            self.dropped.add(n)

    @rule(source=SOURCES, brought=st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=4))
    def arrives(self, source: str, brought: list[tuple[int, bool]]) -> None:
        n = next(self.ids)
        self.sent[n] = source, [Brought(Part(n, at), size, urgent) for at, (size, urgent) in enumerate(brought)]
        self._hand_over(n)

    @precondition(lambda self: not self.batch)
    @rule(most=st.integers(1, 8))
    def takes(self, most: int) -> None:
        self.batch = self.inbox.take(most)

    @precondition(lambda self: self.batch)
    @rule()
    def settles(self) -> None:
        self.recorded |= {one.item for one in self.batch}
        for last in self.inbox.settled(self.batch):
            assert self.parts(last.message) <= self.recorded, "confirmed before all of it was recorded"
            assert last.message not in self.confirmed
            self.confirmed.add(last.message)
            del self.open[last.message]
        self.batch = []

    @rule()
    def link_is_lost(self) -> None:
        self.inbox.forget()
        again, self.open = self.open, {}
        for n in sorted(again):
            self._hand_over(n)

    @invariant()
    def never_more_is_open_than_may_be(self) -> None:
        assert len(self.open) <= 5
        assert all(list(self.open.values()).count(source) <= 3 for source in self.open.values())

    def parts(self, n: int) -> set[Part]:
        return {one.item for one in self.sent[n][1]}

    def teardown(self) -> None:
        if self.batch:
            self.settles()
        while batch := self.inbox.take(3):
            self.batch = batch
            self.settles()
        assert self.open == {}
        assert {n for n in self.sent if not self.parts(n) <= self.recorded} <= self.dropped


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestInbox = Machine.TestCase


@given(st.lists(st.tuples(SOURCES, st.booleans()), max_size=80))
def test_each_source_keeps_its_order(steps: list[tuple[str, bool]]) -> None:
    inbox: Inbox[int] = Inbox(per_source=2)
    got: dict[str, list[int]] = {}
    put: dict[str, list[int]] = {}

    def take(most: int) -> int:
        batch = inbox.take(most)
        for one in batch:
            got.setdefault(one.source, []).append(one.item)
        inbox.settled(batch)
        return len(batch)

    for n, (source, takes) in enumerate(steps):
        inbox.put(source, [Brought(n, 1)])
        put.setdefault(source, []).append(n)
        if takes:
            take(3)
    while take(5):
        pass
    assert got == put
