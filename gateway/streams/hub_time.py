"""The hub's time as browsers and programs are told it: in a stream's heartbeats, and at `GET /api/v1/time`.

A wish names its moment by it (`pressed_at`, docs/flow.md), so that a browser's own clock need not be right.
"""

import time
from typing import Annotated, Final

import msgspec

from shared.words import messages

HEARTBEAT: Final = "heartbeat"
"""The stream's event that carries it."""
HEARTBEAT_SECONDS: Final = 10.0
"""Proxies end what is silent for 50 or 60 s, as they are installed; a page gives a stream up after 25 s of silence."""


class HubTime(msgspec.Struct, frozen=True, kw_only=True):
    """`now`: RFC 3339 in UTC, with the three digits of a second that every browser reads."""

    now: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


def told() -> HubTime:
    """The time of this moment: whoever gets it later knows that it is not earlier than this."""
    return HubTime(now=messages.utc(time.time()).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
