"""Who would be cut off: pure, and never one too few."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.authority import behind
from shared.trust.signing import Following, Holder, Phase

UNTIL = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)


def following(*holders: Holder) -> Following:
    return Following(phase=Phase.SIGNING, ends=UNTIL, since=UNTIL, holders=holders)


def room(name: str, *serials: str) -> Holder:
    return Holder(name=name, role="room", until=UNTIL, serials=serials)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, "has not been heard of"),
        ({"hall": None}, "does not say what it shows: its agent is older, or it tries a new certificate"),
        ({"hall": "AB"}, "still shows a certificate of the former authority"),
    ],
)
def test_of_a_room_that_is_behind_is_said_what_is_known(told: dict[str, str | None], why: str) -> None:
    (one,) = behind.of(following(room("hall", "CD")), told, here=())
    assert one == ("hall", "room", UNTIL, why)
    assert one.step == "see that its Pi is on; or: homesystem room renew hall"


def test_a_room_has_followed_that_shows_what_the_next_one_signed() -> None:
    holders = following(room("hall", "AB", "CD"), room("attic", "EF"), room("porch"))
    assert [one.name for one in behind.of(holders, {"hall": "CD", "attic": "AB", "porch": "AB"}, here=())] == [
        "attic",
        "porch",
    ]


def test_one_whose_certificate_lies_on_the_hub_goes_with_the_hub() -> None:
    assert behind.of(following(room("hall")), {}, here={"hall"}) == []


def test_a_client_is_behind_for_as_long_as_it_has_a_certificate_of_the_former() -> None:
    phone = Holder(name="phone", role="client", until=UNTIL, serials=("AB",))
    (one,) = behind.of(following(phone), {"phone": "AB"}, here=())
    assert one.step == "homesystem client renew phone"


names, serials = st.sampled_from(["hall", "attic", "porch"]), st.sampled_from(["A", "B", "C"])
holders = st.builds(
    Holder, name=names, role=st.just("room"), until=st.just(UNTIL), serials=st.lists(serials, max_size=2).map(tuple)
)


@given(
    st.lists(holders, max_size=3, unique_by=lambda one: one.name),
    st.dictionaries(names, st.none() | serials, max_size=3),
    st.sets(names),
)
def test_whoever_is_not_behind_shows_nothing_of_the_former(
    held: list[Holder], told: dict[str, str | None], here: set[str]
) -> None:
    left = {one.name for one in behind.of(following(*held), told, here)}
    for one in held:
        over = one.name in here or told.get(one.name) in one.serials
        assert (one.name in left) is not over
