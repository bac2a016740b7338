"""Which audit events are missing, by their sources' numbers, and when to ask for them again; pure.

`seq` counts up in a source's spool, so that a number between two known ones is an event that was lost on its way, or
that an older copy of our database does not know yet. What lies above the highest known number can only be asked for:
that is done after every connection. An event stays known by (source, id); its number only tells that it exists.

Nothing here grows with what a source invents: spans and requests are bounded, a jump in the numbers costs one request
at a time, and what was asked for in vain is told once and then left alone.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alert_service.chain.spans import Span, Spans
from shared.proof.resend import WINDOW
from shared.proof.spool_rows import NUMBERS as NUMBERS_OF_A_SPOOL

MISSING = "audit:missing"
"""The event that tells of numbers that were asked for in vain."""
NUMBERS = "numbers"
"""In its detail: which, as spans; what one text does not hold goes on under `numbers-2`, `numbers-3` and so on."""
REPORTED_SPANS = 100
"""So many are told of one by one; what lies behind them is told as one span, as SPANS_MOST does."""
GRACE_SECONDS = 5.0
"""A gap this young is most likely an event that was overtaken by a more urgent one."""
SOON_SECONDS = 1.0
TRIES = 8
"""Over some four minutes, each while somebody listened to the request."""
TAIL_TRIES = 3
TAIL_MORE = 20
"""So many events above the highest known number look like an answer with more to come."""
LISTED = 50
"""A gap with more numbers is not listed but asked for from its beginning on."""
SPANS_MOST = 1000
TELL_SECONDS = 600.0
TOLD_SPANS = 5
_FIRST_WAIT = 2.0
_LONGEST_WAIT = 60.0
_ABSENT_WAIT = 600.0


class Ask(NamedTuple):
    """One request: these numbers, and what follows `after`. The rest says what it was made for."""

    source: str
    seq: tuple[int, ...]
    after: int | None
    gaps: tuple[int, ...]
    tail: bool


class Missing(NamedTuple):
    """What a source was asked for in vain."""

    source: str
    spans: tuple[Span, ...]

    @property
    def events(self) -> int:
        """How many events; a jump to another spool's numbers is no number of events."""
        return sum(last - first + 1 for first, last in self.spans if not is_jump((first, last)))


def reported(spans: Sequence[Span]) -> list[Span]:
    """The spans of one report, few enough for an event."""
    if len(spans) <= REPORTED_SPANS:
        return list(spans)
    return [*spans[: REPORTED_SPANS - 1], (spans[REPORTED_SPANS - 1][0], spans[-1][1])]


def without(span: Span, known: Iterable[int]) -> list[Span]:
    """What is left of a span without some numbers in it."""
    made = Spans()
    made.add(span[0] - 1, span[0] - 1)
    made.add(span[1] + 1, span[1] + 1)
    for number in known:
        if span[0] <= number <= span[1]:
            made.add(number, number)
    return made.gaps()


def is_jump(span: Span) -> bool:
    """Whether a gap is so wide that the source must have begun a new spool."""
    return span[1] - span[0] >= NUMBERS_OF_A_SPOOL


