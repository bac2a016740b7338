"""How events are told to a reader, pure: titles, sentences, and whose word it is that somebody did it.

Every text that a room or a client supplied is cleaned and cut before it reaches a letter (cleaning.py).
"""

from alert_service.chain.chain import Row
from alert_service.chain.sources import is_trusted
from alert_service.telling import acts, happened, next_steps
from alert_service.telling.cleaning import NAME_CHARACTERS, SUBJECT_CHARACTERS, clean, moment_of, words
from alert_service.telling.reader import Reader
from alert_service.telling.story import Story
from shared.words.happenings import HAPPENINGS
from shared.words.languages import later
from shared.words.messages import AuditEvent
from shared.words.names import Action, Outcome, Severity, is_gateway

BUTTON = "button"
"""In an event's detail: the button in the room by which it was done."""
KNOWN = (*HAPPENINGS, *happened.HOME, *acts.OF_DEVICES, *(f"device:{action}" for action in acts.ACTS))
"""Every event that has words here, by its `what`."""
_STORES = ("audit:torn", "audit:paused", "audit:unwritable", "audit:kept-again")
_WISHES = frozenset(
    {
        *("device:wished", "device:agreed", "device:taken-back", "device:wish-dropped"),
        *(acts.APPOINTED, "device:vetoed", "device:appointment-dropped", "device:appointment-unknown"),
    }
)
"""What befalls a wish that takes two persons, or its time; only the hub knows of it."""
_OF_ROOMS = frozenset(
    {
        *(what for what in acts.OF_DEVICES if what not in _WISHES),
        *(f"device:{action}" for action in Action),
        *("audit:dropped", "service:replaced", "room:file-changed", "room:file-put-back", *_STORES),
    }
)
"""What rooms tell; everything else is the hub's to say."""
_ACTS = frozenset(f"device:{action}" for action in acts.ACTS)
_NAMES_SOMEBODY = _ACTS | {"device:loosened", "device:kept-strict"}
"""A room that says one of these may mean anybody by it."""
_OF_TWO = frozenset(f"device:{action}" for action in Action)
"""What a gateway may tell of two: whose press it was, and in the detail's `user` who had wanted it before."""
_WHOLE_HOME = "home"
_OURSELVES = "alerts"
"""What the alert service says of itself needs no name in a subject."""
_BY_NAME = frozenset({"client", "certificate", "address"})
_NO_OUTCOME = frozenset(
    {
        *("room:offline", "room:online-again", "session:new-place", "certificate:ending", "service:replaced"),
        *("audit:record-torn", "accounts:torn", "backup:failed", "backup:old", *_STORES),
    }
)
OUTCOMES = {
    Outcome.ASKED: later("asked for, nothing more is known"),
    Outcome.EXECUTED: later("executed"),
    Outcome.REJECTED: later("refused"),
    Outcome.EXPIRED: later("came too late"),
    Outcome.FAILED: later("failed"),
    Outcome.UNKNOWN: later("not known"),
}
_HUB = {"admin": later("the hub's command line"), "auth": later("the hub"), _OURSELVES: later("the hub")}


def title(story: Story, reader: Reader) -> str:
    """What happened, in a few words.

    What only the hub can know is given as a claim where a room says it: a captured one must not speak in its name.
    """
    source, event = story.named.source, story.named.event
    if not may_say(source, event.what):
        whom = _about(event, "", reader)
        told = f"{words(event.what)}, {whom}" if whom else words(event.what)
        return reader.say(happened.CLAIM, room=reader.names.room(source), told=told)
    if event.what in happened.HOME:
        return reader.say(_of_home(story)[0])
    subject, _, action = event.what.partition(":")
    if subject != "device":
        told = reader.say(HAPPENINGS[event.what]) if event.what in HAPPENINGS else words(event.what).capitalize()
        whom = _about(event, source, reader)
        return f"{told}: {whom}" if whom else told
    place = reader.names.place(event.where)
    if event.what in acts.OF_DEVICES:
        return reader.say(acts.OF_DEVICES[event.what][0], place=place, **_appointment(event, reader))
    form = acts.ACTS.get(action, acts.OTHER)
    told = acts.TITLES.get(story.known, form.title)
    return reader.say(told, place=place, wish=_wish(action, reader))


