"""Devices and rooms made ready for their templates, pure: each device a card, with words instead of values."""

from collections.abc import Iterable
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

    `due`: when it is done, where it waits for that. `mine`: the viewer may have the device do that.
    """

    id: str
    by: str
    action: str
    value: int | None
    text: str
    until: datetime
    due: datetime | None
    mine: bool
    question: Question


class Card(NamedTuple):
    """One device: what it is, what it shows, what it can be told. `setter` stands apart, since it takes a value.

    `limits` are those of its description in words; `still_works` says what a lock-out leaves. It stands `nth` in
    the room `around` it.
    """

    device: DeviceView
    around: RoomView
    nth: int
    shown: Shown
    icon: str
    controls: tuple[Control, ...]
    setter: Control | None
    limits: str
    still_works: str
    waits: tuple[Waits, ...]


class Cards(NamedTuple):
    """What can be told something, and what only tells."""

    outputs: tuple[Card, ...]
    inputs: tuple[Card, ...]


class RoomCards(NamedTuple):
    """One room: what is shown of it at once, and what is hidden. `apart`: so many are among the favourites instead."""

    room: RoomView
    outputs: tuple[Card, ...]
    inputs: tuple[Card, ...]
    hidden: Cards
    apart: int = 0

    @property
    def everything(self) -> tuple[Card, ...]:
        """Every card here, whether it is shown at once or not."""
        return (*self.outputs, *self.inputs, *self.hidden.outputs, *self.hidden.inputs)

    @property
    def all_grave(self) -> bool:
        """Whether anything here is not as it should be."""
        return any(map(_is_grave, self.everything))

    @property
    def grave(self) -> bool:
        """Whether something that is hidden is not as it should be."""
        return any(map(_is_grave, (*self.hidden.outputs, *self.hidden.inputs)))


_GRAVE: Final = frozenset({"jammed", "mismatch", "fault", "unlocked", "sensor"})
"""What is shown though it is hidden, as static/cards.js shows it."""
_ORDER: Final = (Action.OPEN, Action.STOP, Action.CLOSE)


def of_room(room: RoomView, *, apart: bool = False) -> RoomCards:
    """The cards of a room, in its order; with `apart` without the favourites."""
    cards = [_card(device, room, nth) for nth, device in enumerate(room.devices)]
    here = [card for card in cards if not (apart and card.device.favourite)]
    shown = _sorted(card for card in here if not card.device.hidden)
    hidden = _sorted(card for card in here if card.device.hidden)
    return RoomCards(room, shown.outputs, shown.inputs, hidden, len(cards) - len(here))


def favourites(rooms: Iterable[RoomView]) -> Cards:
    """The favourites among what is in these rooms, in their order."""
    return _sorted(
        _card(device, room, nth) for room in rooms for nth, device in enumerate(room.devices) if device.favourite
    )


def _is_grave(card: Card) -> bool:
    return card.shown.look in _GRAVE or card.device.locked_out or bool(card.waits)


def _sorted(cards: Iterable[Card]) -> Cards:
    cards = tuple(cards)
    return Cards(
        tuple(card for card in cards if card.device.kind in ACTIONS),
        tuple(card for card in cards if card.device.kind not in ACTIONS),
    )


def _card(device: DeviceView, room: RoomView, nth: int) -> Card:
    shown = states.shown(device.kind, device.status, device.state)
    actions = sorted(device.actions, key=lambda action: _ORDER.index(action) if action in _ORDER else 0)
    controls = tuple(_control(device, room.name, action, shown.look) for action in actions)
    return Card(
        device=device,
        around=room,
        nth=nth,
        shown=shown,
        icon=states.icon(device.icon, shown.look),
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
        due=one.due,
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
