"""Which part of the history a request asks for, pure: an address's parameters as a filter, for API and page alike.

What does not fit is a bad-request that says what would. A parameter that is empty is none: forms send all their fields.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal

from shared.words import local_time
from shared.words.internal_alerts import CURSOR, AuditFilter
from shared.words.names import Outcome, is_identity
from shared.words.problem import HomeError

Happenings = Literal["none", "too", "only"]
FIELDS: Final = ("user", "room", "device", "what", "outcome", "since", "until")
ACTS, HAPPENINGS = "acts", "happenings"
"""What `what` may be instead of kinds: all of one of the two."""
_FORM: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)([T ](?P<time>\d\d:\d\d(:\d\d(\.\d{1,6})?)?)(?P<zone>[Zz]|[+ -]\d\d:\d\d)?)?", re.ASCII
)
_USER: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_WHAT: Final = re.compile(r"[a-z0-9:*-]{1,64}(,[a-z0-9:*-]{1,64}){0,19}")
_CURSOR: Final = re.compile(CURSOR)
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


def read(query: Mapping[str, str], zone: tzinfo) -> AuditFilter:
    """The filter; dates and times without a zone are the household's. Raises bad-request."""
    given = {name: query[name] for name in FIELDS if query.get(name)}
    since, until = _since(given, zone), _until(given, zone)
    # Two times of an hour that was skipped mean one moment: a span in order, in which nothing can have happened.
    if since is not None and until is not None and (until, given["until"]) <= (since, given["since"]):
        raise _bad("until: it ends before it begins; write a later day, or leave one of them out.")
    return AuditFilter(
        user=_user(given.get("user")),
        room=_room(given.get("room")),
        device=_device(given.get("device"), given.get("room")),
        outcome=_outcome(given.get("outcome")),
        what=_what(given.get("what")),
        since=since,
        until=until,
    )


def happenings(query: Mapping[str, str], *, usually: Happenings) -> Happenings:
    """Whether what merely happened is wanted, beside what is recorded or alone. Raises bad-request."""
    if query.get("what") == ACTS:
        return "none"
    if query.get("what") == HAPPENINGS:
        return "only"
    match query.get("happenings"):
        case None | "":
            return usually
        case "none" | "too" | "only" as given:
            return given
    raise _bad("happenings: write none, too or only.")


def cursor(query: Mapping[str, str]) -> str | None:
    """Where the page before ended; None where none is named. Raises bad-request."""
    text = query.get("after")
    if text is not None and not _CURSOR.fullmatch(text):
        raise _bad("after: use a whole number, or what `next` of the page before says.")
    return text


def check_names(query: Mapping[str, str], *names: str) -> None:
    """Raises bad-request for a parameter that is none of ours, or comes twice: it would be thought to narrow."""
    for name in query:
        if name not in (*FIELDS, *names):
            raise _bad(f"{name[:40]}: there is no such parameter; there are {', '.join((*FIELDS, *names))}.")
    if len(set(query)) != len(query):
        raise _bad("A parameter comes twice: give each once.")


def number(query: Mapping[str, str], name: str, *, most: int) -> int | None:
    """A whole number from 1 to `most`; None where it is not given. Raises bad-request."""
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise _bad(f"{name}: use a whole number from 1 to {most}.")
    return int(text)


def is_date(text: str) -> bool:
    """Whether a moment is given as a day alone."""
    found = _FORM.fullmatch(text)
    return found is not None and found["time"] is None


def _user(text: str | None) -> str | None:
    if text is not None and not _USER.fullmatch(text):
        raise _bad("user: write a person's id, as an event's who.user.id has it.")
    return text


def _room(text: str | None) -> str | None:
    if text is not None and not is_identity(text):
        raise _bad("room: write a room's id, such as hall.")
    return text


def _device(text: str | None, room: str | None) -> str | None:
    if text is None:
        return None
    whole = text if "/" in text or room is None else f"{room}/{text}"
    first, _, second = whole.partition("/")
    if not (is_identity(first) and is_identity(second)):
        raise _bad("device: write room/device, such as hall/lamp.")
    return whole


def _what(text: str | None) -> str | None:
    if text in (None, ACTS, HAPPENINGS):
        return None
    if not _WHAT.fullmatch(text):
        raise _bad("what: write what an event is about, such as device:unlock or account:*; several with commas.")
    return text


def _outcome(text: str | None) -> Outcome | None:
    if text is None:
        return None
    if text not in set(Outcome):
        raise _bad(f"outcome: write one of {', '.join(Outcome)}.")
    return Outcome(text)


def _since(given: Mapping[str, str], zone: tzinfo) -> datetime | None:
    """In UTC; a time that comes twice counts from its first pass."""
    moment = _moment(given, "since")
    if moment is None or moment.tzinfo is not None:
        return moment
    return local_time.first(moment, zone)


def _until(given: Mapping[str, str], zone: tzinfo) -> datetime | None:
    """In UTC; a time that comes twice counts to its last pass, and a day alone to its end."""
    moment = _moment(given, "until")
    if moment is None or moment.tzinfo is not None:
        return moment
    if is_date(given["until"]):
        return local_time.first(moment + timedelta(days=1), zone)
    return local_time.last(moment, zone)


def _moment(given: Mapping[str, str], name: str) -> datetime | None:
    """As it is written: in UTC where it names a zone, and without one otherwise."""
    text = given.get(name)
    if text is None:
        return None
    found = _FORM.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        offset = (found["zone"] or "").upper().replace(" ", "+")  # a plus that was not encoded arrives as a blank
        moment = datetime.fromisoformat(f"{found['date']}T{found['time'] or '00:00'}{offset.replace('Z', '+00:00')}")
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValueError
    except ValueError:
        raise _bad(f"{name}: write a day such as 2026-11-23, or a moment such as 2026-11-23T20:04:00Z.") from None
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def _bad(detail: str) -> HomeError:
    return HomeError("bad-request", detail)
