"""The machine on which upgrades are tried."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import upgraded_world
from tests.upgraded_world import World


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """Makes the machine, whose programs come first from then on."""

    def made(*flaws: str) -> World:
        world = upgraded_world.made(tmp_path / "world", *flaws)
        monkeypatch.setenv("PATH", upgraded_world.path(world))
        return world

    return made


@pytest.fixture(autouse=True)
def _signals() -> object:
    """What an upgrade does to the signals of its process is undone."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
