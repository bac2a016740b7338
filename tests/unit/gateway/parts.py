"""What the gateway's tests share: a house of devices, and people."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET

from shared.words import messages
from shared.words.internal import (
    Grant,
    LoginAnswer,
    LoginRequest,
    RegisteredDevice,
    RegisteredRoom,
    Registry,
    SessionInfo,
    User,
)
from shared.words.internal_looks import DeviceLook, OwnDeviceLook, RoomLook
from shared.words.looks import HomeLook, OwnLooks, OwnRoom
from shared.words.messages import Availability, By, Description, DeviceDescription, State, UserRef
from shared.words.names import ACTIONS, SAFE_ACTIONS, Action, ConfirmBy, Kind, Role
from shared.words.pending import PendingWish
from shared.words.problem import HomeError

NOW = messages.utc(1_800_000_000)


def described(
    name: str, kind: Kind = Kind.SWITCH, *, critical: bool = False, confirm: bool = False
) -> DeviceDescription:
    """A device as its room describes it."""
    return DeviceDescription(
        id=name,
        name=name.replace("-", " ").capitalize(),
        kind=kind,
        critical=critical,
        confirm=confirm,
        actions=ACTIONS.get(kind, ()),
        safe_actions=SAFE_ACTIONS.get(kind, ()),
    )


def registered(device: DeviceDescription, *, locked_out: bool = False) -> RegisteredDevice:
    """The same, as the registry holds it true."""
    return RegisteredDevice(
        id=device.id,
        name=device.name,
        kind=device.kind,
        critical=device.critical,
        confirm=device.confirm,
        locked_out=locked_out,
    )


def with_lockout(room: RegisteredRoom, device: str, *, locked_out: bool) -> RegisteredRoom:
    """The room with one device locked out, or not."""
    devices = tuple(msgspec.structs.replace(d, locked_out=locked_out) if d.id == device else d for d in room.devices)
    return msgspec.structs.replace(room, devices=devices)


def confirmed_by(room: RegisteredRoom, device: str, way: ConfirmBy, delay_minutes: int = 10) -> RegisteredRoom:
    """The room with one device confirmed like that by the master user's will."""
    how = {"confirm_by": way, "delay_minutes": delay_minutes}
    devices = tuple(msgspec.structs.replace(d, **how) if d.id == device else d for d in room.devices)
    return msgspec.structs.replace(room, devices=devices)


LAMP = described("lamp")
BLIND = described("blind", Kind.COVER)
DIMMER = described("dimmer", Kind.DIMMER)
DOOR = described("front-door", Kind.LOCK, critical=True, confirm=True)
CONTACT = described("door-contact", Kind.CONTACT)
DEVICES = (LAMP, BLIND, DIMMER, DOOR, CONTACT)
HALL = Description(room="hall", name="Hall", agent_version="1", devices=DEVICES)
HALL_ENTRY = RegisteredRoom(id="hall", name="Hall", devices=tuple(registered(d) for d in DEVICES))
REGISTRY = Registry(rooms=(HALL_ENTRY,))


def wish(
    device: str,
    action: Action,
    *,
    by: str = "Ada",
    value: int | None = None,
    number: str = "w1",
    room: str = "hall",
    due: datetime | None = None,
) -> PendingWish:
    """What somebody wants, just now, of a device that asks for two persons, or for an appointment (`due`)."""
    now = datetime.now(UTC)
    who = UserRef(id=f"u-{by.lower()}", name=by)
    return PendingWish(
        id=number,
        room=room,
        device=device,
        action=action,
        by=who,
        pressed_at=now,
        until=now + timedelta(minutes=2) if due is None else due + timedelta(seconds=5),
        value=value,
        due=due,
    )


def online(session: str = "s1") -> Availability:
    """A room's heartbeat."""
    return Availability(status="online", at=NOW, session=session)


def offline(session: str = "s1") -> Availability:
    """A room's goodbye or will."""
    return Availability(status="offline", at=NOW, session=session)


def state(value: messages.Value = "on") -> State:
    """A device's state."""
    return State(value=value, since=NOW, by=By(source="command", issuer="gateway"))


def session(role: Role, *grants: Grant, number: int = 1) -> SessionInfo:
    """A live session of somebody."""
    user = User(id=f"u-{role}", name=str(role).capitalize(), email=f"{role}@example.org", role=role)
    return SessionInfo(
        id=f"session-{role}-{number}",
        user=user,
        grants=grants,
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )


class FakeAuth:
    """The auth service's word on sessions; counts how often it is asked."""

    def __init__(self) -> None:
        self.sessions: dict[str, SessionInfo] = {}
        self.asked = 0
        self.away = False
        self.why_ended: str | None = None
        self.hangs: asyncio.Event | None = None

    async def sign_in(self, _request: LoginRequest) -> LoginAnswer:
        """As AuthClient.sign_in; whoever it is, they are the one of the session "t"."""
        if self.hangs is not None:
            await self.hangs.wait()
        self.sessions["signed-in"] = self.sessions["t"]
        return LoginAnswer(token="signed-in", session=self.sessions["signed-in"])

    async def verify(self, token: str, address: str = "") -> SessionInfo:
        """As AuthClient.verify."""
        self.asked += 1
        if self.hangs is not None:
            await self.hangs.wait()
        if self.away:
            raise HomeError("auth-unreachable")
        if token not in self.sessions:
            raise HomeError("sign-in-required", **({"reason": self.why_ended} if self.why_ended else {}))
        return self.sessions[token]


def looked_at(room: RegisteredRoom, device: str, look: RoomLook | DeviceLook) -> RegisteredRoom:
    """The room after a master user's word, of itself or of a device, as the auth service answers; moves are left."""

    def changed(stands: HomeLook) -> HomeLook:
        said = {name: getattr(look, name) for name in ("name", "icon", "hidden")}
        return msgspec.structs.replace(stands, **{name: value for name, value in said.items() if value is not UNSET})

    if not device:
        return msgspec.structs.replace(room, look=changed(room.look))
    devices = tuple(
        msgspec.structs.replace(one, look=changed(one.look)) if one.id == device else one for one in room.devices
    )
    return msgspec.structs.replace(room, devices=devices)


def favouring(info: SessionInfo, room: str, device: str, look: OwnDeviceLook) -> SessionInfo:
    """The session after somebody's word for themselves: this device alone, and nothing else of the room."""
    said = OwnRoom(
        id=room,
        favourites=(device,) if look.favourite is True else (),
        hid=(device,) if look.hidden is True else (),
        shown=(device,) if look.hidden is False else (),
    )
    return msgspec.structs.replace(info, own=OwnLooks(rooms=(said,)))
