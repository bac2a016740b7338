"""What is missing is asked for until it came, or until its source has shown that it is gone; whoever lies about it."""

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alert_service.chain.spans import write_spans
from alert_service.intake import gaps
from alert_service.intake.gaps import Ask, Gaps, Missing
from shared.proof.resend import WINDOW
from shared.proof.spool_rows import NUMBERS

BASE = 1_800_000_000 * NUMBERS


class Bench:
    """A tracker, and the spools of the sources; whatever is asked for arrives unless `loses` says otherwise."""

    def __init__(self) -> None:
        self.gaps = Gaps()
        self.now = 0.0
        self.spools: dict[str, set[int]] = {}
        self.absent: set[str] = set()
        self.asks: list[Ask] = []
        self.missing: list[Missing] = []
        self.loses: Callable[[], bool] = lambda: False

    def hear(self, *numbers: int, source: str = "hall") -> None:
        for seq in numbers:
            self.gaps.heard(source, seq, self.now)

    def run(self, seconds: float, *, step: float = 1.0) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += step
            for ask in self.gaps.due(self.now):
                self.asks.append(ask)
                assert len(ask.seq) <= WINDOW
                if ask.source in self.absent:
                    self.gaps.unheard(ask, self.now)
                    continue
                for seq in self._answer(ask):
                    if not self.loses():
                        self.hear(seq, source=ask.source)
            self.missing += self.gaps.missing(self.now)

    def _answer(self, ask: Ask) -> list[int]:
        kept = self.spools.get(ask.source, set())
        found = [seq for seq in ask.seq if seq in kept]
        if ask.after is not None:
            found += sorted(seq for seq in kept if seq > ask.after)[: WINDOW - len(found)]
        return found

    def spans(self, source: str = "hall") -> list[tuple[int, int]]:
        return [span for one in self.missing if one.source == source for span in one.spans]

    def known(self, numbers: Iterable[int], source: str = "hall") -> bool:
        known = self.gaps._sources[source].known
        return all(n in known for n in numbers)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_source_that_misses_nothing_is_asked_nothing(bench: Bench) -> None:
    bench.hear(*range(1, 100))
    bench.run(600)
    assert bench.asks == []


def test_what_was_only_overtaken_is_not_asked_for(bench: Bench) -> None:
    bench.hear(1, 2, 4)
    bench.run(3)
    bench.hear(3)
    bench.run(600)
    assert bench.asks == []


def test_a_gap_is_asked_for_and_filled(bench: Bench) -> None:
    bench.spools["hall"] = set(range(1, 9))
    bench.hear(1, 2, 6, 8)
    bench.run(600)
    assert [(ask.seq, ask.after) for ask in bench.asks] == [((3, 4, 5, 7), None)]
    assert (bench.missing, bench.known(range(1, 9))) == ([], True)


def test_what_nobody_has_any_more_is_asked_for_some_times_and_told_once(bench: Bench) -> None:
    bench.hear(1, 2, 6)
    bench.run(3600)
    assert len(bench.asks) == gaps.TRIES
    assert bench.asks[-1].seq == (3, 4, 5)
    assert bench.spans() == [(3, 5)]
    assert bench.missing[0].events == 3


def test_a_source_that_is_away_is_not_blamed_and_asked_seldom(bench: Bench) -> None:
    bench.hear(1, 6)
    bench.absent.add("hall")
    bench.run(86400)
    assert bench.missing == []
    assert 86400 / 600 <= len(bench.asks) <= 86400 / 600 + 15
    bench.absent.clear()
    bench.spools["hall"] = set(range(1, 10))
    bench.hear(7)
    bench.run(5)
    assert bench.known(range(1, 8))


def test_a_rolled_back_database_is_filled_again_without_any_new_event(bench: Bench) -> None:
    bench.spools["hall"] = set(range(BASE + 1, BASE + 5001))
    bench.gaps.know("hall", 0, BASE + 1200)
    bench.gaps.link_up(bench.now)
    bench.run(90)
    assert bench.known(range(BASE + 1, BASE + 5001))
    asked = len(bench.asks)
    assert asked < 3800 / WINDOW + 2 * gaps.TAIL_TRIES + 1
    bench.run(3600)
    assert (len(bench.asks), bench.missing) == (asked, [])


def test_an_empty_database_gets_what_a_source_still_keeps_and_blames_it_for_nothing(bench: Bench) -> None:
    bench.spools["hall"] = set(range(BASE + 3001, BASE + 4001))
    bench.hear(BASE + 4000)
    bench.run(3600)
    assert bench.known(range(BASE + 3001, BASE + 4001))
    assert bench.missing == []


def test_a_source_that_is_only_met_is_asked_for_all_it_keeps(bench: Bench) -> None:
    bench.spools["hall"] = set(range(BASE + 1, BASE + 501))
    bench.gaps.meet("hall", bench.now)
    bench.gaps.meet("garage", bench.now)
    bench.run(3600)
    assert bench.known(range(BASE + 1, BASE + 501))
    assert (bench.missing, len([ask for ask in bench.asks if ask.source == "garage"])) == ([], gaps.TAIL_TRIES)
    asked = len(bench.asks)
    bench.gaps.meet("hall", bench.now)
    bench.run(3600)
    assert len(bench.asks) == asked


def test_a_busy_source_is_not_asked_for_ever_what_comes_after(bench: Bench) -> None:
    bench.gaps.know("hall", 0, BASE)
    bench.gaps.link_up(bench.now)
    for n in range(1, 600):
        bench.hear(BASE + n)
        bench.run(1)
    assert len(bench.asks) <= gaps.TAIL_TRIES


