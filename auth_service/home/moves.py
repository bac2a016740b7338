"""What somebody wants to stand where, looked at before it is kept, pure: for everybody and for themselves alike."""

from collections.abc import Callable, Sequence

from shared.words import arranging
from shared.words.internal_looks import Moved
from shared.words.problem import HomeError

Unknown = Callable[[], HomeError]


def no_room() -> HomeError:
    """What is said of a room that is not there."""
    return HomeError("not-found", "There is no such room, or it was revoked.")


def no_device() -> HomeError:
    """What is said of a device that is not there."""
    return HomeError("unknown-device")


def wanted_order(ids: Sequence[str], first: Sequence[str], unknown: Unknown) -> tuple[str, ...]:
    """The `ids` with `first` in front.

    Raises what `unknown` makes for one that is not among them, invalid-value for one that is there twice.
    """
    if len(set(first)) != len(first):
        raise HomeError("invalid-value", "An order names everything once.", field="order")
    if not set(first) <= set(ids):
        raise unknown()
    return arranging.arranged(ids, first)


def moved(ids: Sequence[str], one: str, wish: Moved, unknown: Unknown) -> tuple[str, ...]:
    """The `ids` after a move.

    Raises what `unknown` makes for one that is not among them, invalid-value for a move to two places.
    """
    if wish.before is not None and wish.after is not None:
        raise HomeError("invalid-value", "Say before or after which one it stands, not both.", field="before")
    named = {found for found in (one, wish.before, wish.after) if found is not None}
    if not named <= set(ids):
        raise unknown()
    return arranging.moved(ids, one, before=wish.before, after=wish.after)
