"""Who may see and do what."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.picture import guards
from gateway.picture.views import DeviceView, RoomView
from shared.words.internal import Grant, User
from shared.words.internal_alerts import AuditFilter
from shared.words.messages import AuditEvent, UserRef, Who, utc
from shared.words.names import Action, ConfirmBy, Kind, Outcome, Role, Severity
from shared.words.scopes import Allowed, TokenUse

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN)


class Someone(msgspec.Struct, frozen=True):
    user: User
    grants: tuple[Grant, ...] = ()
    token: TokenUse | None = None


def someone(role: Role, *grants: Grant) -> Someone:
    return Someone(User(id=f"id-{role}", name="N", email="n@example.org", role=role), grants)


def view(room: str, device: str) -> DeviceView:
    return DeviceView(
        room=room,
        id=device,
        name=device,
        kind=Kind.SWITCH,
        critical=False,
        confirm=False,
        confirm_by=ConfirmBy.NONE,
        actions=(Action.ON, Action.OFF),
        safe_actions=(Action.OFF,),
        available=True,
        status="online",
        icon="power",
        state=None,
    )


ROOMS = (
    RoomView(id="hall", name="Hall", status="online", devices=(view("hall", "lamp"), view("hall", "front-door"))),
    RoomView(id="garage", name="Garage", status="online", devices=(view("garage", "door"),)),
)
LAMP = Grant(room="hall", device="lamp")


def test_master_and_member_use_every_room() -> None:
    for role in (Role.MASTER, Role.MEMBER):
        assert guards.may_act(someone(role), "garage", "door", "on", MONDAY_NOON)
        assert guards.visible(someone(role), ROOMS, MONDAY_NOON) == ROOMS


def test_a_guest_sees_what_is_granted_and_nothing_else() -> None:
    guest = someone(Role.GUEST, LAMP)
    rooms = guards.visible(guest, ROOMS, MONDAY_NOON)
    assert [(r.id, [d.id for d in r.devices]) for r in rooms] == [("hall", ["lamp"])]
    assert not guards.may_act(guest, "hall", "front-door", "on", MONDAY_NOON)
    assert not guards.may_see_room(guest, "garage", MONDAY_NOON)


def test_a_guest_without_grants_sees_nothing() -> None:
    assert guards.visible(someone(Role.GUEST), ROOMS, MONDAY_NOON) == ()


def test_only_the_master_user_looks_after_users() -> None:
    assert [role for role in Role if guards.may_manage_users(someone(role))] == [Role.MASTER]


def test_a_guest_does_with_a_device_what_was_granted_of_it_and_sees_no_other_button() -> None:
    guest = someone(Role.GUEST, Grant(room="hall", device="lamp", actions=(Action.ON,)))
    assert guards.may_act(guest, "hall", "lamp", "on", MONDAY_NOON)
    assert not guards.may_act(guest, "hall", "lamp", "off", MONDAY_NOON)
    lamp = guards.as_used(guest, view("hall", "lamp"), MONDAY_NOON)
    assert lamp is not None
    assert (lamp.actions, lamp.safe_actions) == ((Action.ON,), ())
    both = someone(Role.GUEST, *guest.grants, Grant(room="hall", device="lamp", actions=(Action.OFF,)))
    assert guards.as_used(both, view("hall", "lamp"), MONDAY_NOON) == view("hall", "lamp")


def test_a_guest_may_be_let_look_alone() -> None:
    guest = someone(Role.GUEST, Grant(room="hall", device="lamp", actions=()))
    lamp = guards.as_used(guest, view("hall", "lamp"), MONDAY_NOON)
    assert lamp is not None
    assert lamp.actions == ()
    assert not any(guards.may_act(guest, "hall", "lamp", action, MONDAY_NOON) for action in Action)


def test_a_grant_that_does_not_hold_shows_nothing() -> None:
    evening = Grant(room="hall", device="lamp", from_minute=20 * 60)
    assert guards.as_used(someone(Role.GUEST, evening), view("hall", "lamp"), MONDAY_NOON) is None


def test_the_history_has_a_scope_for_each_role() -> None:
    assert guards.scope(someone(Role.MASTER), MONDAY_NOON) == guards.Scope(user=None)
    assert guards.scope(someone(Role.MEMBER), MONDAY_NOON) == guards.Scope(user="id-member", rooms=True)
    expired = Grant(room="hall", device="front-door", until=MONDAY_NOON)
    assert guards.scope(someone(Role.GUEST, LAMP, expired), MONDAY_NOON) == guards.Scope(
        user="id-guest", places=("hall/lamp",), discreet=True
    )


def test_a_guest_may_not_find_out_who_it_was_by_asking_for_somebody() -> None:
    everything, member = guards.Scope(user=None), guards.Scope(user="u", rooms=True)
    guest = guards.Scope(user="u", places=("hall/lamp",), discreet=True)
    for user in (None, "u", "somebody"):
        wanted = AuditFilter(user=user)
        assert guards.may_look_for(everything, wanted)
        assert guards.may_look_for(member, wanted)
        assert guards.may_look_for(guest, wanted) == (user != "somebody")


def test_who_is_told_of_the_record_as_a_whole() -> None:
    assert [role for role in Role if guards.may_check_the_record(someone(role))] == [Role.MASTER]
    assert [role for role in Role if guards.may_hear_of_records(someone(role))] == [Role.MASTER, Role.MEMBER]


@given(
    st.lists(st.sampled_from([LAMP, Grant(room="garage", device="door", weekdays=(2,))])),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(BERLIN)),  # noqa: DTZ001 - strategy adds it
)
def test_what_a_guest_may_do_is_what_they_see(grants: list[Grant], now: datetime) -> None:
    guest = someone(Role.GUEST, *grants)
    shown = {(d.room, d.id) for room in guards.visible(guest, ROOMS, now) for d in room.devices}
    for room in ROOMS:
        assert guards.may_see_room(guest, room.id, now) == any(r == room.id for r, _ in shown)
        for device in room.devices:
            acts = [guards.may_act(guest, room.id, device.id, action, now) for action in device.actions]
            assert acts == [(room.id, device.id) in shown] * len(device.actions)


def test_a_discreet_scope_shows_of_others_what_they_did_and_not_who() -> None:
    def event(user: str) -> AuditEvent:
        who = Who(issuer="gateway", user=UserRef(id=user, name=user), address="192.0.2.7")
        return AuditEvent(
            id="e1",
            at=utc(0),
            what="device:on",
            where="hall/lamp",
            who=who,
            outcome=Outcome.EXECUTED,
            severity=Severity.INFO,
            detail={"value": "on"},
        )

    guest = guards.Scope(user="u-guest", places=("hall/lamp",), discreet=True)
    assert guards.as_shown(guest, event("u-guest")) == event("u-guest")
    shown = guards.as_shown(guest, event("u-other"))
    assert (shown.what, shown.where, shown.outcome) == ("device:on", "hall/lamp", Outcome.EXECUTED)
    assert shown.who == Who(issuer="gateway")
    assert shown.detail == {}
    claimed = msgspec.structs.replace(event("u-other"), detail={"value": "on", "claimed_by": "kitchen"})
    assert guards.as_shown(guest, claimed).detail == {"claimed_by": "kitchen"}
    assert guards.as_shown(guards.Scope(user="u-member", places=()), event("u-other")) == event("u-other")


def test_masters_and_members_lock_down_and_masters_alone_end_it() -> None:
    assert [guards.may_lock_down(someone(role)) for role in Role] == [True, True, False]
    assert [guards.may_end_lockdown(someone(role)) for role in Role] == [True, False, False]


def by_token(owner: Someone, *scope: Allowed) -> Someone:
    return msgspec.structs.replace(owner, token=TokenUse(name="Panel", scope=scope))


LOOK = Allowed(room="hall", device="lamp")
SWITCH = Allowed(room="hall", device="lamp", actions=(Action.ON,))


def test_a_token_may_what_its_scope_names_and_nothing_else() -> None:
    panel = by_token(someone(Role.MASTER), SWITCH)
    assert guards.may_see(panel, "hall", "lamp", MONDAY_NOON)
    assert guards.may_see_room(panel, "hall", MONDAY_NOON)
    assert guards.may_act(panel, "hall", "lamp", "on", MONDAY_NOON)
    assert not guards.may_act(panel, "hall", "lamp", "off", MONDAY_NOON)
    assert not guards.may_see(panel, "hall", "front-door", MONDAY_NOON)
    assert not guards.may_act(panel, "hall", "front-door", "on", MONDAY_NOON)
    assert not guards.may_see(panel, "garage", "lamp", MONDAY_NOON)
    assert not guards.may_see_room(panel, "garage", MONDAY_NOON)
    assert not guards.may_act(by_token(someone(Role.MASTER), LOOK), "hall", "lamp", "on", MONDAY_NOON)


def test_a_token_never_may_more_than_its_owner() -> None:
    evenings = Grant(room="hall", device="lamp", actions=(Action.OFF,), from_minute=18 * 60)
    panel = by_token(someone(Role.GUEST, evenings), SWITCH)
    assert not guards.may_see(panel, "hall", "lamp", MONDAY_NOON)
    assert not guards.may_see_room(panel, "hall", MONDAY_NOON)
    assert guards.may_see(panel, "hall", "lamp", MONDAY_NOON.replace(hour=19))
    assert not guards.may_act(panel, "hall", "lamp", "on", MONDAY_NOON.replace(hour=19))
    assert not guards.may_act(panel, "hall", "lamp", "off", MONDAY_NOON.replace(hour=19))
    assert not guards.may_see(by_token(someone(Role.GUEST), SWITCH), "hall", "lamp", MONDAY_NOON)


@pytest.mark.parametrize("role", list(Role))
def test_no_token_looks_after_a_home(role: Role) -> None:
    panel = by_token(someone(role), SWITCH)
    asked = (
        *(guards.sees_all, guards.may_manage_users, guards.may_lock_out, guards.may_lock_down),
        *(guards.may_end_lockdown, guards.may_check_the_record, guards.may_hear_of_records),
    )
    assert [may.__name__ for may in asked if may(panel)] == []
    assert guards.scope(panel, MONDAY_NOON).rooms is False
    assert guards.scope(panel, MONDAY_NOON).user is not None