def sentence(story: Story, reader: Reader) -> str:
    """Who did what where, when in the home's time, and how it ended."""
    source, event = story.named.source, story.named.event
    if not may_say(source, event.what):
        return f"{title(story, reader)}."
    told = _of_device(story, reader) if event.what.startswith("device:") else _of_others(story, reader)
    if is_trusted(source) or _by_the_room_itself(story.named) or event.what not in _NAMES_SOMEBODY:
        return told[:1].upper() + told[1:] if told.startswith(_ours(story.named, reader)) else told
    return reader.say(happened.CLAIM, room=reader.names.room(source), told=told)


def _of_device(story: Story, reader: Reader) -> str:
    event = story.named.event
    action = event.what.partition(":")[2]
    gaps = {
        "who": who_briefly(story.named, reader, claimed=False),
        "place": reader.names.place(event.where),
        "time": reader.time(event.at),
    }
    if event.what in acts.OF_DEVICES:
        return reader.say(acts.OF_DEVICES[event.what][1], **gaps, **_appointment(event, reader))
    form, wish = acts.ACTS.get(action, acts.OTHER), _wish(action, reader)
    if story.known is Outcome.EXECUTED:
        value = clean(event.detail.get("value", ""), 8)
        if action == Action.SET and value:
            return reader.say(acts.SET_TO, value=value, **gaps)
        return reader.say(form.sentence, wish=wish, **gaps)
    if f"device:{action}" not in _OF_ROOMS:
        return reader.say(acts.LOCKOUT_FAILED, wish=wish, **gaps)
    return reader.say(acts.SENTENCES[story.known], wish=wish, **gaps)


def _appointment(event: AuditEvent, reader: Reader) -> dict[str, str]:
    """What is to be done, and when; of anything else nothing that a sentence has a gap for."""
    due = moment_of(event.detail.get("due", "")) or event.at
    return {"wish": _wish(event.detail.get("action", ""), reader), "due": reader.time(due)}


def _of_others(story: Story, reader: Reader) -> str:
    source, event = story.named.source, story.named.event
    who, time = who_briefly(story.named, reader, claimed=False), reader.time(event.at)
    if event.what in happened.HOME:
        return reader.say(_of_home(story)[1], who=who, time=time)
    about = _about(event, source, reader)
    if event.what in happened.EVENTS and (event.outcome is Outcome.EXECUTED or event.what in _NO_OUTCOME):
        since = moment_of(event.detail.get("since", "")) or event.at
        gaps = {"about": about or who, "who": who, "time": time, "since": reader.time(since)}
        return reader.say(happened.EVENTS[event.what], **gaps)
    known = reader.say(HAPPENINGS[event.what]) if event.what in HAPPENINGS else words(event.what).capitalize()
    if about:
        return reader.say(happened.OTHER, title=known, about=about, time=time)
    return reader.say(happened.OTHER_OF_NONE, title=known, time=time)


def _of_home(story: Story) -> tuple[str, str]:
    done, failed = happened.HOME[story.named.event.what]
    return done if story.known is Outcome.EXECUTED else failed


def _wish(action: str, reader: Reader) -> str:
    known = acts.ACTS.get(action)
    return reader.say(known.wish) if known is not None else clean(action, NAME_CHARACTERS)


def _about(event: AuditEvent, source: str, reader: Reader) -> str:
    """Whom or what an event is about, as people call it; an id that tells them nothing is left out.

    A room may call nobody anything.
    """
    kind, slash, name = event.where.partition("/")
    if event.where in {_WHOLE_HOME, _OURSELVES} or (slash and kind == "session"):
        return ""
    if slash and kind == "user":
        return clean(event.detail.get("user", ""), NAME_CHARACTERS) if source and is_trusted(source) else ""
    if slash and kind == "room":
        return reader.names.room(name)
    return clean(name, NAME_CHARACTERS) if slash and kind in _BY_NAME else reader.names.place(event.where)


def outcome(story: Story, reader: Reader) -> str:
    """How it ended: of an act always, as whoever said so last; of anything else where it was not done."""
    what = story.named.event.what
    if what in _NO_OUTCOME or what in happened.HOME or what in acts.OF_DEVICES:
        return ""
    said = reader.say(OUTCOMES[story.known])
    if what in _ACTS and story.outcome is not None and not is_trusted(story.outcome.source):
        room = reader.names.room(story.outcome.source)
        return reader.say(later("{outcome}, by the room {room}'s word"), outcome=said, room=room)
    return "" if story.known is Outcome.EXECUTED and what not in _ACTS else said


