"""What is told of devices, pure: each act as a wish, as a title and as a sentence, and how a wish ended otherwise."""

from typing import NamedTuple

from shared.words.languages import later
from shared.words.names import Action, Outcome


class Act(NamedTuple):
    """What stands in a title where it was asked for, in a title where it was done, in a sentence, and among others."""

    wish: str
    title: str
    sentence: str
    done: str


ACTS: dict[str, Act] = {
    Action.ON: Act(
        later("switch on"),
        later("{place} switched on"),
        later("{who} switched {place} on at {time}."),
        later("switched on"),
    ),
    Action.OFF: Act(
        later("switch off"),
        later("{place} switched off"),
        later("{who} switched {place} off at {time}."),
        later("switched off"),
    ),
    Action.SET: Act(later("set"), later("{place} set"), later("{who} set {place} at {time}."), later("adjusted")),
    Action.LOCK: Act(later("lock"), later("{place} locked"), later("{who} locked {place} at {time}."), later("locked")),
    Action.UNLOCK: Act(
        later("unlock"), later("{place} unlocked"), later("{who} unlocked {place} at {time}."), later("unlocked")
    ),
    Action.OPEN: Act(later("open"), later("{place} opened"), later("{who} opened {place} at {time}."), later("opened")),
    Action.CLOSE: Act(
        later("close"), later("{place} closed"), later("{who} closed {place} at {time}."), later("closed")
    ),
    Action.STOP: Act(
        later("stop"), later("{place} stopped"), later("{who} stopped {place} at {time}."), later("stopped")
    ),
    Action.PRESS: Act(
        later("press"), later("{place} pressed"), later("{who} pressed {place} at {time}."), later("pressed")
    ),
    "locked-out": Act(
        later("lock-out"),
        later("{place} locked out"),
        later("{who} locked {place} out at {time}: now it obeys off, lock and stop alone."),
        later("locked out"),
    ),
    "lockout-lifted": Act(
        later("lifting the lock-out"),
        later("{place} lock-out lifted"),
        later("{who} lifted the lock-out of {place} at {time}."),
        later("let obey again"),
    ),
}
SET_TO = later("{who} set {place} to {value} % at {time}.")
OTHER = Act(later("{wish}"), later("{place} {wish}"), later("{who}: {wish} of {place} at {time}."), later("{wish}"))
"""An act of a room that is newer than we are; `wish` is its word for it."""

TITLES = {
    Outcome.ASKED: later("{place}: {wish}, outcome unknown"),
    Outcome.REJECTED: later("{place}: {wish} refused"),
    Outcome.EXPIRED: later("{place}: {wish} came too late"),
    Outcome.FAILED: later("{place}: {wish} failed"),
    Outcome.UNKNOWN: later("{place}: {wish}, outcome unknown"),
}
ENDS = {
    Outcome.ASKED: later("{wish}, outcome unknown"),
    Outcome.REJECTED: later("{wish} refused"),
    Outcome.EXPIRED: later("{wish} came too late"),
    Outcome.FAILED: later("{wish} failed"),
    Outcome.UNKNOWN: later("{wish}, outcome unknown"),
}
"""How one ended that was not done, among others on the same device."""
SENTENCES = {
    Outcome.ASKED: later("{who} wanted to {wish} {place} at {time}. Nothing more is known: look at it."),
    Outcome.REJECTED: later("{who} wanted to {wish} {place} at {time}. It was refused, and nothing was done."),
    Outcome.EXPIRED: later("{who} wanted to {wish} {place} at {time}. It came too late, and nothing was done."),
    Outcome.FAILED: later("{who} wanted to {wish} {place} at {time}, and it failed: look at the device."),
    Outcome.UNKNOWN: later("{who} wanted to {wish} {place} at {time}, but the room did not answer: look at it."),
}
LOCKOUT_FAILED = later("The {wish} of {place} at {time} failed ({who}).")
"""A lock-out is nobody's verb."""

APPOINTED = "device:appointed"
"""Somebody made an appointment, and there is time to refuse it."""
OF_DEVICES = {
    "device:mismatch": (
        later("Pin mismatch: {place} does not follow"),
        later("{place} has not followed since {time}: its pin reads something else than was written."),
    ),
    "device:follows-again": (later("{place} follows again"), later("{place} has followed again since {time}.")),
    "device:restless": (
        later("{place} does not hold still: what it says means nothing"),
        later("{place} has not held still since {time}: what it says means nothing."),
    ),
    "device:holds-still": (later("{place} holds still again"), later("{place} has held still again since {time}.")),
    "device:unreadable": (
        later("{place} cannot be read: nobody knows what it would say"),
        later("{place} has not been readable since {time}: nobody knows what it would say."),
    ),
    "device:reads-again": (later("{place} is read again"), later("{place} has been readable again since {time}.")),
    "device:added": (later("New device: {place}"), later("A new device was described at {time}: {place}.")),
    "device:tightened": (
        later("{place} was made stricter"),
        later("{place} has been stricter since {time}: its room describes it so."),
    ),
    "device:loosening": (
        later("{place} wants to be less strict"),
        later(
            "{place} would be less strict, as its room described it at {time}. The stricter stands until you agree: "
            "the home's page says what waits for your word."
        ),
    ),
    "device:kept-strict": (
        later("{place} stays as strict as it was"),
        later("{who} did not let {place} become less strict, at {time}."),
    ),
    "device:loosened": (later("{place} was made less strict"), later("{who} made {place} less strict at {time}.")),
    "device:confirm-tightened": (
        later("{place} asks for more before it acts"),
        later("{who} had {place} ask for more before it acts, at {time}."),
    ),
    "device:confirm-loosened": (
        later("{place} asks for less before it acts"),
        later("{who} had {place} ask for less before it acts, at {time}."),
    ),
    "device:wished": (
        later("{place}: it takes a second person"),
        later("{who} wants something of {place} that takes two, at {time}. Nothing is done until somebody agrees."),
    ),
    "device:agreed": (
        later("{place}: a second person agreed"),
        later("{who} agreed at {time} to what somebody else wants of {place}."),
    ),
    "device:taken-back": (
        later("{place}: taken back"),
        later("{who} took back at {time} what was to be done with {place}. Nothing was done."),
    ),
    "device:wish-dropped": (
        later("{place}: nothing came of it"),
        later("What was to be done with {place} and takes two did not come about ({time}). Nothing was done."),
    ),
    APPOINTED: (
        later("{place}: {wish} at {due}, unless it is refused"),
        later("{who} wants to {wish} {place}. It is done at {due}, unless somebody refuses it until then."),
    ),
    "device:vetoed": (
        later("{place}: {wish} at {due} was refused"),
        later("{who} refused at {time} what was to be done with {place} at {due}. Nothing was done."),
    ),
    "device:appointment-dropped": (
        later("{place}: {wish} at {due} does not take place"),
        later("What was to be done with {place} at {due} does not take place. Nothing was done."),
    ),
    "device:appointment-unknown": (
        later("{place}: {wish} at {due}, outcome unknown"),
        later("The hub stopped in the middle of what was to be done with {place} at {due}: look at it."),
    ),
    "device:command": (
        later("{place}: a command that cannot be read"),
        later("A command for {place} could not be read at {time}. Nothing was done."),
    ),
}
"""What befalls a device, by `what`: title and sentence."""
