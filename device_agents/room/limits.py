"""What holds an output back besides its own kind, pure: rest after off, wear, and the others of its interlock group.

Times are monotonic seconds. A limit is asked before anything moves; what makes things safer is never asked.
"""

from collections.abc import Sequence

import msgspec

from shared.words.problem import HomeError


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What an output has done: whether something is driven, when it last changed, since when nothing is driven."""

    active: bool
    changed_at: float
    rested_at: float


class Peer(msgspec.Struct, frozen=True):
    """Another output of the same interlock group; `reads_on`: one of its pins reads on, whatever it was told."""

    name: str
    past: Past
    reads_on: bool


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """An output's own limits, in seconds; `dead_time` is that of its interlock group."""

    min_off: float = 0.0
    min_interval: float = 0.0
    dead_time: float = 0.0

    def ready_at(self, past: Past) -> float:
        """The first moment at which it may be switched on after its rest."""
        return past.rested_at + self.min_off

    def check_rest(self, past: Past, now: float) -> None:
        """Raises HomeError("too-soon") for a switching on before `min_off` is over."""
        if now < self.ready_at(past):
            raise _too_soon("It rests after being off", self.ready_at(past) - now)

    def check_wear(self, past: Past, now: float) -> None:
        """Raises HomeError("too-soon") for a change within `min_interval` of the last."""
        if now < past.changed_at + self.min_interval:
            raise _too_soon("It was switched just now", past.changed_at + self.min_interval - now)

    def check_interlock(self, peers: Sequence[Peer], now: float) -> None:
        """Raises HomeError: interlocked while another is on, too-soon until it has been off for the dead time."""
        for peer in peers:
            if peer.past.active or peer.reads_on:
                raise HomeError("interlocked", f"{peer.name} is on; switch it off first.")
        for peer in peers:
            if now < peer.past.rested_at + self.dead_time:
                raise _too_soon(f"{peer.name} was on just now", peer.past.rested_at + self.dead_time - now)


def follow(past: Past, *, active: bool, changed: bool, now: float) -> Past:
    """What an output has done after a move at `now`."""
    rested_at = now if past.active and not active else past.rested_at
    return Past(active=active, changed_at=now if changed else past.changed_at, rested_at=rested_at)


def _too_soon(why: str, seconds: float) -> HomeError:
    return HomeError("too-soon", f"{why}: wait another {seconds:.1f} s.")
