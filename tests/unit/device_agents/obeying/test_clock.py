"""Lateness as learned from heartbeats: nothing late is ever judged fresh, whatever the clocks do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.obeying.clock import Clocks, judge

HUB = 1_700_000_000.0
"""What the hub's clock shows when our monotonic one is at 0."""


def heartbeat(clocks: Clocks, at: float, *, delay: float = 0.0, shift: float = 0.0, session: str = "a") -> bool:
    """A heartbeat sent at `at` (our monotonic time), heard `delay` later; the hub's clock is off by `shift`."""
    return clocks.heard("gateway", session, HUB + at + shift, at + delay)


def lateness(clocks: Clocks, sent: float, now: float, *, shift: float = 0.0) -> float | None:
    return clocks.lateness("gateway", HUB + sent + shift, now, wall=0.0)


def test_a_gateway_that_was_never_heard_is_not_known() -> None:
    assert lateness(Clocks(), 1.0, 1.0) is None


def test_lateness_is_the_time_since_it_was_sent_whatever_the_clocks_show() -> None:
    clocks = Clocks()
    heartbeat(clocks, 100.0)
    assert lateness(clocks, 103.0, 109.0) == pytest.approx(6.0)


def test_others_are_judged_by_the_wall_clock() -> None:
    assert Clocks().lateness("phone", 1000.0, 5.0, wall=1007.0) == 7.0


def test_what_others_issue_must_be_fresh_by_our_clock_and_by_the_hubs() -> None:
    clocks = Clocks()
    heartbeat(clocks, 100.0)
    for shift, late in [(0.0, 12.0), (-60.0, 12.0), (60.0, 72.0)]:
        found = clocks.lateness("phone", HUB + 90.0, 102.0, wall=HUB + 102.0 + shift)
        assert found == pytest.approx(late)


def test_it_is_known_how_far_our_clock_is_from_the_hubs() -> None:
    clocks = Clocks()
    assert clocks.ahead_of_hub(5.0, 99.0) == 0.0
    heartbeat(clocks, 100.0)
    assert clocks.ahead_of_hub(110.0, HUB + 130.0) == pytest.approx(20.0)


def test_a_clock_that_is_set_is_noticed_once() -> None:
    clocks = Clocks()
    for now, wall in [(1.0, 5.0), (11.0, 15.01), (21.0, 7225.0), (31.0, 7235.0)]:
        clocks.watch(now, wall)
    assert clocks.set_by() == pytest.approx(7200.0, abs=0.1)
    assert clocks.set_by() == 0.0


def test_before_any_gateway_was_heard_a_clock_set_back_makes_nothing_young() -> None:
    clocks = Clocks()
    clocks.watch(1.0, HUB + 1.0)
    clocks.watch(2.0, HUB - 3600.0)
    assert clocks.lateness("phone", HUB - 10.0, 3.0, wall=HUB - 3599.0) == pytest.approx(13.0)


@given(
    st.booleans(),
    st.lists(st.tuples(st.floats(0.01, 20.0), st.floats(-5000.0, 5000.0)), max_size=20),
    st.floats(0, 500),
)
def test_no_jump_of_our_wall_clock_makes_a_command_young(
    heard: bool, jumps: list[tuple[float, float]], late: float
) -> None:
    """Our clock was right at the start, or the hub is heard; whatever our clock does then, late is late."""
    clocks = Clocks()
    now, shift = 100.0, 0.0
    clocks.watch(now, HUB + now)
    if heard:
        heartbeat(clocks, now)
    for pause, jump in jumps:
        now, shift = now + pause, shift + jump
        clocks.watch(now, HUB + now + shift)
        found = clocks.lateness("phone", HUB + now - late, now, wall=HUB + now + shift)
        assert found is not None
        assert found >= late - 0.01


def test_a_heartbeat_that_was_held_back_forgives_nothing() -> None:
    clocks = Clocks()
    heartbeat(clocks, 100.0)
    heartbeat(clocks, 105.0, delay=8.0)
    assert lateness(clocks, 105.0, 113.0) == pytest.approx(8.0, abs=0.01)


