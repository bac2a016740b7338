"""Which rows lost a person, as the record itself tells it, pure: an erasure that nobody told of is tampering.

Whoever erases appends, in the same transaction, an event that lists the rows. It names nobody.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator

import msgspec

from alert_service.chain import arrivals
from alert_service.chain.spans import Spans, in_texts, read_spans
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity

PERSON_ERASED = "audit:person-erased"
_ROWS = "rows"


def arrival(rows: Collection[int], now: float) -> arrivals.Arrival:
    """The event about these rows, some 200 at the most; about the same rows it is the same event."""
    detail = {f"{_ROWS}-{number}": value for number, value in enumerate(_values(rows), 1)}
    name = hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()[:32]
    return arrivals.Arrival(
        arrivals.OURSELVES,
        AuditEvent(
            id=f"person-erased:{name}",
            at=utc(now),
            what=PERSON_ERASED,
            where=arrivals.OURSELVES,
            who=Who(issuer=arrivals.OURSELVES),
            outcome=Outcome.EXECUTED,
            severity=Severity.INFO,
            detail=detail,
        ),
    )


def told(events: Iterable[tuple[int, object]]) -> Spans:
    """The rows of which such events tell, each given by its own row and its detail in JSON: only earlier ones count."""
    found = Spans()
    for row, detail in events:
        for value in _read(detail):
            for first, last in read_spans(value):
                if last < row:
                    found.add(first, last)
    return found


def _read(detail: object) -> Iterable[str]:
    """The values of a detail; what a hand has spoiled has none."""
    if not isinstance(detail, str):
        return ()
    try:
        return msgspec.json.decode(detail, type=dict[str, str]).values()
    except msgspec.MsgspecError:
        return ()


def _values(rows: Collection[int]) -> Iterator[str]:
    """The rows as spans, in texts that an event's detail may hold."""
    spans = Spans()
    for row in rows:
        spans.add(row, row)
    return in_texts(spans)
