"""Who may come in: so many by address and in all, the silent give way, and everybody has a deadline."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from shared.door.doors import (
    BODY_SECONDS,
    FEW,
    HEAD_SECONDS,
    IDLE_SECONDS,
    PATIENCE_SECONDS,
    PROXY_IDLE_SECONDS,
    TAKE_SECONDS,
    Bounds,
    Doors,
    Stay,
    counted_as,
)

STRANGER, NEIGHBOUR, PROXY = "192.0.2.1", "192.0.2.2", "192.0.2.9"


def nothing() -> None:
    """Nobody looks at how it is ended."""


def doors(by_address: int = 8, in_all: int = 16) -> Doors:
    return Doors(Bounds(by_address=by_address, in_all=in_all), trusted={PROXY})


def busy(made: Doors, address: str, now: float = 0.0) -> Stay:
    stay = made.admit(address, now, nothing)
    assert stay is not None
    stay.has_asked()
    return stay


def test_one_address_takes_its_own_places_and_nobody_elses() -> None:
    made = doors()
    assert all(made.admit(STRANGER, 0.0, nothing) for _ in range(8))
    assert made.admit(STRANGER, 0.5, nothing) is None
    assert made.admit(NEIGHBOUR, 0.5, nothing) is not None
    assert made.refused == 1


def test_a_household_of_ipv6_is_one_address() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:1") == "2001:db8::/64"
    assert counted_as("::ffff:192.0.2.1") == "::ffff:192.0.2.1"
    assert counted_as("fe80::1%eth0") == "fe80::/64"
    assert counted_as("no address") == "no address"


def test_the_one_that_waits_longest_gives_way_and_nobody_who_asked() -> None:
    made, ended = doors(), list[int]()
    for number in range(7):
        assert made.admit(STRANGER, float(number), partial(ended.append, number)) is not None
    first = busy(made, STRANGER, 7.0)
    assert made.admit(STRANGER, 7.0, nothing) is not None
    assert ended == [0]
    assert first in list(made)
    assert len(made) == 8


def test_who_came_in_this_very_second_need_not_give_way() -> None:
    made = doors()
    for _ in range(8):
        made.admit(STRANGER, 0.0, nothing)
    assert made.admit(STRANGER, PATIENCE_SECONDS * 0.9, nothing) is None
    assert made.admit(STRANGER, PATIENCE_SECONDS, nothing) is not None


def test_where_all_are_busy_nobody_gives_way() -> None:
    made = doors()
    for number in range(16):
        busy(made, f"192.0.2.{number + 20}")
    assert made.admit(NEIGHBOUR, 100.0, nothing) is None


def test_from_many_addresses_the_silent_give_way_in_all() -> None:
    made, ended = doors(), list[int]()
    for number in range(16):
        made.admit(f"198.51.100.{number}", 0.0, partial(ended.append, number))
    assert made.admit(NEIGHBOUR, 2.0, nothing) is not None
    assert ended == [0]


def test_ten_addresses_that_hold_all_places_keep_nobody_else_out() -> None:
    made, ended = doors(by_address=8, in_all=80), list[str]()
    for number in range(80):
        address = f"198.51.100.{number % 10}"
        assert made.admit(address, 0.0, partial(ended.append, address)) is not None
    assert made.admit("198.51.100.1", 0.1, nothing) is None  # itself it has to wait for its turn
    for _ in range(FEW):
        assert made.admit(NEIGHBOUR, 0.1, partial(ended.append, NEIGHBOUR)) is not None
    assert len(set(ended)) == FEW  # of the one with most who wait, each time
    assert NEIGHBOUR not in ended
    assert made.admit(PROXY, 0.1, nothing) is not None


def test_who_has_few_stays_where_another_has_many() -> None:
    made, ended = doors(), list[str]()
    assert made.admit(NEIGHBOUR, 0.0, partial(ended.append, NEIGHBOUR)) is not None
    for number in range(7):
        busy(made, f"198.51.100.{number}")
    for _ in range(8):
        assert made.admit(STRANGER, 0.0, partial(ended.append, STRANGER)) is not None
    assert made.admit("198.51.100.99", 5.0, nothing) is not None
    assert ended == [STRANGER]


def test_a_proxy_stands_for_many_and_may_wait_long() -> None:
    made = doors()
    stays = [busy(made, PROXY) for _ in range(12)]
    stays[0].is_answered(0.0)
    assert made.overdue(IDLE_SECONDS) == []
    assert made.overdue(PROXY_IDLE_SECONDS) == [stays[0]]


def test_each_part_of_a_request_has_its_time() -> None:
    stay = doors().admit(STRANGER, 0.0, nothing)
    assert stay is not None
    assert [stay.is_overdue(now) for now in (HEAD_SECONDS - 0.1, HEAD_SECONDS)] == [False, True]
    stay.asks(10.0)
    assert [stay.is_overdue(10 + now) for now in (BODY_SECONDS - 0.1, BODY_SECONDS)] == [False, True]
    stay.has_asked()
    assert not stay.is_overdue(1e9)
    stay.is_full(20.0)
    assert [stay.is_overdue(20 + now) for now in (TAKE_SECONDS - 0.1, TAKE_SECONDS)] == [False, True]
    stay.takes_again()
    assert not stay.is_overdue(1e9)
    stay.is_answered(30.0)
    assert [stay.is_overdue(30 + now) for now in (IDLE_SECONDS - 0.1, IDLE_SECONDS)] == [False, True]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([STRANGER, NEIGHBOUR, PROXY, "198.51.100.1"]),
            st.sampled_from(["come", "leave", "ask", "answer"]),
            st.floats(0, 3),
        ),
        max_size=120,
    )
)
def test_whatever_happens_the_counts_are_those_of_who_is_there(steps: list[tuple[str, str, float]]) -> None:
    made, now, present = doors(), 0.0, dict[Stay, str]()
    for address, step, seconds in steps:
        now += seconds
        if step == "come":
            stay = made.admit(address, now, nothing)
            if stay is not None:
                present[stay] = address
        elif present:
            stay = next((one for one, whose in present.items() if whose == address), next(iter(present)))
            if step == "leave":
                made.leave(stay)
                made.leave(stay)
            elif step == "ask":
                stay.has_asked()
            else:
                stay.is_answered(now)
        present = {one: whose for one, whose in present.items() if one in set(made)}
        assert len(made) == len(present) <= 16
        for whose in (STRANGER, NEIGHBOUR, "198.51.100.1"):
            assert list(present.values()).count(whose) <= 8
    for one in list(made):
        made.leave(one)
    assert len(made) == 0
    assert made.admit(STRANGER, now, nothing) is not None


COMERS = [f"198.51.100.{number}" for number in range(4)]


@given(
    st.lists(
        st.tuples(st.sampled_from(COMERS), st.sampled_from(["come", "ask", "answer"]), st.floats(0, 0.3)),
        max_size=60,
    )
)
def test_who_has_none_is_let_in_while_another_has_more_than_a_few_that_wait(
    steps: list[tuple[str, str, float]],
) -> None:
    made, now, present = doors(), 0.0, list[tuple[str, Stay]]()
    taken = [(whose, "come", 0.0) for whose in COMERS[:2] for _ in range(8)]
    for address, step, seconds in taken + steps:
        now += seconds
        if step == "come" and (come := made.admit(address, now, nothing)) is not None:
            present.append((address, come))
        for whose, stay in [one for one in present if one[0] == address][:1]:
            if step == "ask":
                stay.has_asked()
            elif step == "answer":
                stay.is_answered(now)
            present.remove((whose, stay))
            present.append((whose, stay))
        present = [one for one in present if one[1] in set(made)]
        waiting = [whose for whose, stay in present if stay.waits_since() is not None]
        if any(waiting.count(whose) > FEW for whose in COMERS):
            newcomer = made.admit(NEIGHBOUR, now, nothing)
            assert newcomer is not None
            made.leave(newcomer)
            present = [one for one in present if one[1] in set(made)]
