"""What a device's state looks like to people: a word, a look, and since when and by what.

A room that is not online, and a value that does not fit the kind, are "unknown" in words; the last value is never
shown as if it were live (docs/promises.md). Words and looks are of gateway/picture/looks.py.
static/wording.js says the same for what the stream brings; a test holds both against one another.
"""

from datetime import datetime
from typing import NamedTuple

from gateway.pages import speaking
from gateway.pages.speaking import say
from gateway.picture import looks
from gateway.picture.looks import Said
from gateway.picture.views import Status
from shared.words.languages import later
from shared.words.messages import By, State
from shared.words.names import ACTIONS, is_gateway


class Shown(NamedTuple):
    """A state in words. `look` is what CSS goes by; the note reads `before`, the moment `at`, `after`."""

    word: str
    look: str
    before: str
    at: datetime | None = None
    after: str = ""
    level: int | None = None


UNHEARD = Shown(later("Unknown"), "unknown", later("The room has not been heard."))
OFFLINE = Shown(later("Offline"), "offline", later("The room is offline."))
SILENT = Shown(later("Unknown"), "unknown", later("The room has not said yet."))
UNFIT = Shown(later("Unknown"), "unknown", later("The room reported something that does not fit."))

_ICON_OF_LOOK = {
    "unlocked": "unlock",
    "jammed": "warning",
    "mismatch": "warning",
    "sensor": "warning",
    "fault": "warning",
}
_OPEN = {"door": "door-open", "window": "window-open"}


def shown(kind: str, status: Status, state: State | None) -> Shown:
    """A device's state, given whether its room is there."""
    if status == "offline":
        return _spoken(OFFLINE)
    if status != "online":
        return _spoken(UNHEARD)
    if state is None or looks.is_silent(kind, state):
        return _spoken(SILENT)
    said = looks.said_of(kind, state)
    if state.fault is not None:
        return _faulty(kind, state, state.fault, said)
    if said is None:
        return _spoken(UNFIT)
    word, look, level = told(said), said.look, said.level
    if kind in looks.MOMENTARY:
        before = say("not pressed since") if state.by.source == "boot" else say("last pressed")
        after = "" if state.by.source in ("boot", "input") else _by(kind, state.by)
        return Shown(word, look, before, state.since, after, level)
    return Shown(word, look, say("since"), state.since, _by(kind, state.by), level)


def told(said: Said) -> str:
    """A value's word in the page's language, with its number as that is written there."""
    if said.value is None:
        return say(said.word)
    return say(said.word, value=speaking.now().number(said.value, digits=said.digits))


def _spoken(shown: Shown) -> Shown:
    return shown._replace(word=say(shown.word), before=say(shown.before))


def icon(at_rest: str, look: str) -> str:
    """Which drawing of icons.svg stands for a device that looks so; what is at fault is never drawn at rest."""
    if look == "ajar":
        return _OPEN.get(at_rest, at_rest)
    return _ICON_OF_LOOK.get(look, at_rest)


def _faulty(kind: str, state: State, fault: str, said: Said | None) -> Shown:
    """What the fault is; of a pin that does not follow also what it reads, which is all that is known."""
    word, look = looks.fault_of(fault)
    if look == "mismatch" and said is not None and kind not in looks.MOMENTARY:
        return Shown(say(word), look, say("reads “{word}” since", word=told(said)), state.since, "", said.level)
    return Shown(say(word), look, say("since"), state.since)


def _by(kind: str, by: By) -> str:
    """What caused it; an input needs no saying that it was an input."""
    if by.source == "command":
        if by.issuer is None or is_gateway(by.issuer):
            return say(", by a command")
        return say(", by a command from {issuer}", issuer=by.issuer)
    if by.source == "input":
        return say(", by a button") if kind in ACTIONS else ""
    if by.source == "timer":
        return say(", by a timer")
    if by.source == "failsafe":
        return say(", by a safety rule")
    return say(", when the room started")