def test_a_new_session_whose_first_heartbeat_was_held_back_forgives_nothing() -> None:
    clocks = Clocks()
    heartbeat(clocks, 100.0)
    assert heartbeat(clocks, 110.0, delay=8.0, session="b")
    assert lateness(clocks, 110.0, 118.0) == pytest.approx(8.0, abs=0.01)


def test_a_new_session_with_a_clock_set_back_counts_after_a_while() -> None:
    clocks = Clocks()
    heartbeat(clocks, 100.0)
    for second in range(110, 150, 5):
        heartbeat(clocks, second, shift=-20.0, session="b")
    assert lateness(clocks, 150.0, 150.0, shift=-20.0) == pytest.approx(0.0, abs=0.01)


def test_a_clock_set_back_far_beyond_any_delay_counts_at_once() -> None:
    clocks = Clocks()
    heartbeat(clocks, 100.0)
    heartbeat(clocks, 105.0, shift=-3600.0)
    assert lateness(clocks, 106.0, 106.0, shift=-3600.0) == pytest.approx(0.0, abs=0.01)
    heartbeat(clocks, 110.0, shift=-9000.0, session="b")
    assert lateness(clocks, 111.0, 111.0, shift=-9000.0) == pytest.approx(0.0, abs=0.01)


def test_a_clock_set_forward_makes_nothing_fresh() -> None:
    clocks = Clocks()
    heartbeat(clocks, 100.0)
    heartbeat(clocks, 105.0, shift=3600.0)
    assert lateness(clocks, 106.0, 112.5, shift=3600.0) == pytest.approx(6.5, abs=0.01)


def test_only_a_session_not_heard_before_is_new() -> None:
    clocks = Clocks()
    assert clocks.last_heard() is None
    assert heartbeat(clocks, 1.0)
    assert not heartbeat(clocks, 6.0)
    assert heartbeat(clocks, 11.0, session="b")
    assert clocks.last_heard() == 11.0


@given(
    st.lists(st.tuples(st.floats(0.1, 5.0), st.floats(0.0, 20.0)), min_size=1, max_size=40),
    st.floats(0.0, 20.0),
    st.floats(-1e6, 1e6),
)
def test_after_one_prompt_heartbeat_no_delay_is_ever_forgiven(
    heartbeats: list[tuple[float, float]], delay: float, shift: float
) -> None:
    """The link may hold back anything for up to the keepalive: what is late is seen to be as late as it is."""
    clocks = Clocks()
    heartbeat(clocks, 0.0, shift=shift)
    at = heard = 0.0
    for pause, held in heartbeats:
        at += pause
        heard = max(heard, at + held)  # a stream keeps its order
        clocks.heard("gateway", "a", HUB + at + shift, heard)
    now = heard + delay
    judged = clocks.lateness("gateway", HUB + heard + shift, now, wall=0.0)
    assert judged is not None
    assert judged >= delay - 200e-6 * now - 1e-6


@pytest.mark.parametrize(
    ("issued", "stamped", "safe", "late", "slug"),
    [
        (None, False, False, None, "unstamped"),
        (None, False, True, None, None),
        (None, True, False, None, None),
        (1.0, True, False, None, "expired"),
        (1.0, True, True, None, None),
        (1.0, True, False, 5.1, "expired"),
        (1.0, True, True, 5.1, "expired"),
        (1.0, True, False, 4.9, None),
        (1.0, True, False, -4.9, None),
        (1.0, True, False, -5.1, "unstamped"),
        (1.0, True, True, -5.1, None),
        (1.0, False, False, 0.0, "unstamped"),
        (1.0, False, True, 9.0, "expired"),
    ],
)
def test_a_stamp_is_judged(
    issued: float | None, stamped: bool, safe: bool, late: float | None, slug: str | None
) -> None:
    assert judge(issued=issued, stamped=stamped, safe=safe, lateness=late) == slug
