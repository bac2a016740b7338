"""What a state says as a number, pure: a sensor's value, how far an output is on, or why neither can be told."""

import math
from typing import NamedTuple

from shared.words.messages import CoverValue, State
from shared.words.names import Kind

KINDS = frozenset({Kind.TEMPERATURE, Kind.HUMIDITY, Kind.SWITCH, Kind.DIMMER, Kind.LOCK, Kind.COVER})
"""What is recorded. Contacts, motion and presses are happenings, and the history keeps those as its owner says."""
_FAULTS = frozenset({"mismatch", "sensor", "restless"})
OTHER_FAULT = "fault"
JAMMED = "jammed"
_WORDS = {
    Kind.SWITCH: {"on": 1.0, "off": 0.0},
    Kind.LOCK: {"unlocked": 1.0, "locked": 0.0},
}


class Said(NamedTuple):
    """What holds from some moment on. Without a value and without a fault nothing is known: a gap."""

    value: float | None
    fault: str | None = None


GAP = Said(None)


def said(kind: Kind, state: State) -> Said:
    """A state's word about a device of `kind`; what is no finite number of that kind is a gap.

    A lock counts as on while it is unlocked, a cover while it is not closed, a dimmer while its level is above 0.
    """
    fault = None if state.fault is None else state.fault if state.fault in _FAULTS else OTHER_FAULT
    if kind is Kind.LOCK and state.value == JAMMED:
        return Said(None, fault or JAMMED)
    return Said(_number(kind, state), fault)


def _number(kind: Kind, state: State) -> float | None:
    value = state.value.position if isinstance(state.value, CoverValue) else state.value
    if kind in _WORDS:
        return _WORDS[kind].get(value) if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of four hundred digits
        return None
    return number if math.isfinite(number) else None
