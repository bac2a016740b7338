"""Who may see and do what."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.picture import guards
from gateway.picture.views import DeviceView, RoomView
from shared.words.internal import Grant, User
from shared.words.internal_alerts import AuditFilter
from shared.words.messages import AuditEvent, UserRef, Who, utc
from shared.words.names import Action, Kind, Outcome, Role, Severity

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN)


class Someone(msgspec.Struct, frozen=True):
    user: User
    grants: tuple[Grant, ...] = ()


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
        actions=(Action.ON, Action.OFF),
        safe_actions=(Action.OFF,),
        available=True,
        status="online",
        state=None,
    )


ROOMS = (
    RoomView(id="hall", name="Hall", status="online", devices=(view("hall", "lamp"), view("hall", "front-door"))),
    RoomView(id="garage", name="Garage", status="online", devices=(view("garage", "door"),)),
)
LAMP = Grant(room="hall", device="lamp")


def test_master_and_member_use_every_room() -> None:
    for role in (Role.MASTER, Role.MEMBER):
        assert guards.may_act(someone(role), "garage", "door", MONDAY_NOON)
        assert guards.visible(someone(role), ROOMS, MONDAY_NOON) == ROOMS


def test_a_guest_sees_what_is_granted_and_nothing_else() -> None:
    guest = someone(Role.GUEST, LAMP)
    rooms = guards.visible(guest, ROOMS, MONDAY_NOON)
    assert [(r.id, [d.id for d in r.devices]) for r in rooms] == [("hall", ["lamp"])]
    assert not guards.may_act(guest, "hall", "front-door", MONDAY_NOON)
    assert not guards.may_see_room(guest, "garage", MONDAY_NOON)


def test_a_guest_without_grants_sees_nothing() -> None:
    assert guards.visible(someone(Role.GUEST), ROOMS, MONDAY_NOON) == ()


def test_only_the_master_user_looks_after_users() -> None:
    assert [role for role in Role if guards.may_manage_users(someone(role))] == [Role.MASTER]


def test_a_grant_ends_at_its_moment() -> None:
    grant = Grant(room="hall", device="lamp", until=MONDAY_NOON)
    assert guards.holds(grant, MONDAY_NOON - timedelta(seconds=1))
    assert not guards.holds(grant, MONDAY_NOON)


def test_a_grant_keeps_to_its_weekdays_and_hours() -> None:
    grant = Grant(room="hall", device="lamp", weekdays=(0,), from_minute=9 * 60, to_minute=17 * 60)
    assert guards.holds(grant, MONDAY_NOON)
    assert not guards.holds(grant, MONDAY_NOON + timedelta(days=1))
    assert not guards.holds(grant, MONDAY_NOON.replace(hour=8, minute=59))
    assert not guards.holds(grant, MONDAY_NOON.replace(hour=17))


def test_a_grant_over_midnight_belongs_to_its_evening() -> None:
    grant = Grant(room="hall", device="lamp", weekdays=(0,), from_minute=22 * 60, to_minute=6 * 60)
    assert guards.holds(grant, MONDAY_NOON.replace(hour=23))
    assert guards.holds(grant, MONDAY_NOON.replace(hour=5) + timedelta(days=1))
    assert not guards.holds(grant, MONDAY_NOON.replace(hour=5))
    assert not guards.holds(grant, MONDAY_NOON.replace(hour=23) + timedelta(days=1))


def test_a_grants_hours_are_what_the_homes_clock_shows_in_both_passes_and_after_a_skip() -> None:
    def held(begin: int, end: int, first: str, minutes: int) -> list[str]:
        grant = Grant(room="hall", device="lamp", from_minute=begin, to_minute=end)
        moments = (datetime.fromisoformat(first) + timedelta(minutes=n) for n in range(minutes))
        return [f"{at:%H:%M}" for at in moments if guards.holds(grant, at.astimezone(BERLIN))]

    twice = held(2 * 60 + 30, 2 * 60 + 40, "2026-10-24T22:00+00:00", 6 * 60)
    assert twice == [f"{day}:{minute}" for day in ("00", "01") for minute in range(30, 40)]
    skipped = held(2 * 60 + 30, 3 * 60 + 10, "2026-03-28T22:00+00:00", 8 * 60)
    assert skipped == [f"01:{minute:02d}" for minute in range(10)]


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
            assert guards.may_act(guest, room.id, device.id, now) == ((room.id, device.id) in shown)


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
