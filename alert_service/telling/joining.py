"""Intent and outcome become one letter, pure: in whatever order they come, once per command, never not at all.

A case is one letter in the making. `fold` takes an event in and returns the cases as they now are, none where nothing
changed; `expire` is called when a case's time is up. A closed case opens anew, as the next round, for whatever is told
after it: an id that is used again, by whomever, moves nothing that no letter tells.
"""

import msgspec

from alert_service.telling.rules import Part
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, is_gateway

INTENT_WAIT_SECONDS = 3.0
"""How long an outcome waits for its gateway's word about who asked."""
OUTCOME_WAIT_SECONDS = 30.0
"""After this long without an outcome, the letter says "unknown" (docs/alerts.md)."""

_NOTHING_DONE = frozenset({Outcome.REJECTED, Outcome.EXPIRED})
_MAY_HAVE_MOVED = frozenset({Outcome.EXECUTED, Outcome.FAILED})


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One letter in the making. `intent` and `outcome` are rows of the chain; `ended` is set once it may be sent.

    `round` counts the letters that came of one id: attempts after a refusal, and what was told after a letter.
    """

    round: int = 1
    intent: int | None = None
    outcome: int | None = None
    heard: Outcome | None = None
    ended: Outcome | None = None
    refused_by_gateway: bool = False
    due_at: float | None = None


def fold(
    case: Case | None, part: Part, row: int, source: str, event: AuditEvent, now: float, *, left: bool = True
) -> tuple[Case, ...]:
    """Take the event in `row` in: an intent or an outcome of the command whose newest case this is.

    `left`: the case's letter may be on its way already, so that what it says cannot grow.
    """
    if part is Part.INTENT:
        return _take_intent(case, row, now)
    if event.outcome is Outcome.UNKNOWN:
        return _take_silence(case, row, now)
    if case is None:
        return (_open(row, source, event, now),)
    return _take_outcome(case, row, source, event, now, left=left)


def expire(case: Case, now: float) -> Case | None:
    """Close a case whose time is up, with what is known."""
    if case.ended is not None or case.due_at is None or case.due_at > now:
        return None
    return _close(case)


def _open(row: int, source: str, event: AuditEvent, now: float, *, attempt: int = 1) -> Case:
    case = Case(round=attempt, outcome=row, heard=event.outcome, refused_by_gateway=is_gateway(source))
    if is_gateway(source) or not is_gateway(event.who.issuer):
        return _close(case)  # nobody else can say who asked
    return msgspec.structs.replace(case, due_at=now + INTENT_WAIT_SECONDS)


def _take_intent(case: Case | None, row: int, now: float) -> tuple[Case, ...]:
    if case is None:
        return (Case(intent=row, due_at=now + OUTCOME_WAIT_SECONDS),)
    if case.intent is None:
        # Also when the letter is closed: this is its own intent, come late, and no new attempt.
        named = msgspec.structs.replace(case, intent=row)
        return (_close(named) if case.ended is None and not _is_open_ended(case) else named,)
    if case.ended is None:
        return ()
    return (Case(round=case.round + 1, intent=row, due_at=now + OUTCOME_WAIT_SECONDS),)


def _take_silence(case: Case | None, row: int, now: float) -> tuple[Case, ...]:
    """A gateway that stopped waiting knows no more than it did: the room's word may still come, or have come."""
    if case is None:
        return (Case(outcome=row, heard=Outcome.UNKNOWN, due_at=now + OUTCOME_WAIT_SECONDS),)
    if case.ended is None and case.outcome is None:
        return (msgspec.structs.replace(case, outcome=row, heard=Outcome.UNKNOWN),)
    return ()


def _take_outcome(case: Case, row: int, source: str, event: AuditEvent, now: float, *, left: bool) -> tuple[Case, ...]:
    heard = msgspec.structs.replace(case, outcome=row, heard=event.outcome, refused_by_gateway=is_gateway(source))
    following = case.round + 1
    if case.ended is not None:
        if not _is_open_ended(case):
            return (_open(row, source, event, now, attempt=following),)
        if not left:
            return (heard,)  # the letter that says "unknown" tells it as it leaves
        if case.intent is None:
            return (_open(row, source, event, now, attempt=following),)
        return (msgspec.structs.replace(heard, round=following, ended=event.outcome),)
    if _is_open_ended(case):
        if case.intent is None:  # its gateway gave up before its intent came
            return (msgspec.structs.replace(heard, due_at=now + INTENT_WAIT_SECONDS),)
        return (_close(heard),)
    if event.outcome not in _MAY_HAVE_MOVED:
        return ()
    if case.heard in _NOTHING_DONE:
        return (heard,)
    return (_close(case), _open(row, source, event, now, attempt=following))


def _is_open_ended(case: Case) -> bool:
    """Whether nobody has said yet how it ended."""
    return case.outcome is None or case.heard is Outcome.UNKNOWN


def _close(case: Case) -> Case:
    return msgspec.structs.replace(case, ended=case.heard or Outcome.UNKNOWN, due_at=None)
