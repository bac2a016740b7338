"""Devices and rooms made ready for their templates, pure: each device a card, with words instead of values."""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.home import DeviceView, RoomView
from gateway.pages import acts, states
from gateway.pages.acts import Question
from gateway.pages.states import Shown
from shared.names import Action


class Control(NamedTuple):
    """One button of a card. `question` is what is asked first, None where nothing is asked."""

    action: str
    label: str
    wish: str
    safe: bool
    question: Question | None


class Card(NamedTuple):
    """One device: what it is, what it shows, what it can be told. `setter` stands apart, since it takes a value."""

    device: DeviceView
    shown: Shown
    icon: str
    base_icon: str
    controls: tuple[Control, ...]
    setter: Control | None


class RoomCards(NamedTuple):
    """One room and its cards."""

    room: RoomView
    cards: tuple[Card, ...]


def of_rooms(rooms: Iterable[RoomView]) -> tuple[RoomCards, ...]:
    """The cards of all these rooms."""
    return tuple(RoomCards(room, tuple(_card(device, room.name) for device in room.devices)) for room in rooms)


def _card(device: DeviceView, room_name: str) -> Card:
    shown = states.shown(device.kind, device.status, device.state)
    controls = tuple(_control(device, room_name, action) for action in device.actions)
    return Card(
        device=device,
        shown=shown,
        icon=states.icon(device.kind, device.id, shown.look),
        base_icon=states.base_icon(device.kind, device.id),
        controls=tuple(control for control in controls if control.action != Action.SET),
        setter=next((control for control in controls if control.action == Action.SET), None),
    )


def _control(device: DeviceView, room_name: str, action: str) -> Control:
    safe = action in device.safe_actions
    asks = device.confirm and not safe
    return Control(
        action=action,
        label=acts.label(action),
        wish=acts.wish(action, device.name),
        safe=safe,
        question=acts.question(device, room_name, action) if asks else None,
    )
