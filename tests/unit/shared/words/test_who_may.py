"""Who may have a device do something, by account and grants, whoever of them is there."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.words.internal import Grant, User, UserRow
from shared.words.names import Action, Role
from shared.words.who_may import count, may_act

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOON = NOW.astimezone(timezone(timedelta(hours=1)))  # 13:00 on the wall, a Monday
DOOR = Grant(room="hall", device="door")


def person(role: Role, *grants: Grant, disabled: bool = False) -> UserRow:
    user = User(id=f"u-{role}", name=role, email=f"{role}@example.org", role=role)
    return UserRow(user=user, grants=grants, created_at=NOW, signed_in_at=None, disabled=disabled)


@pytest.mark.parametrize(
    ("one", "there", "ever"),
    [
        (person(Role.MASTER), True, True),
        (person(Role.MEMBER), True, True),
        (person(Role.MEMBER, disabled=True), False, False),
        (person(Role.GUEST), False, False),
        (person(Role.GUEST, DOOR), True, True),
        (person(Role.GUEST, DOOR, disabled=True), False, False),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, actions=(Action.UNLOCK,))), True, True),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, actions=(Action.LOCK,))), False, False),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, device="lamp")), False, False),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, from_minute=13 * 60, to_minute=14 * 60)), True, True),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, from_minute=12 * 60, to_minute=13 * 60)), False, True),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, weekdays=(1,))), False, True),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, until=NOW)), False, False),
        (person(Role.GUEST, msgspec.structs.replace(DOOR, since=NOW + timedelta(seconds=1))), False, False),
    ],
)
def test_somebody_may_now_and_at_some_hour(one: UserRow, there: bool, ever: bool) -> None:
    assert may_act(one, "hall", "door", Action.UNLOCK, now=NOW, local=NOON) is there
    assert may_act(one, "hall", "door", Action.UNLOCK, now=NOW) is ever


@given(st.lists(st.sampled_from(Role), max_size=6), st.booleans())
def test_each_person_is_counted_once_however_many_actions_are_theirs(roles: list[Role], granted: bool) -> None:
    people = [person(role, *((DOOR, DOOR) if granted and role is Role.GUEST else ())) for role in roles]
    wanted = sum(role is not Role.GUEST or granted for role in roles)
    assert count(people, "hall", "door", (Action.UNLOCK, Action.OPEN), NOW) == wanted
    assert count(people, "hall", "door", (), NOW) == 0
