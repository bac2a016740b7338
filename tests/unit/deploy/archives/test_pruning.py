"""What is kept of many archives: never less than was asked for, never the newest gone, never a stranger's file."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from deploy.archives import pruning
from deploy.archives.plan import Keep

MOMENTS = st.sets(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC)),
    max_size=60,
)
KEEPS = st.builds(Keep, daily=st.integers(0, 10), weekly=st.integers(0, 6), monthly=st.integers(0, 14))


def days(first: dt.datetime, count: int) -> list[dt.datetime]:
    return [first + dt.timedelta(days=number) for number in range(count)]


def test_a_year_of_nights_leaves_a_week_of_days_a_month_of_weeks_and_a_year_of_months() -> None:
    nights = days(dt.datetime(2025, 1, 1, 3, tzinfo=dt.UTC), 365)
    kept = sorted(pruning.kept(nights, Keep(daily=7, weekly=4, monthly=12)))
    assert kept[-7:] == nights[-7:]
    assert [at.date().isoformat() for at in kept[:-7]] == [
        *(f"2025-{month:02}-{last}" for month, last in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30), 1)),
        "2025-12-14",
        "2025-12-21",
    ]


@given(MOMENTS, KEEPS)
def test_the_newest_stays_and_nothing_is_made_up(moments: set[dt.datetime], keep: Keep) -> None:
    kept = pruning.kept(moments, keep)
    assert kept <= moments
    assert not moments or max(moments) in kept


@given(MOMENTS, KEEPS)
def test_each_day_week_and_month_that_was_asked_for_has_its_newest(moments: set[dt.datetime], keep: Keep) -> None:
    kept = pruning.kept(moments, keep)
    newest: dict[dt.date, dt.datetime] = {}
    for at in sorted(moments):
        newest[at.date()] = at
    assert {newest[day] for day in sorted(newest)[-keep.daily :]} <= kept or keep.daily == 0
    assert len(kept) <= 1 + keep.daily + keep.weekly + keep.monthly


@given(MOMENTS, KEEPS)
def test_pruning_what_was_pruned_takes_nothing_more(moments: set[dt.datetime], keep: Keep) -> None:
    kept = pruning.kept(moments, keep)
    assert pruning.kept(kept, keep) == kept


@given(MOMENTS, KEEPS, st.sets(st.text(max_size=50), max_size=5))
def test_what_we_did_not_make_never_goes(moments: set[dt.datetime], keep: Keep, others: set[str]) -> None:
    archives = {pruning.name(at) for at in moments}
    ours = set(sorted(archives)[::2])
    gone = set(pruning.outworn(archives | others, ours, keep))
    assert gone <= ours
    assert not ours or max(ours) not in gone


@given(MOMENTS)
def test_a_name_tells_its_moment(moments: set[dt.datetime]) -> None:
    for at in moments:
        assert pruning.moment(pruning.name(at)) == at


def test_what_looks_like_a_name_of_ours_and_is_none_is_left() -> None:
    for name in ("homesystem-2026-02-30T000000Z.tar.gz.age", "homesystem-2026-01-01T000000Z.tar.gz", "../x"):
        assert pruning.moment(name) is None
