"""How events are told to people, pure: headlines, outcomes, times, and whose word it is that somebody did it.

Every text that a room or a client supplied is cleaned and cut here, before it reaches a letter.
"""

import unicodedata
from datetime import UTC, datetime, tzinfo

from alert_service.chain.chain import Row
from alert_service.chain.sources import is_trusted
from alert_service.telling import next_steps
from alert_service.telling.policy import MISMATCH
from shared.words.happenings import HAPPENINGS, VERBS
from shared.words.names import Action, Outcome, Severity, is_identity

SUBJECT_CHARACTERS = 120
TEXT_CHARACTERS = 200
NAME_CHARACTERS = 40
BUTTON = "button"
"""In an event's detail: the button in the room by which it was done."""

_VERBS: dict[str, tuple[str, str]] = {
    **VERBS,
    "locked-out": ("lock-out", "locked out"),
    "lockout-lifted": ("lifting the lock-out", "lock-out lifted"),
}
_DEVICES = {
    MISMATCH: "Pin mismatch: {place} does not follow",
    "device:follows-again": "{place} follows again",
    "device:restless": "{place} does not hold still: what it says means nothing",
    "device:holds-still": "{place} holds still again",
    "device:unreadable": "{place} cannot be read: nobody knows what it would say",
    "device:reads-again": "{place} is read again",
    "device:added": "New device: {place}",
    "device:tightened": "{place} was made stricter",
    "device:loosening": "{place} wants to be less strict",
    "device:loosened": "{place} was made less strict",
    "device:command": "{place}: a command that cannot be read",
}
_HOME = {
    "home:locked-down": ("The home is locked down", "The lockdown failed"),
    "home:lockdown-ended": ("The lockdown is over", "Ending the lockdown failed"),
    "home:renamed": ("The hub gets another name", "The hub got no other name"),
}
"""Of the whole home, so without a place: what was done, and that it was not."""
KNOWN = (*HAPPENINGS, *_HOME, *_DEVICES, *(f"device:{action}" for action in _VERBS))
"""Every event that has words here, by its `what`."""
_STORES = ("audit:torn", "audit:paused", "audit:unwritable", "audit:kept-again")
_OF_ROOMS = frozenset(
    {
        *_DEVICES,
        *(f"device:{action}" for action in Action),
        *("device:command", "audit:dropped", "service:replaced", *_STORES),
    }
)
"""What rooms tell; everything else is the hub's to say."""
_WHOLE_HOME = "home"
_OURSELVES = "alerts"
"""What the alert service says of itself needs no name in a subject."""
_BY_NAME = frozenset({"room", "client", "certificate", "address"})
_NO_OUTCOME = frozenset(
    {
        *("room:offline", "room:online-again", "session:new-place", "certificate:ending", "service:replaced"),
        *("audit:record-torn", "accounts:torn", *_STORES),
    }
)
_OUTCOMES = {
    Outcome.ASKED: "asked for, nothing more is known",
    Outcome.EXECUTED: "executed",
    Outcome.REJECTED: "rejected, nothing was done",
    Outcome.EXPIRED: "expired, it came too late and nothing was done",
    Outcome.FAILED: "failed, look at the device",
    Outcome.UNKNOWN: "unknown, the room's word never came: look at the device",
}


def clean(text: str, most: int = TEXT_CHARACTERS) -> str:
    """One line of printable characters: no control, no direction mark, no line end; cut at `most`."""
    kept = "".join(" " if (kind := unicodedata.category(sign))[0] == "Z" or kind == "Cc" else sign for sign in text)
    kept = "".join(sign for sign in kept if unicodedata.category(sign)[0] != "C")
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def place(where: str) -> str:
    """`hall/front-door` as "Front door (hall)"; anything else as it stands."""
    room, slash, device = where.partition("/")
    if slash and is_identity(room) and is_identity(device):
        return f"{device.replace('-', ' ').capitalize()} ({room})"
    return clean(where)