class _Try:
    """How often something was asked for, and when it is again."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.count = 0

    def asked(self, now: float) -> None:
        self.at = now + min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**self.count)
        self.count += 1

    def unheard(self, at: float) -> None:
        self.at = at
        self.count = max(0, self.count - 1)


class _Source:
    """One source's numbers, and what is under way to complete them."""

    def __init__(self) -> None:
        self.known = Spans()
        self.known.add(0, 0)
        self.lost = Spans()
        self.tries: dict[int, _Try] = {}
        self.tail: _Try | None = None
        self.tail_after = 0
        self.tail_came = 0
        self.asked_at = float("-inf")
        self.told_at = float("-inf")
        self.absent = 0

    def heard(self, seq: int, now: float, *, fresh: bool) -> None:
        if self.absent:
            self.absent = 0
            self.hurry(now)
        if seq in self.known:
            return
        self.tail_came += seq > self.tail_after and not fresh
        self.known.add(seq, seq)
        while len(self.known) > SPANS_MOST:
            self.give_up(self.known.lowest_gap())

    def give_up(self, gap: Span) -> None:
        self.known.add(*gap)
        if gap[0] > 1:  # below the first number that we ever saw nothing is known to exist
            self.lost.add(*gap)
        while len(self.lost) > SPANS_MOST:
            self.lost.add(*self.lost.lowest_gap())

    def hurry(self, now: float) -> None:
        for one in (*self.tries.values(), *([self.tail] if self.tail is not None else [])):
            one.at = min(one.at, now + SOON_SECONDS)

    def due(self, name: str, now: float) -> Ask | None:
        listed: list[int] = []
        asked: list[int] = []
        after: int | None = None
        for gap in self._gaps(now):
            first, last = gap
            attempt = self.tries[first]
            if attempt.at > now:
                continue
            if attempt.count >= (TRIES if first > 1 else TAIL_TRIES):
                del self.tries[first]
                self.give_up(gap)
                continue
            if last - first < LISTED:
                if len(listed) + last - first >= WINDOW:
                    continue  # with the next request
                listed += range(first, last + 1)
            elif after is None:
                after = first - 1
            else:
                continue
            attempt.asked(now)
            asked.append(first)
        tail = after is None and self._tail_is_due(now)
        if tail:
            after = self.tail_after = self.known.last
            self.tail_came = 0
        if not listed and after is None:
            return None
        self.asked_at = now
        return Ask(name, tuple(listed), after, tuple(asked), tail)

    def unheard(self, ask: Ask, now: float) -> None:
        """Nobody listened: that was no try."""
        wait = min(_ABSENT_WAIT, _FIRST_WAIT * 2.0 ** min(self.absent, 30))
        self.absent += 1
        tries = [self.tries[first] for first in ask.gaps if first in self.tries]
        if ask.tail and self.tail is not None:
            tries.append(self.tail)
        for one in tries:
            one.unheard(now + wait)

    def _gaps(self, now: float) -> list[Span]:
        gaps = self.known.gaps()
        wait = SOON_SECONDS if now - self.asked_at < GRACE_SECONDS else GRACE_SECONDS
        self.tries = {first: self.tries.get(first) or _Try(now + wait) for first, _ in gaps}
        return gaps

    def _tail_is_due(self, now: float) -> bool:
        if self.tail is None or self.tail.at > now:
            return False
        if self.tail_came >= TAIL_MORE:
            self.tail.count = 0
        if self.tail.count >= TAIL_TRIES:
            self.tail = None
            return False
        self.tail.asked(now)
        return True


class Gaps:
    """All sources' numbers. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}

    def know(self, source: str, first: int, last: int) -> None:
        """These numbers need not be asked for: recorded earlier, too old, or explained."""
        self._sources.setdefault(source, _Source()).known.add(first, last)

    def heard(self, source: str, seq: int, now: float, *, fresh: bool = False) -> None:
        """An event of `source` with this number is recorded; 0 means that it has none.

        A `fresh` one happened just now, so it is no answer to what was asked: what lies before it would be a gap.
        """
        if seq > 0:
            self._sources.setdefault(source, _Source()).heard(seq, now, fresh=fresh)

    def meet(self, source: str, now: float) -> None:
        """There is such a source: one that we know nothing of may have told an alert service before us."""
        if source not in self._sources:
            self._sources[source] = _Source()
            self._sources[source].tail = _Try(now + SOON_SECONDS)

    def link_up(self, now: float) -> None:
        """A new connection: ask everybody for what may have come after what we know."""
        for one in self._sources.values():
            one.tail = _Try(now + SOON_SECONDS)
            one.absent = 0
            one.hurry(now)

    def due(self, now: float) -> list[Ask]:
        """What to ask for now, at most one request a source."""
        asks = (one.due(name, now) for name, one in self._sources.items())
        return [ask for ask in asks if ask is not None]

    def unheard(self, ask: Ask, now: float) -> None:
        """Nobody listens to this request: the source is away, or we are."""
        self._sources[ask.source].unheard(ask, now)

    def missing(self, now: float) -> list[Missing]:
        """What was given up since it was last told, for each source once in a while."""
        found = []
        for name, one in self._sources.items():
            if len(one.lost) and now - one.told_at >= TELL_SECONDS:
                one.told_at = now
                told = tuple(one.lost)[:TOLD_SPANS]
                rest, one.lost = tuple(one.lost)[TOLD_SPANS:], Spans()
                for span in rest:
                    one.lost.add(*span)
                found.append(Missing(name, told))
        return found
