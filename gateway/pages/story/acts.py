"""What was done, in words of the page's language: what, where, by whom and how it ended."""

from collections.abc import Iterable
from datetime import datetime

from gateway.pages import browsers
from gateway.pages.guests import words
from gateway.pages.speaking import say
from gateway.pages.story.lines import Line, Stamp, named
from gateway.picture import guards
from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words import grant_text
from shared.words.happenings import HAPPENINGS
from shared.words.internal_alerts import AuditRecord
from shared.words.languages import later
from shared.words.messages import AuditEvent
from shared.words.names import Action, Outcome, Severity, is_gateway
from shared.words.pending_words import ENDED
from shared.words.problem import CATALOGUE

_HAPPENINGS = {
    **HAPPENINGS,
    "home:locked-down": later("The home was locked down"),
    "home:lockdown-ended": later("The lockdown was ended"),
    "home:factor-demanded": later("Strong factors asked of everyone"),
    "home:factor-not-demanded": later("Strong factors asked of nobody"),
    "home:renamed": later("The hub got another name"),
    "home:authority-followed": later("Another authority signs certificates"),
    "home:authority-ended": later("The former authority has ended"),
    "home:web-authority-followed": later("Browsers are to know another authority"),
    "home:web-authority-changed": later("Browsers are shown another authority"),
    "home:web-authority-ended": later("The former authority for browsers has ended"),
    "home:restored": later("The home was brought back from a backup"),
    "home:upgraded": later("Newer version of Home System"),
    "device:added": later("Device added"),
    "device:tightened": later("Device made stricter"),
    "device:loosening": later("Device wants to be less strict"),
    "device:loosened": later("Device made less strict"),
    "device:kept-strict": later("Device stays as strict as it was"),
    "device:confirm-tightened": later("Asks for more before it acts"),
    "device:confirm-loosened": later("Asks for less before it acts"),
    "device:wished": later("Wants what takes two"),
    "device:agreed": later("Agreed to what takes two"),
    "device:taken-back": later("Took back what takes two"),
    "device:wish-dropped": later("Nothing came of what takes two"),
    "device:appointed": later("Made an appointment"),
    "device:vetoed": later("Refused an appointment"),
    "device:appointment-dropped": later("Appointment that did not take place"),
    "device:appointment-unknown": later("Appointment of which nobody knows how it ended"),
    "device:command": later("Command that cannot be read"),
    "device:locked-out": later("Locked out"),
    "device:lockout-lifted": later("Lock-out lifted"),
    "device:mismatch": later("Pin does not follow"),
    "device:follows-again": later("Pin follows again"),
    "device:restless": later("Input does not hold still"),
    "device:holds-still": later("Input holds still again"),
    "device:unreadable": later("Input cannot be read"),
    "device:reads-again": later("Input is read again"),
}
"""What stands in the column beside the place: a letter says it of the place, in a sentence (alert_service)."""
_OF_ROOMS = (
    *("device:", "room:file-changed", "room:file-put-back"),
    *("audit:dropped", "audit:torn", "audit:paused", "audit:unwritable", "audit:kept-again"),
)
"""What a room may tell of; all else is the hub's to say."""
_HUB = {"admin": later("the hub's command line"), "auth": later("the hub"), "alerts": later("the hub")}
_REASONS = {
    "no-answer": later("The room did not answer in time."),
    "link-lost": later("The link to the broker was lost."),
    "gateway-stopped": later("The hub stopped in the middle of it."),
}
_WISHES: dict[str, str] = {
    Action.ON: later("Switch on"),
    Action.OFF: later("Switch off"),
    Action.SET: later("Set"),
    Action.LOCK: later("Lock"),
    Action.UNLOCK: later("Unlock"),
    Action.OPEN: later("Open"),
    Action.CLOSE: later("Close"),
    Action.STOP: later("Stop"),
    Action.PRESS: later("Press"),
}
_SEVERITIES = {Severity.CRITICAL: later("critical"), Severity.SECURITY: later("security")}
_NOTE_CHARACTERS = 400
_BY_NAME = frozenset({"client", "certificate", "address"})
"""What is called by what comes behind the slash; a room of that name tells of its devices itself."""
_BUTTON = "button"
"""In an event's detail: the button in the room by which it was done."""
OUTCOMES: dict[str, tuple[str, str]] = {
    Outcome.ASKED: (later("asked"), "unsure"),
    Outcome.EXECUTED: (later("done"), "good"),
    Outcome.REJECTED: (later("refused"), "bad"),
    Outcome.EXPIRED: (later("too late"), "bad"),
    Outcome.FAILED: (later("failed"), "bad"),
    Outcome.UNKNOWN: (later("not known"), "unsure"),
}
"""How it ended, in words, and the tone to say them in."""