def advice(story: Story, reader: Reader) -> str:
    """What to do about it."""
    what, source = story.named.event.what, story.named.source
    if not may_say(source, what):
        return reader.say(next_steps.HUB_ALONE, room=reader.names.room(source))
    return reader.say(next_steps.ADVICE.get(what, next_steps.USUAL))


def who(row: Row, reader: Reader) -> str:
    """Who did it; a room's word is given as its claim (docs/record.md), unless it speaks of nobody but itself."""
    told = row.event.who
    if _by_the_room_itself(row):
        brief = who_briefly(row, reader)
        if not row.event.detail.get(BUTTON):
            return brief
        return reader.say(later("{who} in the room {room}"), who=brief, room=reader.names.room(row.source))
    issuer = _issuer(told.issuer, reader)
    named = issuer
    if told.user is not None:
        user = _persons(row, reader)
        named = reader.say(later("{who} (through {issuer})"), who=user, issuer=clean(told.issuer, NAME_CHARACTERS))
    return named if is_trusted(row.source) else _claimed(named, row, reader)


def who_briefly(row: Row, reader: Reader, *, claimed: bool = True) -> str:
    """The same for a subject line or a sentence; with `claimed`, a claim is marked here."""
    told = row.event.who
    if _by_the_room_itself(row):
        return _ours(row, reader)
    name = _persons(row, reader) if told.user is not None else _issuer(told.issuer, reader)
    return reader.say(later("{who} (claimed)"), who=name) if claimed and not is_trusted(row.source) else name


def _persons(row: Row, reader: Reader) -> str:
    """Whoever did it; where it took two, both of them."""
    told = row.event
    name = clean(told.who.user.name, NAME_CHARACTERS) if told.who.user is not None else ""
    partner = told.detail.get("user", "") if told.what in _OF_TWO and is_trusted(row.source) else ""
    if not partner:
        return name
    return reader.say(later("{first} and {second}"), first=clean(partner, NAME_CHARACTERS), second=name)


def _ours(row: Row, reader: Reader) -> str:
    """What we call somebody who has no name of their own: a button, a room, the hub."""
    if _by_the_room_itself(row):
        button = row.event.detail.get(BUTTON, "")
        if button:
            return reader.say(later("the button {name}"), name=reader.names.device(row.source, clean(button)))
        return reader.say(later("the room {name}"), name=reader.names.room(row.source))
    return _issuer(row.event.who.issuer, reader)


def _issuer(issuer: str, reader: Reader) -> str:
    if is_gateway(issuer):
        return reader.say(later("the hub"))
    return reader.say(_HUB[issuer]) if issuer in _HUB else clean(issuer, NAME_CHARACTERS)


def _claimed(text: str, row: Row, reader: Reader) -> str:
    return reader.say(later("{told}, as claimed by the room {room}"), told=text, room=reader.names.room(row.source))


def address(row: Row, reader: Reader) -> str:
    """From where it was asked for; empty where nobody says."""
    told = clean(row.event.who.address or "", 80)
    return told if not told or is_trusted(row.source) else _claimed(told, row, reader)


def subject(text: str, row: Row, reader: Reader) -> str:
    """A subject that a lock screen shows whole: what, who, when."""
    mark = reader.say(later("Security: ")) if row.event.severity is Severity.SECURITY else ""
    named = "" if row.event.who.issuer == _OURSELVES else f"{who_briefly(row, reader)}, "
    return clean(f"{mark}{text} — {named}{reader.time(row.event.at)}", SUBJECT_CHARACTERS)


def may_say(source: str, what: str) -> bool:
    """Whether `source` may say such a thing at all: a room speaks of its devices, and of its own spool."""
    return is_trusted(source) or what in _OF_ROOMS


def _by_the_room_itself(row: Row) -> bool:
    """Whether the room says that it did this of itself: the broker vouches for the room, and nobody else is named."""
    return not is_trusted(row.source) and row.event.who.issuer == row.source and row.event.who.user is None
