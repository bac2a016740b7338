"""How late a command is, pure: each gateway's clock is learned from its live heartbeats, so no clocks need to agree.

The smallest difference between a heartbeat's arrival (monotonic) and its hub time is the one with the least delay
in it; measured against that, a held-back command shows its age (promise 3: a wish never acts late).
"""

import math

import msgspec

from shared.words.messages import COMMAND_SECONDS, Availability
from shared.words.names import is_gateway

DRIFT = 200e-6
"""How far two quartz clocks may run apart, in seconds per second."""
JUMP_SECONDS = 0.5
"""Network time slews a clock by far less between two looks; more is a jump."""
SETTLE_SECONDS = 30.0
"""Longer than any delay on a link that is still up: the keepalive ends a stalled one after 20 s."""


class _Learned(msgspec.Struct):
    session: str
    offset: float
    learned: float
    older: float
    since: float


class Clocks:
    """What is known of every gateway's clock. `now` is monotonic seconds, hub times are seconds since 1970."""

    def __init__(self) -> None:
        self._gateways: dict[str, _Learned] = {}
        self._wall: float | None = None
        self._wall_ahead = -math.inf
        self._set_by = 0.0

    def heard(self, gateway: str, session: str, hub_time: float, now: float) -> bool:
        """Learn from a live heartbeat that arrived at `now`; True when it is a session not heard before."""
        offset = now - hub_time
        known = self._gateways.get(gateway)
        if known is None:
            self._gateways[gateway] = _Learned(session, offset, now, offset, now - SETTLE_SECONDS)
            return True
        aged = known.offset + DRIFT * max(0.0, now - known.learned)
        if known.session != session:
            # A first heartbeat that was held back must not pass for a clock that went back.
            self._gateways[gateway] = _Learned(session, offset, now, aged, now)
            return True
        # Beyond any possible delay: the hub's clock was set back.
        known.offset = offset if offset - aged > SETTLE_SECONDS else min(aged, offset)
        known.learned = now
        return False

    def learn(self, gateway: str, there: Availability, at: float, *, slow: bool) -> bool:
        """Learn from a gateway's live word that arrived at `at`; whether its session is new, and has not heard us yet.

        On a `slow` link how old the word is nobody can tell.
        """
        if slow:
            return not self.knows(gateway, there.session)
        return self.heard(gateway, there.session, there.at.timestamp(), at)

    def knows(self, gateway: str, session: str) -> bool:
        """Whether this session of the gateway's was learned from."""
        known = self._gateways.get(gateway)
        return known is not None and known.session == session

    def watch(self, now: float, wall: float) -> None:
        """Called now and then, so that no jump of our wall clock goes unseen."""
        ahead = wall - now
        if self._wall is not None and abs(ahead - self._wall) > JUMP_SECONDS:
            self._set_by += ahead - self._wall
        self._wall = ahead
        self._wall_ahead = max(self._wall_ahead, ahead)

    def set_by(self) -> float:
        """By how many seconds our wall clock was set since this was asked last."""
        seconds, self._set_by = self._set_by, 0.0
        return seconds

    def lateness(self, issuer: str, issued: float, now: float, wall: float) -> float | None:
        """How many seconds ago `issuer` issued it; None when that gateway's clock is not known yet.

        Others than gateways send no heartbeats: what they issue must be fresh by our wall clock and by the hub's, so
        that neither makes anything young by jumping. Before any gateway was heard, the latest that ours was counts.
        """
        if is_gateway(issuer):
            known = self._gateways.get(issuer)
            return None if known is None else self._since(known, issued, now)
        self.watch(now, wall)
        hub = self._hub()
        if hub is None:
            return now + self._wall_ahead - issued
        return max(wall - issued, self._since(hub, issued, now))

    def ahead_of_hub(self, now: float, wall: float) -> float:
        """How many seconds our wall clock is ahead of the hub's; 0 before any gateway was heard."""
        hub = self._hub()
        return 0.0 if hub is None else wall - (now - hub.offset)

    def _hub(self) -> _Learned | None:
        return max(self._gateways.values(), key=lambda known: known.learned, default=None)

    def _since(self, known: _Learned, issued: float, now: float) -> float:
        offset = known.offset
        if now - known.since < SETTLE_SECONDS and offset - known.older <= SETTLE_SECONDS:
            offset = min(offset, known.older)
        return now - issued - offset

    def last_heard(self) -> float | None:
        """When any gateway was last heard."""
        return max((known.learned for known in self._gateways.values()), default=None)


def judge(*, issued: float | None, stamped: bool, safe: bool, lateness: float | None) -> str | None:
    """The slug for which a command's stamp condemns it, or None.

    `stamped`: it carries all that its device wants. `safe`: a safe action is refused only when it is known to be late.
    """
    if not stamped and not safe:
        return "unstamped"
    if issued is None:
        return None
    if lateness is None:
        return None if safe else "expired"
    if lateness > COMMAND_SECONDS:
        return "expired"
    if lateness < -COMMAND_SECONDS:
        return None if safe else "unstamped"
    return None
