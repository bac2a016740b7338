"""Which devices their rooms have not named for so long that they come back as strangers do, pure.

What lay in a drawer for a year, or in somebody else's, is asked about before it opens a door.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

YEAR: Final = timedelta(days=365)
NOTED_EVERY: Final = timedelta(days=1)
"""That a device is still named is written down no more often."""
RETURN: Final = "return"
"""What its coming back is called among loosenings."""

Absences = Mapping[str, datetime]
"""Devices that were away for too long: when each was named last."""
NONE: Final[Absences] = MappingProxyType({})


def too_long(named: Mapping[str, datetime | None], now: datetime) -> dict[str, datetime]:
    """Of devices and when each was named last (None: nobody noted it), those that were away for a year."""
    return {device: at for device, at in named.items() if at is not None and now - at >= YEAR}


def to_note(named: Mapping[str, datetime | None], devices: frozenset[str], now: datetime) -> frozenset[str]:
    """Of the `devices` that are named now, those of which it should be written down."""
    return frozenset(
        device for device in devices if (at := named.get(device)) is None or not timedelta(0) <= now - at < NOTED_EVERY
    )
