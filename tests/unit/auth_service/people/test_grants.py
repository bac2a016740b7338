"""What may stand in a guest's grants, and which field is named where it may not."""

from datetime import UTC, datetime

import pytest

from auth_service.people.grants import MOST, checked_grants
from shared.words.internal import Grant
from shared.words.names import Action
from shared.words.problem import HomeError

LAMP = Grant(room="hall", device="lamp")
EVE = datetime(2026, 12, 24, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("grant", "field"),
    [
        (Grant(room="Hall", device="lamp"), "room"),
        (Grant(room="hall", device="*"), "device"),
        (Grant(room="hall", device="lamp", weekdays=()), "weekdays"),
        (Grant(room="hall", device="lamp", weekdays=(7,)), "weekdays"),
        (Grant(room="hall", device="lamp", weekdays=(-1,)), "weekdays"),
        (Grant(room="hall", device="lamp", from_minute=1440), "from_minute"),
        (Grant(room="hall", device="lamp", from_minute=-1), "from_minute"),
        (Grant(room="hall", device="lamp", to_minute=1441), "to_minute"),
        (Grant(room="hall", device="lamp", to_minute=-1), "to_minute"),
        (Grant(room="hall", device="lamp", from_minute=600, to_minute=600), "to_minute"),
        (Grant(room="hall", device="lamp", to_minute=0), "to_minute"),
        (Grant(room="hall", device="lamp", since=EVE.replace(tzinfo=None)), "since"),
        (Grant(room="hall", device="lamp", until=EVE.replace(tzinfo=None)), "until"),
        (Grant(room="hall", device="lamp", since=EVE, until=EVE), "until"),
    ],
)
def test_what_cannot_be_meant_is_named(grant: Grant, field: str) -> None:
    with pytest.raises(HomeError, match="invalid-value") as raised:
        checked_grants([LAMP, grant])
    assert raised.value.facts == {"field": f"grants[1].{field}"}


def test_grants_are_kept_in_one_way_of_writing_and_each_once() -> None:
    odd = Grant(room="hall", device="lamp", weekdays=(4, 0, 4), from_minute=1320, to_minute=0, actions=(Action.ON,) * 2)
    even = Grant(room="hall", device="lamp", weekdays=(0, 4), from_minute=1320, actions=(Action.ON,))
    assert checked_grants([odd, LAMP, even]) == (even, LAMP)


def test_a_guest_has_so_many_at_the_most() -> None:
    many = [Grant(room="hall", device=f"lamp-{number}") for number in range(MOST + 1)]
    assert len(checked_grants(many[:-1])) == MOST
    with pytest.raises(HomeError, match="invalid-value") as raised:
        checked_grants(many)
    assert raised.value.facts == {"field": "grants"}