def test_a_new_spool_is_told_as_such_and_asked_for_ever_no_more(bench: Bench) -> None:
    bench.gaps.know("hall", 0, BASE + 500)
    new = BASE + 900 * NUMBERS
    bench.spools["hall"] = {new + n for n in range(1, 400)}
    bench.hear(new + 399)
    bench.run(3600)
    assert bench.known(range(new + 1, new + 400))
    assert bench.spans() == [(BASE + 501, new)]
    assert bench.missing[0].events == 0
    asked = len(bench.asks)
    bench.run(86400)
    assert len(bench.asks) == asked


def test_a_clock_that_was_behind_begins_below_and_raises_nothing(bench: Bench) -> None:
    bench.gaps.know("hall", 0, BASE + 500)
    bench.hear(*range(1, 50))
    bench.run(3600)
    assert (bench.asks, bench.missing) == ([], [])


def test_numbers_of_dropped_events_are_explained(bench: Bench) -> None:
    bench.hear(1, 5000, 5001)
    bench.gaps.know("hall", 2, 4999)
    bench.run(3600)
    assert (bench.asks, bench.missing) == ([], [])


def test_a_jump_to_the_end_of_all_numbers_costs_a_few_requests(bench: Bench) -> None:
    bench.gaps.know("hall", 0, 100)
    bench.hear(2**53 - 1)
    bench.run(86400)
    assert len(bench.asks) == gaps.TRIES
    assert len(bench.missing) == 1


def test_holes_without_end_cost_bounded_memory_requests_and_words(bench: Bench) -> None:
    told = 0
    for n in range(1, 40_000, 2):
        bench.hear(n)
        if n % 40 == 1:
            bench.run(1)
            assert len(bench.gaps._sources["hall"].known) <= gaps.SPANS_MOST
            assert len(bench.gaps._sources["hall"].lost) <= gaps.SPANS_MOST
    assert len(bench.asks) <= 1000, "one a second"
    told = len(bench.missing)
    assert told <= 1 + 1000 / gaps.TELL_SECONDS
    assert all(len(write_spans(one.spans)) <= 200 for one in bench.missing)


def test_a_busy_source_is_not_asked_for_more_because_it_tells_more(bench: Bench) -> None:
    bench.gaps.meet("hall", 0.0)
    for second in range(60):
        for number in range(1, 51):
            bench.gaps.heard("hall", 50 * second + number, bench.now, fresh=True)
        bench.run(1)
    assert len(bench.asks) == gaps.TAIL_TRIES


def test_what_comes_fresh_shows_what_an_older_copy_lacks(bench: Bench) -> None:
    """Nothing is left out for it: the events before it are a gap."""
    bench.spools["hall"] = set(range(1, 1001))
    bench.hear(1, 2)
    bench.gaps.heard("hall", 1001, bench.now, fresh=True)
    bench.run(120)
    assert bench.known(range(1, 1001))


def test_one_sources_holes_are_not_anothers_trouble(bench: Bench) -> None:
    bench.spools["garage"] = set(range(1, 10))
    for n in range(1, 6000, 2):
        bench.hear(n)
    bench.hear(1, 9, source="garage")
    bench.run(gaps.GRACE_SECONDS + 2)
    assert bench.known(range(1, 10), source="garage")


def test_what_is_recorded_is_not_missing() -> None:
    assert gaps.without((5, 9), [6, 7, 40, 2]) == [(5, 5), (8, 9)]
    assert gaps.without((5, 5), [5]) == []


@settings(max_examples=60, deadline=None)
@given(
    kept=st.sets(st.integers(1, 700), min_size=1),
    first=st.sets(st.integers(1, 700)),
    upset=st.lists(st.sampled_from(["link", "away", "back", "wait", "live"]), max_size=12),
    seed=st.integers(0, 2**32),
    loss=st.floats(0.0, 0.6),
)
def test_in_the_end_all_that_is_kept_is_here_and_all_else_was_told_once(
    kept: set[int], first: set[int], upset: list[str], seed: int, loss: float
) -> None:
    """Requests and answers are lost, links break, sources go: what a source keeps comes, what it does not is told."""
    bench, chance, live = Bench(), random.Random(seed), 700
    bench.spools["hall"] = set(kept)
    bench.loses = lambda: chance.random() < loss
    bench.gaps.know("hall", 0, 0)
    bench.gaps.know("hall", 1, 1)
    bench.hear(*(first & kept))
    for step in upset:
        if step == "link":
            bench.gaps.link_up(bench.now)
        elif step == "away":
            bench.absent.add("hall")
        elif step == "back":
            bench.absent.clear()
        elif step == "live":
            live += 1
            bench.spools["hall"].add(live)
            bench.hear(live)
        bench.run(chance.uniform(1, 20))
    bench.loses = lambda: False
    bench.absent.clear()
    bench.gaps.link_up(bench.now)
    bench.run(1800)
    bench.run(48 * 3600, step=60)
    present = bench.spools["hall"]
    assert bench.known(present)
    highest = max(present)
    gone = set(range(2, highest)) - present
    told = [n for span in bench.spans() for n in range(span[0], span[1] + 1)]
    assert len(told) == len(set(told)), "nothing is told twice"
    assert set(told) - gone <= present, "no number out of nowhere"
    assert gone <= set(told)
    if loss == 0.0:
        assert set(told) == gone
    asked = len(bench.asks)
    bench.run(3600)
    assert len(bench.asks) == asked, "and then there is peace"
