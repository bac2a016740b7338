"""Who has followed a hub to its new name: whoever says so, and nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.names import rename, renaming

FORMER = ("old.local", "older.local")


def test_rooms_are_behind_until_they_say_another_name() -> None:
    told = {"hall": "old.local", "kitchen": "new.local", "garage": None, "attic": "OLDER.local", "shed": "127.0.0.1"}
    assert renaming.behind([*told, "cellar"], told, FORMER) == {
        "hall": "reaches the hub as old.local",
        "garage": "does not say by which name: its agent is older",
        "attic": "reaches the hub as older.local",
        "cellar": "has not been heard of",
    }


@pytest.mark.parametrize(
    ("passkeys", "people", "said"),
    [(1, 1, "- 1 passkey of 1 person worked under"), (5, 2, "- 5 passkeys of 2 people worked under")],
)
def test_a_rename_says_how_many_passkeys_end(passkeys: int, people: int, said: str) -> None:
    told = rename.ending(passkeys, people, "new.local")
    assert told is not None
    assert told.startswith(said)
    assert "new.local" in told


def test_a_rename_that_ends_no_passkey_says_nothing_of_them() -> None:
    assert rename.ending(0, 0, "new.local") is None


rooms = st.sampled_from(["hall", "kitchen", "garage", "attic"])
names = st.sampled_from([None, "old.local", "new.local", "older.local", "192.168.1.5"])


@given(st.sets(rooms), st.dictionaries(rooms, names))
def test_nobody_is_left_out_who_may_need_a_former_name(enrolled: set[str], told: dict[str, str | None]) -> None:
    left = renaming.behind(enrolled, told, FORMER)
    assert set(left) <= enrolled
    for room in enrolled - set(left):
        assert told[room] not in (None, *FORMER)