_TAKES_TWO = frozenset({"device:wished", "device:agreed", "device:taken-back", "device:wish-dropped"})
_APPOINTMENTS = frozenset(
    {"device:appointed", "device:vetoed", "device:appointment-dropped", "device:appointment-unknown"}
)
"""What befalls a wish that waits; the wish itself is in the detail."""
_PICTURES = {
    Action.ON: "power",
    Action.OFF: "power",
    Action.SET: "lamp",
    Action.LOCK: "lock",
    Action.UNLOCK: "unlock",
    Action.OPEN: "arrow-open",
    Action.CLOSE: "arrow-close",
    Action.STOP: "stop",
    Action.PRESS: "gate",
    "locked-out": "barred",
    "lockout-lifted": "check",
}
"""By what was done with a device."""
_PICTURES_OF = {"account": "person", "session": "person", "client": "person", "audit": "seal", "home": "home"}
_PICTURES_OF |= {"room": "house", "certificate": "seal", "rights": "seal", "service": "alert", "backup": "alert"}
"""By what else it is about."""


def line(
    event: AuditRecord, rooms: Iterable[RoomView], now: datetime, *, intents: Iterable[AuditRecord], ended: bool
) -> Line:
    """One event, with what was asked before it. `ended`: the page tells how this command ended."""
    intents = tuple(intents)
    outcome, tone = OUTCOMES[event.outcome]
    asked = event.outcome is Outcome.ASKED
    notes = [say("How it ended is not recorded here.")] if asked and not ended else []
    reason = event.detail.get("reason")
    if reason is not None:
        notes.append(_reason(reason))
    notes += _of_what_waits(event)
    notes += _of_appointment((event, *intents), now)
    if event.what == "device:mismatch":
        notes.append(_mismatch(event))
    if event.what.startswith("audit:") and "told" in event.detail:
        notes.append(plain(event.detail["told"]))
    if event.what == "account:grants-changed":
        notes.append(say("From now on: {grants}.", grants=_granted(event, rooms, now)))
    if not (event.what.startswith(_OF_ROOMS) or _is_the_hubs(event)):
        notes.append(say("Nobody but {source} says so, and it is not the hub.", source=plain(event.source, 32)))
    if "token" in event.detail and not event.what.startswith("account:"):
        notes.append(say("Asked for by the API token {name}.", name=plain(event.detail["token"], 64)))
    if event.detail.get("count", "1") != "1":
        notes.append(say("{count} times.", count=plain(event.detail["count"], 12)))
    return Line(
        anchor=f"row-{event.row}",
        picture=_picture(event),
        at=event.at,
        what=_what(event),
        where=_where(event, rooms),
        who=_who(event),
        address=plain(event.who.address or "", 64),
        outcome=say(outcome),
        tone=tone,
        severity="" if event.severity is Severity.INFO else say(_SEVERITIES[event.severity]),
        notes=tuple(notes),
        stamps=tuple(map(_stamp, (event, *intents))),
    )


def _granted(event: AuditEvent, rooms: Iterable[RoomView], now: datetime) -> str:
    """What a guest may from then on, in words; a later version's as it stands."""
    told = []
    for line in (text for name, text in event.detail.items() if name.startswith("grant-")):
        try:
            told.append(words.sentence(grant_text.read(line), rooms, now))
        except ValueError:
            told.append(line)
    return plain("; ".join(told) or say("nothing"), _NOTE_CHARACTERS)


