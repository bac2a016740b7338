"""Intent and outcome become one letter, pure: in whatever order they come, once per command, never not at all.

A case is one letter in the making. `fold` takes an event in, `expire` is called when the case's time is up.
Both return the case as it now is, or None where nothing changed.
"""

import msgspec

from alert_service.rules import Part
from shared.messages import AuditEvent
from shared.names import Outcome, is_gateway

INTENT_WAIT_SECONDS = 3.0
"""How long an outcome waits for its gateway's word about who asked."""
OUTCOME_WAIT_SECONDS = 30.0
"""After this long without an outcome, the letter says "unknown" (docs/alerts.md)."""

_NOTHING_DONE = frozenset({Outcome.REJECTED, Outcome.EXPIRED})
_MAY_HAVE_MOVED = frozenset({Outcome.EXECUTED, Outcome.FAILED, Outcome.UNKNOWN})


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One letter in the making. `intent` and `outcome` are rows of the chain; `ended` is set once it may be sent.

    `round` counts the attempts that a client made under one id after a refusal; each gets its letter.
    """

    round: int = 1
    intent: int | None = None
    outcome: int | None = None
    heard: Outcome | None = None
    ended: Outcome | None = None
    refused_by_gateway: bool = False
    due_at: float | None = None


def fold(case: Case | None, part: Part, row: int, source: str, event: AuditEvent, now: float) -> Case | None:
    """Take the event in `row` in; it must be an intent or an outcome of this case's command."""
    if case is None:
        return _open(part, row, source, event, now)
    if part is Part.INTENT:
        return _take_intent(case, row, source, event, now)
    return _take_outcome(case, row, source, event, now)


def expire(case: Case, now: float) -> Case | None:
    """Close a case whose time is up, with what is known."""
    if case.ended is not None or case.due_at is None or case.due_at > now:
        return None
    return _close(case)


def _open(part: Part, row: int, source: str, event: AuditEvent, now: float, *, attempt: int = 1) -> Case:
    if part is Part.INTENT:
        return Case(round=attempt, intent=row, due_at=now + OUTCOME_WAIT_SECONDS)
    case = Case(round=attempt, outcome=row, heard=event.outcome, refused_by_gateway=is_gateway(source))
    if is_gateway(source) or not is_gateway(event.who.issuer):
        return _close(case)  # nobody else can say who asked
    return msgspec.structs.replace(case, due_at=now + INTENT_WAIT_SECONDS)


def _take_intent(case: Case, row: int, source: str, event: AuditEvent, now: float) -> Case | None:
    if case.intent is None:
        # Also when the letter is closed: this is its own intent, come late, and no new attempt.
        named = msgspec.structs.replace(case, intent=row)
        return _close(named) if case.ended is None and case.outcome is not None else named
    if case.ended in _NOTHING_DONE and case.refused_by_gateway:
        # Nothing was sent then, so this is the same wish tried again.
        return _open(Part.INTENT, row, source, event, now, attempt=case.round + 1)
    return None


def _take_outcome(case: Case, row: int, source: str, event: AuditEvent, now: float) -> Case | None:
    heard = msgspec.structs.replace(case, outcome=row, heard=event.outcome, refused_by_gateway=is_gateway(source))
    if case.outcome is None:
        # Where the letter said "unknown", the outcome is noted and no second letter follows.
        return _close(heard) if case.ended is None else heard
    if case.heard not in _NOTHING_DONE or event.outcome not in _MAY_HAVE_MOVED:
        return None
    if case.ended is None or case.ended is Outcome.UNKNOWN:
        return heard
    # "Refused" was told, and yet it moved: that may not stay untold.
    return _open(Part.OUTCOME, row, source, event, now, attempt=case.round + 1)


def _close(case: Case) -> Case:
    return msgspec.structs.replace(case, ended=case.heard or Outcome.UNKNOWN, due_at=None)
