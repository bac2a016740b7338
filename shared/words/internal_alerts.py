"""What gateways and the alert service tell one another: the history, whether the record is whole, how letters fare."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from shared.words.messages import AuditEvent, Moment, Text
from shared.words.names import Outcome


class MailStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the letters fare; `failing_since` is None while the mail server takes them.

    `letters_refused`: how many it refused for good, each because of its address; they are tried again now and then.
    `accepted_at`: when it took one last, as far as that is kept.
    """

    letters_waiting: int
    letters_refused: int
    recipients_known: bool
    failing_since: Moment | None
    failure: str | None
    accepted_at: Moment | None = None


class ChainBroken(msgspec.Struct, frozen=True, kw_only=True):
    """The first row of the record that does not fit, and why (a sentence's end: "was changed")."""

    row: int
    reason: str


class ChainStatus(msgspec.Struct, frozen=True, kw_only=True):
    """GET AUDIT_CHAIN: whether the record is whole, by the service's own check.

    `row` and `hash` are the last row found sound. `checked_at` is when the check last came to the end of the record,
    None before that; until then `broken` is not known either.
    """

    row: int
    hash: str
    checked_at: datetime | None = None
    broken: ChainBroken | None = None


class AlertsReady(msgspec.Struct, frozen=True, kw_only=True):
    """GET READY at the alert service. `ways`: those beside mail that fail just now, and what they say.

    `refusals`: some addresses whose letters the mail server refuses, and its words; for the doctor alone.
    """

    broker: bool
    recording: bool
    mail: MailStatus
    chain: ChainStatus
    ways: dict[str, str] = {}
    refusals: dict[str, str] = {}


MAX_AUDIT_PAGE = 500
"""Events in one answer at most: an export asks for so many at a time."""
Place = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class AuditScope(msgspec.Struct, frozen=True, kw_only=True):
    """What one may read of the history: `user`'s own acts, what happened in any room, and what in these places.

    A place is `room/device`, or `room/*` for a whole room. `rooms` spares naming every room there ever was.
    """

    user: Text
    rooms: bool = False
    places: Annotated[tuple[Place, ...], msgspec.Meta(max_length=500)] = ()


class Happening(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened without anybody's doing, as it is kept: `what` and `where` as of an event, `source` who told it.

    Several that were summed are one, from `at` to `until`. `event` says how a button was pressed. `number` grows in
    the order in which they came, which may be late: the hub was away.
    """

    number: int
    source: str
    id: str
    what: str
    where: str
    at: Moment
    until: Moment
    received_at: Moment
    times: int = 1
    event: str = ""


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of it is wanted; everything that is named must fit.

    `user` is an id, `device` is `room/device`, `what` as an event has it, with `*` for anything, or
    several with commas; `since` is the first moment that counts, `until` the first that does not any more, both by the
    event's own time.
    """

    user: Text | None = None
    room: Place | None = None
    device: Place | None = None
    outcome: Outcome | None = None
    what: Annotated[str, msgspec.Meta(min_length=1, max_length=1300)] | None = None
    since: Moment | None = None
    until: Moment | None = None


Row = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
CURSOR = r"[0-9]{1,16}(\.[0-9]{1,16})?"
"""Where a page ended, as its `next` says it: the row of an act, or the moment and number of a happening."""


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """POST AUDIT, answered by AuditPage: up to `limit` things older than `after`, or about row `around`, newest first.

    `scope` null is the whole history, and has to be said. A POST, because a guest's places may be more than an
    address carries. `happenings`: whether what merely happened is wanted beside what is recorded.
    """

    scope: AuditScope | None
    filter: AuditFilter = AuditFilter()
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_AUDIT_PAGE)] = 50
    after: Row | Annotated[str, msgspec.Meta(pattern=rf"^{CURSOR}\Z")] | None = None
    around: Row | None = None
    happenings: Literal["none", "too", "only"] = "none"


class AuditRecord(AuditEvent, frozen=True, kw_only=True, omit_defaults=True):
    """An event as it stands in the chain: its row and that row's hash, who told it, and when it arrived."""

    row: int
    hash: str
    source: str
    received_at: Moment


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the history: both together are newest first, acts by when they were recorded, happenings by `at`.

    At the same moment the act is the newer. `next` goes into `after` for the following one; `head` is the newest row,
    `newest` the number of the happening that came last.
    """

    events: tuple[AuditRecord, ...]
    next: str | None
    head: int = 0
    happenings: tuple[Happening, ...] = ()
    newest: int = 0


MOST_PLACES = 500


class LastQuery(msgspec.Struct, frozen=True, kw_only=True):
    """POST HAPPENINGS_LAST, answered by LastHappenings: what happened last at each of these places."""

    places: Annotated[tuple[Place, ...], msgspec.Meta(max_length=MOST_PLACES)]


class LastHappenings(msgspec.Struct, frozen=True, kw_only=True):
    """The newest happening of each place that has one."""

    happenings: tuple[Happening, ...]


class AuditHead(msgspec.Struct, frozen=True, kw_only=True):
    """GET HEAD?after=N&happening=M: the newest row and the number of the newest happening.

    As soon as one of them is past what is known, or after 25 seconds whatever they are; without `happening` only rows
    count.
    """

    row: int
    happening: int = 0
