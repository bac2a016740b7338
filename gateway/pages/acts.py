"""What actions are called, what is asked before one and said after one, in the page's language."""

from typing import NamedTuple

from gateway.pages import times
from gateway.pages.speaking import say
from gateway.picture.plain import plain
from gateway.picture.views import DeviceView
from shared.words.languages import later
from shared.words.messages import CoverValue, State
from shared.words.names import ACTIONS, SAFE_ACTIONS, Action, ConfirmBy, Kind
from shared.words.pending import DELAY_MINUTES

LABELS: dict[str, str] = {
    Action.ON: later("On"),
    Action.OFF: later("Off"),
    Action.SET: later("Set"),
    Action.LOCK: later("Lock"),
    Action.UNLOCK: later("Unlock"),
    Action.OPEN: later("Open"),
    Action.CLOSE: later("Close"),
    Action.STOP: later("Stop"),
    Action.PRESS: later("Press"),
}
_WISHES: dict[str, str] = {
    Action.ON: later("Switch {name} on"),
    Action.OFF: later("Switch {name} off"),
    Action.SET: later("Set {name} to {value} %"),
    Action.LOCK: later("Lock {name}"),
    Action.UNLOCK: later("Unlock {name}"),
    Action.OPEN: later("Open {name}"),
    Action.CLOSE: later("Close {name}"),
    Action.STOP: later("Stop {name}"),
    Action.PRESS: later("Press {name}"),
}
_DONE: dict[str, str] = {
    Action.ON: later("{name}: switched on"),
    Action.OFF: later("{name}: switched off"),
    Action.SET: later("{name}: set to {value} %"),
    Action.LOCK: later("{name}: locked"),
    Action.UNLOCK: later("{name}: unlocked"),
    Action.OPEN: later("{name}: opened"),
    Action.CLOSE: later("{name}: closed"),
    Action.STOP: later("{name}: stopped"),
    Action.PRESS: later("{name}: pressed"),
}
_NAME_CHARACTERS = 64
_MOVES = frozenset({Action.OPEN, Action.CLOSE, Action.SET})
RECORDED = later("This is recorded, and the master user gets a letter about it.")
_STILL_WORKS: dict[tuple[str, ...], str] = {
    (): later("nothing works"),
    (Action.OFF,): later("only Off works"),
    (Action.LOCK,): later("only Lock works"),
    (Action.STOP,): later("only Stop works"),
}
"""What a lock-out leaves, by its kind's safe actions."""


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

    def spoken(self) -> "Said":
        """One of a table, whose sentences were marked with `later`, in the page's language."""
        return Said(self.tone, say(self.title), say(self.text))


def label(action: str) -> str:
    """The words on an action's button."""
    return say(LABELS[action]) if action in LABELS else action


def wish(action: str, name: str, value: int | None = None) -> str:
    """The wish in full: "Unlock Front door"."""
    return say(_WISHES[action], name=name, value="…" if value is None else value)


def question(device: DeviceView, room_name: str, action: str, value: int | None = None) -> Question:
    """What to ask before an action that wants a confirmation: names exactly what will happen."""
    wished = wish(action, device.name, value)
    text = _what_happens(device, room_name, action, value)
    return Question(f"{wished}?", f"{text} {say(RECORDED)}" if device.critical else text, wished)


def _what_happens(device: DeviceView, room_name: str, action: str, value: int | None) -> str:
    """When it is done, and by whose word."""
    if device.confirm_by is ConfirmBy.APPOINTMENT:
        delay = times.wait(60 * (device.delay_minutes or DELAY_MINUTES))
        return say("It is done in {delay}. Until then, whoever may use it can refuse that.", delay=delay)
    if device.confirm_by is not ConfirmBy.TWO_PERSONS:
        return say("The room {room} does it at once.", room=room_name)
    for one in device.pending:
        if one.action == action and value in (None, one.value):
            name = plain(one.by.name, _NAME_CHARACTERS)
            return say(
                "{name} wants it. As soon as a second person does, the room {room} does it.", name=name, room=room_name
            )
    return say("It takes two: nothing is done until a second person wants the same, within two minutes.")


def pending(device: DeviceView, action: str, value: int | None, by: str) -> str:
    """What somebody wants, and nobody else has agreed to yet, or whose time has not come."""
    return say("{name}: {wish}.", name=plain(by, _NAME_CHARACTERS), wish=wish(action, device.name, value))


def asked(name: str, until: str) -> Said:
    """It waits for a second person."""
    text = say("Nothing is done yet: somebody else has to want the same, by {time}.", time=until)
    return Said("good", say("{name}: it takes a second person", name=name), text)


def appointed(name: str, due: str) -> Said:
    """It is done at its time."""
    text = say("Nothing is done yet. At {time} it is, unless somebody refuses it. Stay signed in until then.", time=due)
    return Said("good", say("{name}: there is an appointment", name=name), text)


def taken_back(name: str) -> Said:
    """Nothing comes of it."""
    return Said("good", say("{name}: taken back", name=name), say("Nothing was done."))


def question_of_lifting(device: DeviceView) -> Question:
    """What to ask before a lock-out is lifted."""
    text = say("From then on it obeys again. Make sure that nobody is at work on it.")
    title = say("Lift the lock-out of {name}?", name=device.name)
    return Question(title, f"{text} {say(RECORDED)}", say("Lift the lock-out"))


def still_works(kind: str) -> str:
    """What a device that is locked out still does: "only Off works"."""
    return say(_STILL_WORKS[tuple(SAFE_ACTIONS.get(Kind(kind), ())) if kind in ACTIONS else ()])


def while_locked_out(kind: str) -> str:
    """What a lock-out would leave, before it begins."""
    return say("While it is locked out, {works}, for everyone.", works=still_works(kind))


def locked_out(name: str, kind: str) -> Said:
    """It obeys its kind's safe actions only."""
    text = say("From now on {works}, until you lift the lock-out.", works=still_works(kind))
    return Said("good", say("{name}: locked out", name=name), text)


def lifted(name: str) -> Said:
    """It obeys again."""
    return Said("good", say("{name}: lock-out lifted", name=name), say("It obeys again."))


def executed(name: str, kind: str, action: str, value: int | None = None, state: State | None = None) -> Said:
    """The room said that it was done, and by `state` how it stands: a cover has mostly only begun to move."""
    stands = None if state is None else state.value
    there = isinstance(stands, CoverValue) and stands.moving is None and stands.position == value
    moves = kind == Kind.COVER and action in _MOVES and not there
    title = say("{name}: moves now", name=name) if moves else say(_DONE[action], name=name, value=value)
    return Said("good", title, say("The room confirmed it."))


def too_old(name: str) -> Said:
    """The form had been shown for so long that what it asked for may not be wanted any more."""
    text = say("The page was open for more than 15 minutes. Look, and press again.")
    return Said("bad", say("{name}: nothing was sent", name=name), text)
