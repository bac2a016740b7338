"""When the calendar counts as having jumped."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.broker_watch.calendar import JUMP_SECONDS, Calendar

LOOKS = st.lists(
    st.tuples(st.floats(0, 60), st.floats(-1e8, 1e8).filter(lambda step: abs(abs(step) - JUMP_SECONDS) > 1)),
    max_size=30,
)


@given(LOOKS)
def test_each_jump_is_told_once_and_slow_drift_never(looks: list[tuple[float, float]]) -> None:
    """`looks`: seconds that passed before each look, and by how much the clock was set meanwhile."""
    passed, day = 1000.0, 1.8e9
    calendar = Calendar(now=lambda: day, monotonic=lambda: passed)
    for seconds, step in looks:
        passed += seconds
        day += seconds + step
        assert calendar.jumped() == (abs(step) >= JUMP_SECONDS)
        assert not calendar.jumped()
