"""A window lets in one key, once, in its time, in whatever order machines come and however the clock is set."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auth_service.home.window import AGAIN, LIFETIME, Refusal, Window, refusal

OPENED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FRESH = Window(name="attic", opened_at=OPENED, expires_at=OPENED + LIFETIME)
SECONDS = st.integers(-7200, 7200)
COMING = st.lists(st.tuples(st.sampled_from(("one", "two", "three")), SECONDS), max_size=12)


def after(seconds: float) -> datetime:
    return OPENED + timedelta(seconds=seconds)


def test_its_time_begins_with_it_and_ends_before_its_end() -> None:
    at = {seconds: refusal(FRESH, "room", "attic", "one", after(seconds)) for seconds in (-0.001, 0, 599.999, 600)}
    assert list(at.values()) == [Refusal.OVER, None, None, Refusal.OVER]


def test_it_is_for_one_room_and_for_none_that_it_does_not_know() -> None:
    assert refusal(FRESH, "room", "cellar", "one", OPENED) is Refusal.UNKNOWN
    assert refusal(FRESH, "client", "attic", "one", OPENED) is Refusal.UNKNOWN, "nor for a client of that name"
    assert refusal(None, "room", "attic", "one", OPENED) is Refusal.UNKNOWN


def test_the_key_that_came_in_may_ask_again_and_no_other_may() -> None:
    joined = replace(FRESH, key="one", joined_at=after(590))
    last = after(590) + AGAIN
    assert refusal(joined, "room", "attic", "one", last - timedelta(seconds=1)) is None
    assert refusal(joined, "room", "attic", "one", last) is Refusal.OVER
    assert refusal(joined, "room", "attic", "two", after(591)) is Refusal.USED
    assert refusal(joined, "room", "attic", "two", last) is Refusal.USED


@given(COMING)
def test_however_they_come_one_key_gets_in_and_in_time_alone(coming: list[tuple[str, int]]) -> None:
    window, let_in = FRESH, []
    for key, seconds in coming:
        if refusal(window, "room", "attic", key, after(seconds)) is None:
            let_in.append((key, seconds))
            if window.key is None:
                window = replace(window, key=key, joined_at=after(seconds))
    assert len({key for key, _ in let_in}) <= 1
    if let_in:
        first = let_in[0][1]
        assert 0 <= first < LIFETIME.total_seconds()
        assert all(first <= seconds < first + AGAIN.total_seconds() for _, seconds in let_in)
