"""What the tests of the recorder share: states, rooms, a clock that is set by hand."""

from datetime import UTC, datetime

from shared.words.messages import Availability, By, CoverValue, Description, DeviceDescription, State, Value
from shared.words.names import Kind

START = 1_700_000_100
"""Seconds since 1970: the border of five minutes."""


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def state(value: Value | CoverValue, since: float = START, fault: str | None = None) -> State:
    return State(value=value, since=moment(since), by=By(source="input"), fault=fault)


def online(session: str = "s1") -> Availability:
    return Availability(status="online", at=moment(START), session=session)


def offline(session: str = "s1") -> Availability:
    return Availability(status="offline", at=moment(START), session=session)


def described(room: str = "hall", **kinds: Kind) -> Description:
    devices = tuple(
        DeviceDescription(
            id=name, name=name.title(), kind=kind, critical=False, confirm=False, actions=(), safe_actions=()
        )
        for name, kind in kinds.items()
    )
    return Description(room=room, name=room.title(), agent_version="1", devices=devices)
