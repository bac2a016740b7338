"""What the API's handlers answer where all goes well, for its document: by handler, the status and the body's type.

Who writes a client has it made from these. That each handler answers so, and with no field beside, is held in
tests/unit/gateway/door/test_answers.py.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from gateway.acting.verdicts import Executed
from gateway.api import (
    audit,
    commands,
    confirm_by,
    csrf,
    devices,
    email,
    factor_demand,
    factors,
    house,
    hub_time,
    invitations,
    joining,
    lockdown,
    lockout,
    login,
    looks,
    mail,
    me,
    passkeys,
    password,
    pending,
    people,
    readings,
    room_file,
    rooms,
    session_list,
    step_up,
    tokens,
    users,
    waiting,
)
from gateway.desk.attempt import Attempt
from gateway.desk.guests import Standing
from gateway.desk.joining import ClientLine, Line
from gateway.desk.pressing import Waiting
from gateway.door.offering import Broker
from gateway.picture.kept import Authorities, Checked, Disk, RoomKept
from gateway.picture.views import DeviceView, LockdownView, RoomView
from gateway.streams.hub_time import HubTime
from shared.words.internal import Grant, SessionRow, User, UserRow
from shared.words.internal_account import EmailWanted
from shared.words.internal_alerts import AuditRecord, Happening, MailStatus
from shared.words.internal_factors import FactorBegun, Factors
from shared.words.internal_house import Enrolled
from shared.words.internal_passkeys import Challenge, PasskeyBegun
from shared.words.internal_people import InvitationRow
from shared.words.internal_proofs import DemandState
from shared.words.internal_tokens import TokenRow
from shared.words.internal_waiting import WaitingDevice
from shared.words.messages import Moment
from shared.words.names import Kind
from shared.words.noted import BackupMade
from shared.words.room_file import FileAnswer, RoomFile

OrNot = msgspec.UnsetType
"""Of a field that some answers lack."""


def _of(name: str, /, **fields: Any) -> Any:
    """A struct of that name and these fields; one that is `OrNot` may be left out."""
    given = [one for one in fields.items() if OrNot not in get_args(one[1])]
    left_out = [(one, kind, msgspec.UNSET) for one, kind in fields.items() if OrNot in get_args(kind)]
    return msgspec.defstruct(name, [*given, *left_out], frozen=True, kw_only=True)


class Session(SessionRow, frozen=True, kw_only=True):
    """One session; `this` is the one that asks."""

    this: bool


class NewToken(TokenRow, frozen=True, kw_only=True):
    """A token that was just made, and its secret, which stands in no other answer."""

    token: str


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A point of the readings; `on`: for how many of its seconds an output was on."""

    at: Moment
    seconds: float
    known: float
    fault: float
    count: int
    min: float | None
    mean: float | None
    max: float | None
    on: float | msgspec.UnsetType = msgspec.UNSET


_TOKEN: Final = _of("CsrfToken", csrf_token=str)
_SIGNED_IN: Final = _of("SignedIn", user=User, csrf_token=str)
_USER: Final = _of("OneUser", user=User)
_ON_ITS_WAY: Final = _of("OnItsWay", status=str)
_CODES: Final = _of("Codes", recovery_codes=tuple[str, ...])
_GRANTS: Final = _of("GrantsAnswer", user=User, grants=tuple[Grant, ...], devices=tuple[Standing, ...])
_JOINED: Final = _of(
    "Joined",
    room=str | OrNot,
    client=str | OrNot,
    may=tuple[str, ...] | OrNot,
    certificate=str,
    authority=str,
    broker=Broker,
)
_ORDER: Final = _of("Order", order=tuple[str, ...])
_WAITING: Final = _of("WaitingList", waiting=tuple[WaitingDevice, ...])
_READINGS: Final = _of(
    "Readings",
    room=str,
    device=str,
    kind=Kind,
    unit=str,
    since=Moment,
    until=Moment,
    step=int,
    begun=Moment | None,
    points=tuple[Point, ...],
)
_HOUSE: Final = _of(
    "House",
    version=str,
    rooms=tuple[RoomKept, ...],
    enrolled=tuple[Enrolled, ...] | None,
    mail=MailStatus | None,
    disk=Disk | None,
    backup=BackupMade | None,
    authorities=Authorities | None,
    doctor_at=Moment | None,
    waiting=int | None,
    checks=tuple[Checked, ...],
    missing=dict[str, str],
)

