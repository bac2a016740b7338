"""A guest's stream ends with its hour, also where the home's clock is set meanwhile."""

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.streams import hours as hours_module
from gateway.streams.hours import Hours
from shared.words.internal import Grant
from tests.house import DEADLINE

BERLIN = ZoneInfo("Europe/Berlin")
SOON = timedelta(milliseconds=50)
EVENING = Grant(room="hall", device="lamp", from_minute=18 * 60, to_minute=22 * 60)


class Wall:
    """The home's clock: it goes on from where it was set."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def set(self, at: datetime) -> None:
        self._at, self._since = at, asyncio.get_running_loop().time()

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=asyncio.get_running_loop().time() - self._since)


def watched(wall: Wall, *grants: Grant) -> tuple[Hours, asyncio.Event]:
    over = asyncio.Event()
    return Hours(grants, now=wall, over=over.set), over


@pytest.mark.parametrize("hour", [18, 22])
async def test_it_is_over_when_a_grant_begins_and_when_one_ends(hour: int) -> None:
    wall = Wall(datetime(2026, 11, 23, hour, tzinfo=BERLIN) - SOON)
    _, over = watched(wall, EVENING)
    assert not over.is_set()
    async with asyncio.timeout(DEADLINE):
        await over.wait()
    assert wall() >= datetime(2026, 11, 23, hour, tzinfo=BERLIN)


async def test_whoever_needs_no_grant_is_never_over() -> None:
    hours, over = watched(Wall(datetime(2026, 11, 23, 12, tzinfo=BERLIN)))
    assert hours._timer is None
    assert not over.is_set()


async def test_a_clock_that_is_set_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours_module, "_LOOK_SECONDS", 0.01)
    wall = Wall(datetime(2026, 11, 23, 12, tzinfo=BERLIN))
    _, over = watched(wall, EVENING)
    wall.set(datetime(2026, 11, 23, 19, tzinfo=BERLIN))
    async with asyncio.timeout(DEADLINE):
        await over.wait()


async def test_a_stream_that_is_gone_is_not_ended() -> None:
    hours, over = watched(Wall(datetime(2026, 11, 23, 22, tzinfo=BERLIN) - SOON), EVENING)
    hours.stop()
    assert hours._timer is not None
    assert hours._timer.cancelled()
    assert not over.is_set()
