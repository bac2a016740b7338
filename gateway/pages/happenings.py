"""The history's lines in words, pure: what happened, where, by whom and how it ended."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from gateway.pages import times, user_agents
from gateway.picture import guards
from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words.happenings import HAPPENINGS, VERBS
from shared.words.internal_alerts import AuditRecord
from shared.words.messages import AuditEvent
from shared.words.names import Action, Outcome, Severity, is_gateway
from shared.words.problem import CATALOGUE

_HAPPENINGS = {
    **HAPPENINGS,
    "home:locked-down": "The home was locked down",
    "home:lockdown-ended": "The lockdown was ended",
    "home:renamed": "The hub got another name",
    "device:added": "Device added",
    "device:tightened": "Device made stricter",
    "device:loosening": "Device wants to be less strict",
    "device:loosened": "Device made less strict",
    "device:command": "Command that cannot be read",
    "device:locked-out": "Locked out",
    "device:lockout-lifted": "Lock-out lifted",
    "device:mismatch": "Pin does not follow",
    "device:follows-again": "Pin follows again",
    "device:restless": "Input does not hold still",
    "device:holds-still": "Input holds still again",
    "device:unreadable": "Input cannot be read",
    "device:reads-again": "Input is read again",
}
"""What stands in the column beside the place: a letter says it of the place, in a sentence (alert_service)."""
_OF_ROOMS = ("device:", "audit:dropped", "audit:torn", "audit:paused", "audit:unwritable", "audit:kept-again")
"""What a room may tell of; all else is the hub's to say."""
_HUB = {"admin": "the hub's command line", "auth": "the hub", "alerts": "the hub"}
_REASONS = {
    "no-answer": "The room did not answer in time.",
    "link-lost": "The link to the broker was lost.",
    "gateway-stopped": "The hub stopped in the middle of it.",
}
_BUTTON = "button"
"""In an event's detail: the button in the room by which it was done."""
OUTCOMES: dict[str, tuple[str, str]] = {
    Outcome.ASKED: ("asked", "unsure"),
    Outcome.EXECUTED: ("done", "good"),
    Outcome.REJECTED: ("refused", "bad"),
    Outcome.EXPIRED: ("too late", "bad"),
    Outcome.FAILED: ("failed", "bad"),
    Outcome.UNKNOWN: ("not known", "unsure"),
}
"""How it ended, in words, and the tone to say them in."""


class Line(NamedTuple):
    """One event, ready to be shown. `tone` is "good", "bad" or "unsure"; `notes` say what needs saying.

    `ended_in` is the row that tells how what was asked for ended, where it is on the page; `hash` is the row's own.
    """

    row: int
    hash: str
    source: str
    received_at: datetime
    at: datetime
    what: str
    where: str
    who: str
    address: str
    outcome: str
    tone: str
    severity: str
    notes: tuple[str, ...]
    ended_in: int | None


class Day(NamedTuple):
    """The events of one day, newest first."""

    name: str
    lines: tuple[Line, ...]


def days(events: Iterable[AuditRecord], rooms: Iterable[RoomView], now: datetime) -> list[Day]:
    """The page's events by day."""
    events, rooms = tuple(events), tuple(rooms)
    ended = {_wish(event): event.row for event in events if event.outcome is not Outcome.ASKED}
    found: list[Day] = []
    for event in events:
        one = line(event, rooms, ended_in=ended.get(wish) if (wish := _wish(event)) is not None else None)
        name = times.day(event.at, now)
        if found and found[-1].name == name:
            found[-1] = Day(name, (*found[-1].lines, one))
        else:
            found.append(Day(name, (one,)))
    return found


def line(event: AuditRecord, rooms: Iterable[RoomView], *, ended_in: int | None) -> Line:
    """One event. `ended_in`: the row of the page that tells how the same command ended."""
    outcome, tone = OUTCOMES[event.outcome]
    asked = event.outcome is Outcome.ASKED
    notes = ["How it ended is not recorded here."] if asked and ended_in is None else []
    reason = event.detail.get("reason")
    if reason is not None:
        notes.append(f"{CATALOGUE[reason].title}." if reason in CATALOGUE else _REASONS.get(reason, plain(reason)))
    if event.what == "device:mismatch":
        notes.append(_mismatch(event))
    if event.what.startswith("audit:") and "told" in event.detail:
        notes.append(plain(event.detail["told"]))
    if not (event.what.startswith(_OF_ROOMS) or event.source in _HUB or is_gateway(event.source)):
        notes.append(f"Nobody but {plain(event.source, 32)} says so, and it is not the hub.")
    if "count" in event.detail:
        notes.append(f"{plain(event.detail['count'], 12)} times.")
    return Line(
        row=event.row,
        hash=event.hash,
        source=plain(event.source, 32),
        received_at=event.received_at,
        at=event.at,
        what=_what(event),
        where=_where(event, rooms),
        who=_who(event),
        address=plain(event.who.address or "", 64),
        outcome=outcome,
        tone=tone,
        severity="" if event.severity is Severity.INFO else str(event.severity),
        notes=tuple(notes),
        ended_in=ended_in if asked else None,
    )


def _mismatch(event: AuditEvent) -> str:
    """What was written to the pin and what it reads, by the room's word."""
    pin, wrote, reads = (plain(event.detail.get(name, "?"), 16) for name in ("pin", "wrote", "reads"))
    return f"Pin {pin} was told {wrote} and reads {reads}."


def _wish(event: AuditEvent) -> tuple[str, str] | None:
    """Issuer and id name one command; other events have none."""
    return (event.who.issuer, event.command_id) if event.command_id is not None else None


def _what(event: AuditEvent) -> str:
    subject, _, action = event.what.partition(":")
    if subject == "device" and action in VERBS:
        value = event.detail.get("value")
        wish = VERBS[action][0].capitalize()
        return f"{wish} to {plain(value, 8)} %" if action == Action.SET and value else wish
    known = _HAPPENINGS.get(event.what)
    return known or plain(event.what.replace(":", " ").replace("-", " "), 80).capitalize()


def _where(event: AuditEvent, rooms: Iterable[RoomView]) -> str:
    """`hall/lamp` by the names that it has now, else as it was written; ids that tell people nothing are left out."""
    if event.what.startswith("home:"):
        return ""
    if event.what.startswith("session:"):
        return user_agents.named(event.detail["browser"]) if "browser" in event.detail else ""
    if event.where.startswith("user/"):
        return plain(event.detail.get("user", ""))
    return named(event.where, rooms)


def named(place: str, rooms: Iterable[RoomView]) -> str:
    """A place by its name, where it has one."""
    first, _, second = place.partition("/")
    for room in rooms:
        if (first, second) in (("room", room.id), (room.id, "")):
            return plain(room.name)
        if room.id == first:
            for device in room.devices:
                if device.id == second:
                    return f"{plain(device.name)}, {plain(room.name)}"
    return plain(second if first in ("room", "client", "certificate") else place, 80)


def _who(event: AuditEvent) -> str:
    """The person, else the broker identity; a room's unconfirmed word is given as its claim (docs/record.md)."""
    who = event.who
    if who.user is not None:
        name = plain(who.user.name)
    elif event.where.startswith(f"{who.issuer}/"):
        button = plain(event.detail.get(_BUTTON, ""))
        name = f"the button {button} in the room" if button else "the room itself"
    else:
        name = "the hub" if is_gateway(who.issuer) else _HUB.get(who.issuer, plain(who.issuer))
    room = event.detail.get(guards.CLAIMED_BY)
    return f"{name}, as claimed by the room {plain(room)}" if room is not None else name