GIVES: Final[Mapping[object, Mapping[int, Any]]] = {
    audit.show: {
        200: _of("History", events=tuple[AuditRecord, ...], next=str | None, happenings=tuple[Happening, ...] | OrNot)
    },
    commands.post: {200: Executed, 202: Waiting},
    confirm_by.put: {200: DeviceView},
    csrf.show: {200: _TOKEN},
    devices.show: {200: DeviceView},
    devices.show_all: {200: _of("Devices", devices=tuple[DeviceView, ...])},
    email.begin: {202: EmailWanted},
    email.confirm: {200: _SIGNED_IN},
    email.show: {200: _of("Email", email=str, wanted=EmailWanted | None)},
    factor_demand.put: {200: DemandState},
    factor_demand.show: {200: DemandState},
    factors.begin: {201: FactorBegun},
    factors.confirm: {200: _CODES},
    factors.remove: {204: None},
    factors.renew_recovery: {200: _CODES},
    factors.show: {200: Factors},
    house.show: {200: _HOUSE},
    hub_time.show: {200: HubTime},
    invitations.invite: {201: InvitationRow},
    invitations.show: {200: _of("Invitations", invitations=tuple[InvitationRow, ...])},
    invitations.take: {201: _USER},
    invitations.withdraw: {204: None},
    joining.add: {201: Line},
    joining.add_client: {201: ClientLine},
    joining.join: {200: _JOINED},
    lockdown.ask_code: {202: _ON_ITS_WAY},
    lockdown.put: {200: LockdownView},
    lockdown.show: {200: LockdownView},
    lockout.put: {200: DeviceView},
    login.ask_code: {202: _ON_ITS_WAY},
    login.show_attempt: {200: Attempt},
    login.sign_in: {200: _SIGNED_IN},
    login.sign_out: {204: None},
    looks.arrange: {200: _ORDER},
    looks.arrange_own: {200: _ORDER},
    looks.change_device: {200: DeviceView},
    looks.change_own_device: {200: DeviceView},
    looks.change_own_room: {200: RoomView},
    looks.change_room: {200: RoomView},
    mail.show: {200: MailStatus},
    me.show: {200: _of("Me", user=User, grants=tuple[Grant, ...], expires_at=Moment, proved_until=Moment | OrNot)},
    passkeys.begin: {201: PasskeyBegun},
    passkeys.challenge: {200: Challenge},
    passkeys.finish: {200: _CODES},
    passkeys.sign_in: {200: _SIGNED_IN},
    password.change: {200: _TOKEN},
    pending.take_back: {204: None},
    people.change: {200: UserRow},
    people.change_own: {200: _USER},
    people.erase: {204: None},
    readings.show: {200: _READINGS},
    room_file.put: {202: _of("FileTried", answer=FileAnswer | None)},
    room_file.show: {200: RoomFile},
    rooms.show: {200: _of("Rooms", rooms=tuple[RoomView, ...])},
    session_list.end: {204: None},
    session_list.end_others: {200: _of("Ended", ended=int)},
    session_list.show: {200: _of("Sessions", sessions=tuple[Session, ...])},
    step_up.challenge: {200: Challenge},
    step_up.prove: {200: _of("Proved", proved_until=Moment | None)},
    tokens.make: {201: NewToken},
    tokens.revoke: {204: None},
    tokens.show: {200: _of("Tokens", tokens=tuple[TokenRow, ...])},
    users.put_grants: {200: _GRANTS},
    users.show: {200: _of("Users", users=tuple[UserRow, ...])},
    users.show_grants: {200: _GRANTS},
    waiting.decide: {200: _WAITING},
    waiting.show: {200: _WAITING},
}
"""By handler, each status that is no problem, and what then stands in the body: None for nothing."""
