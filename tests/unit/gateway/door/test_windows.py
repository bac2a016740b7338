"""Windows open with their first count, end by the clock, and leave nothing behind."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.door.windows import Windows


def test_a_window_counts_from_its_first_until_it_ends() -> None:
    windows = Windows()
    assert [windows.count("k", 10.0, now) for now in (5.0, 6.0, 14.9)] == [1, 2, 3]
    assert windows.counted("k", 14.9) == 3
    assert windows.ends_in("k", 14.0) == 1.0
    assert windows.counted("k", 15.0) == 0
    assert windows.count("k", 10.0, 15.0) == 1
    assert windows.counted("other", 15.0) == 0
    assert windows.ends_in("other", 15.0) == 0.0


def test_those_that_are_over_are_forgotten_however_many_come() -> None:
    windows = Windows()
    for number in range(50_000):
        windows.count(number, 10.0, float(number))
    assert len(windows) < 2_000
    assert windows.counted(49_999, 49_999.0) == 1


def test_none_that_is_open_is_forgotten() -> None:
    windows = Windows()
    for number in range(5_000):
        windows.count(number, 10.0, 0.0)
    assert all(windows.counted(number, 9.0) == 1 for number in range(5_000))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 30.0)), max_size=60))
def test_never_more_than_a_window_holds(steps: list[tuple[str, float]]) -> None:
    windows, now, opened, count = Windows(), 0.0, dict.fromkeys("abc", -100.0), dict.fromkeys("abc", 0)
    for key, later in steps:
        now += later
        if now >= opened[key] + 20.0:
            opened[key], count[key] = now, 0
        count[key] += 1
        assert windows.count(key, 20.0, now) == count[key]
