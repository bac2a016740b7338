"""Devices and rooms made ready for their templates, pure: each device a card, with words instead of values."""

from datetime import datetime
from typing import Final, NamedTuple

from gateway.pages import acts, bounds, states
from gateway.pages.acts import Question
from gateway.pages.states import Shown
from gateway.picture import looks
from gateway.picture.devices import is_held_back
from gateway.picture.views import DeviceView, PendingView, RoomView
from shared.words.names import ACTIONS, Action, Kind


class Control(NamedTuple):
    """One button of a card. `question` is what is asked first, None where nothing is asked; `held` by a lock-out.

    `pressed`: whether the device is as the button would have it; None where that is not known.
    """

    action: str
    label: str
    wish: str
    safe: bool
    held: bool
    pressed: bool | None
    question: Question | None


class Waits(NamedTuple):
    """What waits for a second person: whose wish it is (an id), in words, and what is asked of who agrees.

    `mine`: the viewer may have the device do that.
    """

    id: str
    by: str
    action: str
    value: int | None
    text: str
    until: datetime
    mine: bool
    question: Question


class Card(NamedTuple):
    """One device: what it is, what it shows, what it can be told. `setter` stands apart, since it takes a value.

    `limits` are those of its description in words; `still_works` says what a lock-out leaves.
    """

    device: DeviceView
    shown: Shown
    icon: str
    base_icon: str
    controls: tuple[Control, ...]
    setter: Control | None
    limits: str
    still_works: str
    waits: tuple[Waits, ...]


class RoomCards(NamedTuple):
    """One room: what can be told something, and what only tells."""

    room: RoomView
    outputs: tuple[Card, ...]
    inputs: tuple[Card, ...]


_KINDS: Final = tuple(Kind)
_FIRST: Final = (Kind.LOCK, Kind.PULSE)
_ORDER: Final = (Action.OPEN, Action.STOP, Action.CLOSE)


def of_room(room: RoomView) -> RoomCards:
    """The cards of a room."""
    cards = [_card(device, room) for device in sorted(room.devices, key=_rank)]
    return RoomCards(
        room,
        tuple(c for c in cards if c.device.kind in ACTIONS),
        tuple(c for c in cards if c.device.kind not in ACTIONS),
    )


def _rank(device: DeviceView) -> tuple[bool, int]:
    """Doors first, then by kind; within a kind as the registry has them."""
    return device.kind not in _FIRST, _KINDS.index(Kind(device.kind))


def _card(device: DeviceView, room: RoomView) -> Card:
    shown = states.shown(device.kind, device.status, device.state)
    actions = sorted(device.actions, key=lambda action: _ORDER.index(action) if action in _ORDER else 0)
    controls = tuple(_control(device, room.name, action, shown.look) for action in actions)
    return Card(
        device=device,
        shown=shown,
        icon=states.icon(device.kind, device.id, shown.look),
        base_icon=states.base_icon(device.kind, device.id),
        controls=tuple(control for control in controls if control.action != Action.SET),
        setter=next((control for control in controls if control.action == Action.SET), None),
        limits=bounds.sentence(device, room),
        still_works=acts.while_locked_out(device.kind),
        waits=tuple(_waits(device, room.name, one) for one in device.pending),
    )


def _waits(device: DeviceView, room_name: str, one: PendingView) -> Waits:
    return Waits(
        id=one.id,
        by=one.by.id,
        action=one.action,
        value=one.value,
        text=acts.pending(device, one.action, one.value, one.by.name),
        until=one.until,
        mine=one.action in device.actions,
        question=acts.question(device, room_name, one.action, one.value),
    )


def _control(device: DeviceView, room_name: str, action: str, look: str) -> Control:
    safe = action in device.safe_actions
    held = is_held_back(Kind(device.kind), device.lockout_by, action)
    asks = device.confirm and not safe and not held
    return Control(
        action=action,
        label=acts.label(action),
        wish=acts.wish(action, device.name),
        safe=safe,
        held=held,
        pressed=looks.is_pressed(action, look),
        question=acts.question(device, room_name, action) if asks else None,
    )
