"""Boards for tests: one start for all that want the same, since each takes a while."""

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest

from tests.pins.board import image, machine
from tests.pins.board.hands import DIMMER, HEATER, LAMP

Started = Callable[..., machine.Board]


@pytest.fixture(scope="session")
def kernel() -> image.Image:
    """The kernel that this run is about."""
    return image.image(os.environ["HOMESYSTEM_PINS_BOARD"])


@pytest.fixture(scope="session")
def boards(kernel: image.Image) -> Iterator[Started]:
    """Gives the running board of those kernel parameters."""
    running: dict[str, machine.Board] = {}
    with contextlib.ExitStack() as stack:

        def started(parameters: str = "") -> machine.Board:
            if parameters not in running:
                running[parameters] = stack.enter_context(machine.started(kernel, parameters))
            return running[parameters]

        yield started


@pytest.fixture
def board(request: pytest.FixtureRequest, boards: Started) -> machine.Board:
    """The running board of the module's kernel PARAMETERS, with nobody on its lines."""
    board = boards(getattr(request.module, "PARAMETERS", ""))
    board.release(LAMP, HEATER, DIMMER)
    return board
