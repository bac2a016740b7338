"""A clock that somebody set: how late it is at the most."""

from hypothesis import given
from hypothesis import strategies as st

from shared.running.believed import STEADY_SECONDS, Believed

START = 1_790_000_000.0
DAY = 86_400.0


class Clocks:
    """A clock that is set, and one that never is."""

    def __init__(self) -> None:
        self.wall, self.steady = START, 50.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def believed(self, known: float = START) -> Believed:
        return Believed(known, now=lambda: self.wall, steady=lambda: self.steady)


def test_a_clock_that_nobody_sets_is_believed_from_the_start_as_far_as_it_goes_on() -> None:
    clocks = Clocks()
    believed = clocks.believed()
    clocks.passes(600)
    assert believed.looked_at() == START + 600


def test_a_month_ahead_is_believed_after_a_day_and_not_before() -> None:
    clocks = Clocks()
    believed = clocks.believed()
    clocks.passes(2 * DAY)
    clocks.wall += 40 * DAY
    assert believed.looked_at() == START + 2 * DAY
    clocks.passes(STEADY_SECONDS - 1)
    assert believed.looked_at() == START + 3 * DAY - 1
    clocks.passes(1)
    assert believed.looked_at() == START + 43 * DAY


def test_a_clock_that_was_ahead_when_we_began_is_held_against_what_was_known() -> None:
    clocks = Clocks()
    believed = clocks.believed(known=START - 40 * DAY)
    clocks.passes(600)
    assert believed.looked_at() == START - 40 * DAY + 600
    clocks.passes(STEADY_SECONDS)
    assert believed.looked_at() == clocks.wall


def test_where_nothing_was_known_nothing_is_old_for_a_day() -> None:
    clocks = Clocks()
    believed = clocks.believed(known=0)
    assert believed.looked_at() == 0
    clocks.passes(STEADY_SECONDS)
    assert believed.looked_at() == clocks.wall


def test_less_than_a_second_is_no_setting_and_more_is_told_once() -> None:
    clocks = Clocks()
    believed = clocks.believed()
    clocks.passes(STEADY_SECONDS)
    clocks.wall -= 0.5
    assert believed.look() == 0
    assert believed.is_steady
    clocks.wall -= 3600
    assert believed.look() == -3600.5
    assert believed.look() == 0
    assert not believed.is_steady


@given(
    st.lists(st.tuples(st.floats(1, 3 * DAY), st.sampled_from([0.0, 0.0, 40 * DAY, -40 * DAY, 7200.0])), max_size=12)
)
def test_it_is_never_later_than_the_clock_says_and_only_a_day_makes_it_later_than_what_passed(
    turns: list[tuple[float, float]],
) -> None:
    clocks = Clocks()
    believed = clocks.believed()
    since = 0.0
    for seconds, step in turns:
        clocks.passes(seconds)
        since += seconds
        clocks.wall += step
        since = 0.0 if step else since
        found = believed.looked_at()
        assert found <= clocks.wall
        if since < STEADY_SECONDS:
            assert found <= START + clocks.steady - 50
