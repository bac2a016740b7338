"""The inbox is fair: whatever one source brings, another has its turn, and nothing is lost without a word."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alert_service.intake.inbox import HELD_MOST, HELD_PER_SOURCE, Fate, Inbox, Taken
from shared.broker.mqtt import IN_FLIGHT

SOURCES = st.sampled_from(["hall", "garage", "gateway", "auth"])


def items(taken: list[Taken[int]]) -> list[int]:
    return [one.item for one in taken]


def test_the_brokers_window_never_closes() -> None:
    assert HELD_PER_SOURCE < HELD_MOST < IN_FLIGHT
    inbox: Inbox[int] = Inbox()
    for n in range(5000):
        inbox.put(f"room-{n % 7}", n, 100)
    assert sum(one.held for one in inbox.take(5000)) == HELD_MOST


def test_a_flood_holds_its_share_and_waits_confirmed() -> None:
    inbox: Inbox[int] = Inbox(per_source=3)
    assert [inbox.put("hall", n, 1) for n in range(5)] == [Fate.HELD] * 3 + [Fate.CONFIRM] * 2
    assert inbox.put("garage", 9, 1) is Fate.HELD
    assert items(inbox.take(4)) == [0, 9, 1, 2]
    assert items(inbox.take(4)) == [3, 4]


def test_what_is_being_recorded_counts_until_it_is_settled() -> None:
    inbox: Inbox[int] = Inbox(per_source=1)
    inbox.put("hall", 1, 1)
    batch = inbox.take(9)
    assert inbox.put("hall", 2, 1) is Fate.CONFIRM
    inbox.settled(batch)
    assert inbox.put("hall", 3, 1) is Fate.HELD


def test_a_batch_of_an_earlier_link_frees_nothing_on_this_one() -> None:
    inbox: Inbox[int] = Inbox(per_source=1)
    inbox.put("hall", 1, 1)
    batch = inbox.take(9)
    inbox.forget()
    assert inbox.put("hall", 1, 1) is Fate.HELD
    inbox.settled(batch)
    assert inbox.put("hall", 2, 1) is Fate.CONFIRM


def test_a_queue_is_bounded_in_number_and_size_and_others_have_their_own() -> None:
    inbox: Inbox[int] = Inbox(events=2, size=100)
    assert Fate.DROPPED not in {inbox.put("hall", 1, 1), inbox.put("hall", 2, 1)}
    assert inbox.put("hall", 3, 1) is Fate.DROPPED
    assert inbox.put("garage", 4, 60) is Fate.HELD
    assert inbox.put("garage", 5, 60) is Fate.DROPPED
    inbox.keep("garage", 6)
    assert items(inbox.take(9)) == [1, 4, 2, 6]
    assert inbox.put("garage", 7, 60) is Fate.HELD
    assert len(inbox) == 1


def test_a_lost_link_drops_what_comes_again_and_keeps_what_does_not() -> None:
    inbox: Inbox[int] = Inbox(per_source=2)
    for n in range(4):
        inbox.put("hall", n, 1)
    inbox.keep("alerts", 9)
    inbox.forget()
    assert sorted(items(inbox.take(9))) == [2, 3, 9]


@given(st.lists(SOURCES, max_size=200), st.integers(1, 7), st.integers(1, 300))
def test_nobody_waits_longer_than_its_turn(sources: list[str], most: int, flood: int) -> None:
    """The n-th waiting event of a source is taken with the first n turns of all sources, however long a flood is."""
    inbox: Inbox[int] = Inbox()
    for n in range(flood):
        inbox.put("kitchen", -n, 1)
    for n, source in enumerate(sources):
        inbox.put(source, n, 1)
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


class Machine(RuleBasedStateMachine):
    """A broker that hands over again what a lost link left unconfirmed, and a recorder that may be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: Inbox[int] = Inbox(per_source=3, held=5, events=6, size=40)
        self.ids = itertools.count()
        self.open: dict[int, str] = {}  # with the broker: handed over, not confirmed
        self.confirmed: set[int] = set()
        self.dropped: set[int] = set()
        self.recorded: list[tuple[str, int]] = []
        self.sent: dict[int, str] = {}
        self.batch: list[Taken[int]] = []
        self.link = 0

    def _hand_over(self, source: str, n: int, size: int) -> None:
        fate = self.inbox.put(source, n, size)
        if fate is Fate.HELD:
            self.open[n] = source
            return
        assert n not in self.confirmed
        self.confirmed.add(n)
        self.open.pop(n, None)
        if fate is Fate.DROPPED:
            self.dropped.add(n)

    @rule(source=SOURCES, size=st.integers(1, 12))
    def arrives(self, source: str, size: int) -> None:
        n = next(self.ids)
        self.sent[n] = source
        self._hand_over(source, n, size)

    @precondition(lambda self: not self.batch)
    @rule(most=st.integers(1, 8))
    def takes(self, most: int) -> None:
        self.batch = self.inbox.take(most)

    @precondition(lambda self: self.batch)
    @rule()
    def settles(self) -> None:
        for one in self.batch:
            self.recorded.append((one.source, one.item))
            if one.held and one.link == self.link:
                assert one.item not in self.confirmed
                self.confirmed.add(one.item)
                del self.open[one.item]
        self.inbox.settled(self.batch)
        self.batch = []

    @rule()
    def link_is_lost(self) -> None:
        self.inbox.forget()
        self.link += 1
        again, self.open = self.open, {}
        for n, source in sorted(again.items()):
            self._hand_over(source, n, 1)

    @invariant()
    def never_more_is_open_than_may_be(self) -> None:
        assert len(self.open) <= 5
        assert all(list(self.open.values()).count(source) <= 3 for source in self.open.values())

    def teardown(self) -> None:
        if self.batch:
            self.settles()
        while batch := self.inbox.take(3):
            self.batch = batch
            self.settles()
        assert self.open == {}
        assert set(self.sent) - {n for _, n in self.recorded} <= self.dropped


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
        inbox.put(source, n, 1)
        put.setdefault(source, []).append(n)
        if takes:
            take(3)
    while take(5):
        pass
    assert got == put
