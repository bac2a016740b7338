"""What one letter tells, pure: the gateway's intent, the outcome, or both, and what the rules look at in it."""

import msgspec

from alert_service.chain.chain import Row
from alert_service.telling.policy import Matter
from alert_service.telling.rules import person_of, thread_of
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity

_WEIGHT = {Severity.INFO: 0, Severity.CRITICAL: 1, Severity.SECURITY: 2}


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one letter; `ended` is the outcome as it was settled."""

    ended: Outcome
    intent: Row | None = None
    outcome: Row | None = None

    @property
    def named(self) -> Row:
        """The row that says who and when: the gateway's where there is one."""
        row = self.intent or self.outcome
        assert row is not None, "a letter tells at least one event"
        return row

    @property
    def last(self) -> Row:
        """The row that says how it ended, as far as that is recorded."""
        return self.outcome or self.named

    @property
    def rows(self) -> tuple[Row, ...]:
        """Both rows, or the one."""
        return tuple(row for row in (self.intent, self.outcome) if row is not None)

    @property
    def known(self) -> Outcome:
        """What is known now: an outcome that came after the letter was settled, but before it left, is told."""
        if self.ended is Outcome.UNKNOWN and self.outcome is not None:
            return self.outcome.event.outcome
        return self.ended

    @property
    def matter(self) -> Matter:
        """What the rules look at: the gravest of both severities, and the outcome as it is known now."""
        made = matter_of(self.named.source, self.named.event)
        severity = max((row.event.severity for row in self.rows), key=_WEIGHT.__getitem__)
        return made._replace(outcome=self.known, severity=severity)

    @property
    def thread(self) -> str:
        """What letters about the same thing have in common."""
        return thread_of(self.named.event)


def matter_of(source: str, event: AuditEvent) -> Matter:
    """The same of a single event that has no letter yet."""
    return Matter(event.what, event.where, source, event.outcome, event.severity, person_of(source, event))