def _of_what_waits(event: AuditEvent) -> list[str]:
    """Of what takes two persons, or its time: what is wanted, and who wanted it first."""
    notes, action, first = list[str](), event.detail.get("action"), plain(event.detail.get("user", ""), 64)
    waits = event.what in _TAKES_TWO | _APPOINTMENTS
    if waits and action in _WISHES:
        notes.append(_wish(action, event.detail.get("value")) + ".")
    if first and event.what in _APPOINTMENTS:
        notes.append(say("Wanted by {name}.", name=first))
    elif first and (waits or event.what.partition(":")[2] in _WISHES):
        notes.append(say("Wanted first by {name}.", name=first))
    return notes


def _of_appointment(events: Iterable[AuditRecord], now: datetime) -> list[str]:
    """For when it was, where the hub says so: a room knows of no appointment."""
    told = next((one.detail["due"] for one in events if "due" in one.detail and _is_the_hubs(one)), None)
    try:
        due = datetime.fromisoformat(told or "").astimezone(now.tzinfo)
    except ValueError:
        return []
    return [say("Appointment for {time}.", time=f"{due:%H:%M:%S}")]


def _is_the_hubs(event: AuditRecord) -> bool:
    return event.source in _HUB or is_gateway(event.source)


def _wish(action: str, value: str | None) -> str:
    if action == Action.SET and value:
        return say("Set to {value} %", value=plain(value, 8))
    return say(_WISHES[action])


def _reason(reason: str) -> str:
    """Why it was not done; in its own words where they are none of ours."""
    if reason in CATALOGUE:
        return f"{say(CATALOGUE[reason].title)}."
    known = _REASONS | ENDED
    return say(known[reason]) if reason in known else plain(reason)


def _stamp(event: AuditRecord) -> Stamp:
    said = say(OUTCOMES[event.outcome][0])
    return Stamp(event.row, event.hash, plain(event.source, 32), event.at, event.received_at, said)


def _picture(event: AuditEvent) -> str:
    subject, _, action = event.what.partition(":")
    if subject == "device":
        return _PICTURES.get(action, "warning" if event.severity is not Severity.INFO else "history")
    return _PICTURES_OF.get(subject, "history")


def _mismatch(event: AuditEvent) -> str:
    """What was written to the pin and what it reads, by the room's word."""
    pin, wrote, reads = (plain(event.detail.get(name, "?"), 16) for name in ("pin", "wrote", "reads"))
    return say("Pin {pin} was told {wrote} and reads {reads}.", pin=pin, wrote=wrote, reads=reads)


def _what(event: AuditEvent) -> str:
    subject, _, action = event.what.partition(":")
    if subject == "device" and action in _WISHES:
        return _wish(action, event.detail.get("value"))
    known = _HAPPENINGS.get(event.what)
    return say(known) if known else plain(event.what.replace(":", " ").replace("-", " "), 80).capitalize()


def _where(event: AuditRecord, rooms: Iterable[RoomView]) -> str:
    """`hall/lamp` by the names that it has now, else as it was written; ids that tell people nothing are left out."""
    if event.what.startswith("home:"):
        return ""
    if event.what.startswith("session:"):
        return browsers.named(event.detail["browser"]) if "browser" in event.detail else ""
    if event.where.startswith("user/"):
        return plain(event.detail.get("user", ""))
    kind, _, name = event.where.partition("/")
    return plain(name) if kind in _BY_NAME and _is_the_hubs(event) else named(event.where, rooms)


def _who(event: AuditEvent) -> str:
    """The person, else the broker identity; a room's unconfirmed word is given as its claim (docs/record.md)."""
    who = event.who
    if who.user is not None:
        name = plain(who.user.name)
    elif event.where.startswith(f"{who.issuer}/"):
        button = plain(event.detail.get(_BUTTON, ""))
        name = say("the button {name} in the room", name=button) if button else say("the room itself")
    else:
        known = _HUB["auth"] if is_gateway(who.issuer) else _HUB.get(who.issuer)
        name = say(known) if known is not None else plain(who.issuer)
    room = event.detail.get(guards.CLAIMED_BY)
    return say("{name}, as claimed by the room {room}", name=name, room=plain(room)) if room is not None else name
