"""One person's acts on one device: the first letter at once, further ones together, none late, none lost."""

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alert_service.telling import together
from alert_service.telling.together import FULL, WINDOW_SECONDS, Pair, Standing

ANNA, BEN = (Pair("gateway", who, "hall/front-door", "masters") for who in ("u1", "u2"))
CLAIMED = Pair("hall", "u1", "hall/front-door", "masters")
steps = st.lists(
    st.tuples(st.floats(0, 90), st.lists(st.sampled_from([ANNA, BEN, CLAIMED]), max_size=4)), min_size=1, max_size=25
)


class Gathering(msgspec.Struct):
    pair: Pair
    due_at: float
    letters: list[int]


class Desk:
    """Does what the outbox does: letters leave at once, or when the letter that gathers them is due."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.made: dict[int, tuple[Pair, float]] = {}
        self.left: dict[int, float] = {}
        self.departures: dict[Pair, list[float]] = {}
        self.open: dict[int, Gathering] = {}
        self.number = 0

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        for number, one in sorted(self.open.items(), key=lambda item: item[1].due_at):
            if one.due_at <= end:
                self._leave(one.pair, one.letters, one.due_at)
                del self.open[number]
        self.now = end

    def tell(self, pairs: list[Pair]) -> None:
        ready = []
        for pair in pairs:
            self.number += 1
            self.made[self.number] = (pair, self.now)
            ready.append((self.number, pair))
        plan = together.plan(ready, self._known(), self.now)
        for letter in plan.first:
            self._leave(self.made[letter][0], [letter], self.now)
        for number, letters in plan.joined.items():
            self.open[number].letters += letters
        for pair, (due_at, letters) in plan.opened.items():
            self.number += 1
            self.open[self.number] = Gathering(pair, due_at, letters)

    def _known(self) -> dict[Pair, Standing]:
        known = {pair: Standing(left_at=max(times)) for pair, times in self.departures.items()}
        for number, one in self.open.items():
            before = known.get(one.pair, Standing())
            known[one.pair] = before._replace(gathering=number, acts=len(one.letters))
        return known

    def _leave(self, pair: Pair, letters: list[int], at: float) -> None:
        self.left |= dict.fromkeys(letters, at)
        self.departures.setdefault(pair, []).append(at)


@given(steps)
def test_every_letter_leaves_once_within_a_minute_whatever_the_order_and_the_time(
    steps: list[tuple[float, list[Pair]]],
) -> None:
    desk = Desk()
    for seconds, pairs in steps:
        desk.wait(seconds)
        desk.tell(pairs)
    desk.wait(WINDOW_SECONDS)
    assert desk.open == {}
    assert desk.left.keys() == desk.made.keys()
    for letter, (_, made_at) in desk.made.items():
        assert 0 <= desk.left[letter] - made_at <= WINDOW_SECONDS + 1e-6
    for times in desk.departures.values():
        # Nobody is written to about one pair more often than once a minute.
        assert all(later - earlier >= WINDOW_SECONDS - 1e-6 for earlier, later in itertools.pairwise(times))


@given(steps)
def test_a_room_that_claims_holds_up_nothing_that_a_gateway_says(steps: list[tuple[float, list[Pair]]]) -> None:
    with_claims, without = Desk(), Desk()
    for seconds, pairs in steps:
        for desk in (with_claims, without):
            desk.wait(seconds)
            desk.tell([pair for pair in pairs if pair != CLAIMED or desk is with_claims])
    for desk in (with_claims, without):
        desk.wait(WINDOW_SECONDS)
    assert with_claims.departures.get(ANNA) == without.departures.get(ANNA)
    assert with_claims.departures.get(BEN) == without.departures.get(BEN)


def test_the_first_goes_at_once_and_the_next_three_together() -> None:
    plan = together.plan([(n, ANNA) for n in range(4)], {}, 1000.0)
    assert plan == ([0], {}, {ANNA: (1060.0, [1, 2, 3])})


def test_a_clock_that_was_set_back_holds_nothing_longer_than_a_minute() -> None:
    plan = together.plan([(1, ANNA)], {ANNA: Standing(left_at=5000.0)}, 1000.0)
    assert plan.opened == {ANNA: (1060.0, [1])}


def test_a_full_letter_is_followed_by_another() -> None:
    plan = together.plan([(1, ANNA), (2, ANNA)], {ANNA: Standing(gathering=9, acts=FULL - 1, left_at=990.0)}, 1000.0)
    assert plan == ([], {9: [1]}, {ANNA: (1050.0, [2])})