def headline(what: str, where: str, outcome: Outcome, source: str, *, named: str = "") -> str:
    """What happened, in a few words; `named` is what the event calls the account that it is about.

    What only the hub can know is given as a claim where a room says it: a captured one must not speak in its name.
    """
    subject, _, action = what.partition(":")
    if not _may_say(source, what):
        whom = about(where, "")
        told = f"The room {source} claims: {clean(what, 60).replace(':', ' ').replace('-', ' ')}"
        return f"{told}, {whom}" if whom else told
    if what in _HOME:
        return _HOME[what][outcome is not Outcome.EXECUTED]
    if subject != "device":
        told = HAPPENINGS.get(what) or clean(what, 60).replace(":", " ").replace("-", " ").capitalize()
        whom = about(where, named)
        return f"{told}: {whom}" if whom else told
    if what in _DEVICES:
        return _DEVICES[what].format(place=place(where))
    verb, done = _VERBS.get(action, (clean(action, NAME_CHARACTERS), clean(action, NAME_CHARACTERS)))
    match outcome:
        case Outcome.EXECUTED:
            return f"{place(where)} {done}"
        case Outcome.REJECTED:
            return f"{place(where)}: {verb} refused"
        case Outcome.EXPIRED:
            return f"{place(where)}: {verb} came too late"
        case Outcome.FAILED:
            return f"{place(where)}: {verb} failed"
    return f"{place(where)}: {verb}, outcome unknown"


def about(where: str, named: str) -> str:
    """Whom or what an event is about, as people call it; an id that tells them nothing is left out."""
    kind, slash, name = where.partition("/")
    if where == _WHOLE_HOME or (slash and kind == "session"):
        return ""
    if slash and kind == "user":
        return clean(named, NAME_CHARACTERS)
    return clean(name, NAME_CHARACTERS) if slash and kind in _BY_NAME else place(where)


def has_outcome(what: str) -> bool:
    """Whether how it ended says more than that it happened."""
    return what not in _NO_OUTCOME


def outcome_sentence(outcome: Outcome, what: str) -> str:
    """An outcome and what it means; only of a device it can be said where to look."""
    told = _OUTCOMES[outcome]
    return told if what.startswith("device:") else told.partition(", ")[0]


def advice(what: str, source: str) -> str:
    """What to do about it; the letter goes on with "and look at the history"."""
    if not _may_say(source, what):
        return f"Only the hub can know such a thing. If the room {source} was not being tried out, revoke it,"
    return next_steps.ADVICE.get(
        what, "If this was not meant to happen: lock what is open, end the sessions you do not know,"
    )


def who(row: Row) -> str:
    """Who did it; a room's word is given as its claim (docs/record.md), unless it speaks of nobody but itself."""
    told = row.event.who
    if _by_the_room_itself(row):
        return f"{who_briefly(row)} in the room {row.source}" if row.event.detail.get(BUTTON) else who_briefly(row)
    user = clean(told.user.name, NAME_CHARACTERS) if told.user is not None else ""
    issuer = clean(told.issuer, NAME_CHARACTERS)
    if is_trusted(row.source):
        return f"{user} (through {issuer})" if user else issuer
    named = f"{user} (through {issuer})" if user else issuer
    return f"{named}, as claimed by the room {row.source}"


def who_briefly(row: Row) -> str:
    """The same for a subject line."""
    told = row.event.who
    if _by_the_room_itself(row):
        button = clean(row.event.detail.get(BUTTON, ""), NAME_CHARACTERS)
        return f"the button {button}" if button else f"the room {row.source}"
    name = clean(told.user.name if told.user is not None else told.issuer, NAME_CHARACTERS)
    return name if is_trusted(row.source) else f"{name} (claimed)"


def address(row: Row) -> str:
    """From where it was asked for."""
    told = row.event.who.address
    if not told:
        return f"the room {row.source}" if _by_the_room_itself(row) else "not known"
    return clean(told, 80) if is_trusted(row.source) else f"{clean(told, 80)}, as claimed by the room {row.source}"


def times(moment: datetime, zone: tzinfo) -> str:
    """Local time with its zone, and UTC."""
    local = moment.astimezone(zone)
    return f"{local:%A %d %B %Y, %H:%M:%S} {local.tzname()} ({moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC)"


def subject(text: str, row: Row, zone: tzinfo) -> str:
    """A subject that a lock screen shows whole: what, who, when."""
    mark = "Security: " if row.event.severity is Severity.SECURITY else ""
    who = "" if row.event.who.issuer == _OURSELVES else f"{who_briefly(row)}, "
    line = f"{mark}{text} — {who}{row.event.at.astimezone(zone):%H:%M}"
    return clean(line, SUBJECT_CHARACTERS)


def _may_say(source: str, what: str) -> bool:
    """Whether `source` may say such a thing at all: a room speaks of its devices, and of its own spool."""
    return is_trusted(source) or what in _OF_ROOMS


def _by_the_room_itself(row: Row) -> bool:
    """Whether the room says that it did this of itself: the broker vouches for the room, and nobody else is named."""
    return not is_trusted(row.source) and row.event.who.issuer == row.source and row.event.who.user is None
