"""What a client is to command and hear, pure: as a master user may ask for it, and as the record names it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from shared.words.problem import HomeError

MOST: Final = 200
"""Devices of a client whose line a master user got from a page or by the API: more than anybody ticks one by one."""
_MOST_WORDS: Final = 200
"""Characters of one detail of an event; what is longer would be cut there."""


def check_count(devices: Sequence[str]) -> None:
    """Raises HomeError("invalid-value", `field` "may") for none, or too many."""
    if not 1 <= len(devices) <= MOST:
        raise HomeError("invalid-value", f"Choose what it may command and hear: 1 to {MOST} devices.", field="may")


def check_known(devices: Sequence[str], known: Collection[str]) -> None:
    """Raises HomeError("unknown-device", `field` "may") for the first that is not among `known`."""
    for device in devices:
        if device not in known:
            raise HomeError("unknown-device", f"There is no device {device[:80]}.", field="may")


def in_words(devices: Sequence[str], critical: Mapping[str, bool]) -> str:
    """All of them, or as many as an event has room for and how many more; `critical` ones first, so that none hides."""
    named = sorted(devices, key=lambda device: not critical.get(device, False))
    for count in range(len(named), 0, -1):
        more = len(named) - count
        text = ", ".join(named[:count]) + (f", … +{more}" if more else "")
        if len(text) <= _MOST_WORDS:
            return text
    return f"… +{len(named)}"
