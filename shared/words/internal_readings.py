"""What gateways ask of the recorder, and what it answers: readings between two moments, in points."""

from typing import Annotated

import msgspec

from shared.words.names import Kind

MOST_POINTS = 2000
"""In one answer."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=250_000_000_000)]
"""Since 1970; not past the year 9000."""
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]


class ReadingsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """POST READINGS: a device's readings from `since` on and before `until`, in steps of `step` seconds.

    Without `step` the recorder chooses one. `borders`, going upwards, ask for points of lengths of their own instead,
    such as the days of a zone; where these are finer than what is kept, some are left out.
    """

    room: Slug
    device: Slug
    kind: Kind
    since: Seconds
    until: Seconds
    step: Annotated[int, msgspec.Meta(ge=1, le=31_622_400)] | None = None
    borders: Annotated[tuple[Seconds, ...], msgspec.Meta(min_length=2, max_length=MOST_POINTS + 1)] | None = None


class ReadingPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What was so from `at` (seconds since 1970) for `seconds`, of which `known` had a value and `fault` had a fault.

    `min`, `max` and `mean` (by time) are of what was known, None where nothing was: a gap. `on` counts the seconds in
    which an output was on; `count` the values that came new.
    """

    at: int
    seconds: int
    known: float
    fault: float
    on: float
    count: int
    min: float | None
    max: float | None
    mean: float | None


class ReadingsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: every point of the span, gaps too. `step` is None where borders were given.

    `begun` is when the first of this device's readings was kept, None where there is none.
    """

    step: int | None
    points: tuple[ReadingPoint, ...]
    begun: int | None


class ReadingsReady(msgspec.Struct, frozen=True, kw_only=True):
    """GET READY at the recorder."""

    broker: bool
    recording: bool
    devices: int
