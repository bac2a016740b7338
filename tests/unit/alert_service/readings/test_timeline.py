"""One device's rows: in order, bounded, and honest about what nobody heard."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from alert_service.readings.quantities import GAP, Said
from alert_service.readings.timeline import LIVE_MS, MOST_WAITING, Row, Timeline

NOW = 1_700_000_000_000
ON, OFF = Said(1.0), Said(0.0)


def heard(line: Timeline, said: Said, since: int, now: int, *, live: bool = True) -> None:
    line.hear(said, since, now=now, live=live, floor=0)


def test_a_state_that_is_repeated_is_noted_once() -> None:
    line = Timeline()
    for later in range(3):
        heard(line, ON, NOW, NOW + later)
    assert line.take() == [Row(NOW, ON)]


def test_a_retained_state_begins_when_its_room_says_but_not_before_the_floor() -> None:
    line = Timeline()
    line.hear(ON, NOW - 9_999_999, now=NOW, live=False, floor=NOW - 500)
    assert line.take() == [Row(NOW - 500, ON)]


def test_a_room_with_another_clock_counts_by_ours() -> None:
    for since in (NOW - 2 * LIVE_MS, NOW + 2 * LIVE_MS, 0, NOW + 10**12):
        line = Timeline()
        heard(line, ON, since, NOW)
        assert line.take() == [Row(NOW, ON)]


def test_what_held_all_the_time_while_we_were_away_goes_on() -> None:
    line = Timeline(Row(NOW, ON), known_until=NOW + 1000)
    heard(line, ON, NOW, NOW + 60_000, live=False)
    line.settle()
    assert line.take() == []


def test_what_changed_while_we_were_away_leaves_a_gap_up_to_then() -> None:
    line = Timeline(Row(NOW, ON), known_until=NOW + 1000)
    heard(line, OFF, NOW + 30_000, NOW + 60_000, live=False)
    assert line.take() == [Row(NOW + 1000, GAP), Row(NOW + 30_000, OFF)]


def test_off_and_on_again_while_we_were_away_is_not_on_all_the_time() -> None:
    line = Timeline(Row(NOW, ON), known_until=NOW + 1000)
    heard(line, ON, NOW + 30_000, NOW + 60_000, live=False)
    assert line.take() == [Row(NOW + 1000, GAP), Row(NOW + 30_000, ON)]


def test_who_is_not_heard_after_our_absence_left_when_it_began() -> None:
    line = Timeline(Row(NOW, ON), known_until=NOW + 1000)
    line.settle()
    line.settle()
    assert line.take() == [Row(NOW + 1000, GAP)]


def test_a_flood_is_thinned_and_its_last_word_stands() -> None:
    line = Timeline()
    for number in range(100_000):
        heard(line, Said(float(number)), NOW + number, NOW + number)
    rows = line.take()
    assert len(rows) == MOST_WAITING
    assert rows[-1].said == Said(99_999.0)
    heard(line, Said(99_999.0), NOW + 99_999, NOW + 100_000)
    assert line.take() == []


def test_a_flood_of_gaps_is_bounded_as_well() -> None:
    line = Timeline()
    for number in range(10_000):
        heard(line, ON if number % 2 else GAP, NOW + number, NOW + number)
    assert len(line.take()) <= 2 * MOST_WAITING


def test_what_cannot_be_written_waits_within_bounds() -> None:
    line = Timeline()
    for minute in range(50):
        for number in range(MOST_WAITING):
            at = NOW + minute * 60_000 + number
            heard(line, Said(float(at)), at, at)
        line.put_back(line.take())
    assert len(line.waiting) <= 2 * MOST_WAITING + 1


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("hear"), st.sampled_from([ON, OFF, GAP, Said(None, "sensor")]), st.integers(-(10**13), 10**13)
        ),
        st.tuples(st.just("leave"), st.integers(-(10**6), 10**6)),
        st.tuples(st.just("doubt"), st.integers(-(10**6), 10**6)),
        st.tuples(st.just("settle")),
        st.tuples(st.just("clock"), st.integers(-(10**12), 10**12)),
    ),
    max_size=30,
)


@given(steps)
def test_rows_go_upwards_whatever_the_clocks_do(steps: list[tuple[object, ...]]) -> None:
    line, now, rows = Timeline(), NOW, list[Row]()
    for step in steps:
        match step:
            case ("hear", Said() as said, int(off)):
                line.hear(said, now + off, now=now, live=off % 2 == 0, floor=0)
            case ("leave", int(off)):
                line.leave(now + off)
            case ("doubt", int(off)):
                line.doubt(now + off)
            case ("settle",):
                line.settle()
            case ("clock", int(off)):
                now += off
        if len(line.waiting) > 5:
            rows += line.take()
    rows += line.take()
    assert all(earlier.at < later.at for earlier, later in pairwise(rows))
    assert all(earlier.said != later.said for earlier, later in pairwise(rows) if later.said == GAP)
