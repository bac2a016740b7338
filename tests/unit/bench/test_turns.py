"""A run is over when the record has everything, and not when the processes are at rest."""

import ssl
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import load, turns, volley

LOOK = turns._LOOK_SECONDS


class Clock:
    """Time that passes only where somebody sleeps, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Resting:
    """A home whose processes do nothing, and whose spool says how many events wait, look by look, and then none."""

    name = "resting"
    port = 0
    idle: Mapping[str, float] = {"gateway": 0.0}

    def __init__(self, waiting: Sequence[int]) -> None:
        self.trust = ssl.create_default_context()
        self._waiting = iter(waiting)
        self.looks = 0

    def cpu(self) -> dict[str, float]:
        return {"gateway": 1.0}

    def unreceipted(self) -> int:
        self.looks += 1
        return next(self._waiting, 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    passes = Clock()
    monkeypatch.setattr(turns, "time", passes)
    return passes


def test_what_waits_in_a_spool_is_waited_for(clock: Clock) -> None:
    home = Resting([0, 0, 400, 200])
    over = turns.quiet(home)
    assert over.cpu == {"gateway": 1.0}
    assert over.since == pytest.approx(5 * LOOK)
    assert home.looks == 9


@given(waiting=st.lists(st.integers(0, 1), max_size=20))
def test_all_is_recorded_since_the_first_look_of_those_that_found_nothing(waiting: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "time", Clock())
        home = Resting(waiting)
        since = turns.quiet(home).since
    looks = [*waiting, *[0] * turns._QUIET_LOOKS][: home.looks]
    first = round(since / LOOK)
    assert not any(looks[first - 1 :])
    assert first == 1 or looks[first - 2]


def test_a_record_that_takes_nothing_ends_the_bench(clock: Clock) -> None:
    home = Resting([1] * round(turns._QUIET_SECONDS / LOOK + 1))
    with pytest.raises(AssertionError, match="resting is still at work"):
        turns.quiet(home)


def test_a_command_that_is_answered_counts_as_recorded_once_the_record_has_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fire(*_: object) -> volley.Volley:
        clock.sleep(2.0)
        return volley.Volley(load.Figures(8, [0.001] * 900, 2.0), 0.1)

    monkeypatch.setattr(volley, "fire", fire)
    run = turns.run(Resting([7] * 69), [], 8, 2.0)
    assert run.volley.figures.rate == 450.0
    assert run.recorded_rate == pytest.approx(900 / (2.0 + 70 * LOOK))
