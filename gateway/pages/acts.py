"""What actions are called, what is asked before one and said after one, pure."""

from typing import NamedTuple

from gateway.pages import times
from gateway.picture.views import DeviceView
from shared.words.messages import CoverValue, State
from shared.words.names import ACTIONS, SAFE_ACTIONS, Action, Kind
from shared.words.problem import HomeError

_LABELS: dict[str, str] = {
    Action.ON: "On",
    Action.OFF: "Off",
    Action.SET: "Set",
    Action.LOCK: "Lock",
    Action.UNLOCK: "Unlock",
    Action.OPEN: "Open",
    Action.CLOSE: "Close",
    Action.STOP: "Stop",
    Action.PRESS: "Press",
}
_WISHES: dict[str, str] = {
    Action.ON: "Switch {name} on",
    Action.OFF: "Switch {name} off",
    Action.SET: "Set {name} to {value} %",
    Action.LOCK: "Lock {name}",
    Action.UNLOCK: "Unlock {name}",
    Action.OPEN: "Open {name}",
    Action.CLOSE: "Close {name}",
    Action.STOP: "Stop {name}",
    Action.PRESS: "Press {name}",
}
_DONE: dict[str, str] = {
    Action.ON: "switched on",
    Action.OFF: "switched off",
    Action.SET: "set to {value} %",
    Action.LOCK: "locked",
    Action.UNLOCK: "unlocked",
    Action.OPEN: "opened",
    Action.CLOSE: "closed",
    Action.STOP: "stopped",
    Action.PRESS: "pressed",
}
_MOVES = frozenset({Action.OPEN, Action.CLOSE, Action.SET})
_UNSURE = frozenset({"unknown", "interrupted"})
RECORDED = "This is recorded, and the master user gets a letter about it."


class Question(NamedTuple):
    """What a confirmation asks: a title, what will happen, and the words on its button."""

    title: str
    text: str
    button: str


class Said(NamedTuple):
    """What is said after an action. `tone` is "good", "bad" or "unsure"."""

    tone: str
    title: str
    text: str


def label(action: str) -> str:
    """The words on an action's button."""
    return _LABELS.get(action, action)


def wish(action: str, name: str, value: int | None = None) -> str:
    """The wish in full: "Unlock Front door"."""
    return _WISHES[action].format(name=name, value="…" if value is None else value)


def question(device: DeviceView, room_name: str, action: str, value: int | None = None) -> Question:
    """What to ask before an action that wants a confirmation: names exactly what will happen."""
    wished = wish(action, device.name, value)
    text = f"The room {room_name} does it at once."
    return Question(f"{wished}?", f"{text} {RECORDED}" if device.critical else text, wished)


def question_of_lifting(device: DeviceView) -> Question:
    """What to ask before a lock-out is lifted."""
    text = "From then on it obeys again. Make sure that nobody is at work on it."
    return Question(f"Lift the lock-out of {device.name}?", f"{text} {RECORDED}", "Lift the lock-out")


def still_works(kind: str) -> str:
    """What a device that is locked out still does: "only Off works"."""
    safe = SAFE_ACTIONS.get(Kind(kind), ()) if kind in ACTIONS else ()
    return f"only {' and '.join(label(action) for action in safe)} works" if safe else "nothing works"


def locked_out(name: str, kind: str) -> Said:
    """It obeys its kind's safe actions only."""
    return Said("good", f"{name}: locked out", f"From now on {still_works(kind)}, until you lift the lock-out.")


def lifted(name: str) -> Said:
    """It obeys again."""
    return Said("good", f"{name}: lock-out lifted", "It obeys again.")


def executed(name: str, kind: str, action: str, value: int | None = None, state: State | None = None) -> Said:
    """The room said that it was done, and by `state` how it stands: a cover has mostly only begun to move."""
    stands = None if state is None else state.value
    there = isinstance(stands, CoverValue) and stands.moving is None and stands.position == value
    moves = kind == Kind.COVER and action in _MOVES and not there
    done = "moves now" if moves else _DONE[action].format(value=value)
    return Said("good", f"{name}: {done}", "The room confirmed it.")


def too_old(name: str) -> Said:
    """The form had been shown for so long that what it asked for may not be wanted any more."""
    return Said(
        "bad", f"{name}: nothing was sent", "The page was open for more than 15 minutes. Look, and press again."
    )


def refused(name: str, error: HomeError) -> Said:
    """It was not done, or nobody knows; with the reason and the next step."""
    text = error.detail
    if "retry_after" in error.facts:
        text = f"{text} Try again in {times.wait(int(error.facts['retry_after']))}."
    return Said("unsure" if error.slug in _UNSURE else "bad", f"{name}: {error.title}", text)
