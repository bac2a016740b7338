"""Tells by letter that the revocation list is about to end: past its end the broker refuses everyone, us too.

It is made anew each day, so by then somebody has to look why not. Known from the file, since no broker may be left.
"""

import time
from collections.abc import Awaitable, Callable

from alert_service.chain.arrivals import OURSELVES, Arrival
from shared.running.lifecycle import go_round
from shared.trust.revoked import RevocationList
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity

ENDING = "certificate:ending"
THRESHOLDS = (7, 1, 0)
"""Days before its end at which it is told; it is good for thirty when it is new."""
_LOOK_SECONDS = 3600.0
_DAY = 86400.0


class ListWatch:
    """`record` returns once an event of ours is committed; one that is in the record already is not told again."""

    def __init__(
        self,
        listed: RevocationList,
        record: Callable[[Arrival], Awaitable[None]],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._listed = listed
        self._record = record
        self._now = now
        self._told: tuple[float, int] | None = None

    async def run(self) -> None:
        """Look every hour until cancelled."""
        await go_round(self.look, _LOOK_SECONDS)

    async def look(self) -> None:
        """Once."""
        ends = self._listed.ends()
        under = [] if ends is None else [days for days in THRESHOLDS if ends - self._now() < days * _DAY]
        if ends is None or not under or self._told == (ends, min(under)):
            return
        await self._record(Arrival(OURSELVES, _event(ends, min(under))))
        self._told = (ends, min(under))


def _event(ends: float, days: int) -> AuditEvent:
    """The same end and threshold make the same event, so that a restart does not tell it twice."""
    return AuditEvent(
        id=f"list-ending:{int(ends)}:{days}",
        at=utc(ends - days * _DAY),
        what=ENDING,
        where="certificate/revocation-list",
        who=Who(issuer=OURSELVES),
        outcome=Outcome.EXECUTED,
        severity=Severity.CRITICAL,
        detail={
            "ends": f"{utc(ends):%Y-%m-%d %H:%M} UTC",
            "days": str(days),
            "step": "on the hub: homesystem renew, and see that homesystem-renew.timer runs",
        },
    )
