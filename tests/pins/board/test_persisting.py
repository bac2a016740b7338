"""Debian's kernel with pinctrl_bcm2835.persist_gpio_outputs=y: a line stands when its process ends."""

from collections.abc import Callable

import pytest

from tests.pins.board.hands import (
    DIMMER,
    DIMMERS,
    ENDINGS,
    HEATER,
    LAMP,
    OUTPUT,
    OUTPUTS,
    RELEASED,
    Ending,
    Hands,
    as_is,
    info,
    levels,
)
from tests.pins.board.machine import Board

PARAMETERS = "pinctrl_bcm2835.persist_gpio_outputs=y"
Saw = Callable[[str], None]


@pytest.mark.parametrize("library", ["gpiod", "lgpio"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_line_stands_through_a_restart(board: Board, library: str, ending: Ending, saw: Saw) -> None:
    hands = Hands(board, library, OUTPUTS)
    for pin in (LAMP, HEATER):
        hands.do("claim", pin, 1)
    assert levels(board) == {LAMP: [1, 0], HEATER: [0, 1]}
    hands.end(ending)
    assert levels(board) == {LAMP: [0], HEATER: [1]}
    assert [board.function(pin) for pin in (LAMP, HEATER)] == [OUTPUT, OUTPUT]
    about = info(board, LAMP)
    assert (about["direction"], about["used"]) == ("OUTPUT", False)
    again = Hands(board, library, OUTPUTS)
    for pin in (LAMP, HEATER):
        assert again.do("driven", pin) == (1 if library == "gpiod" else None)
        again.do("claim", pin, 1)
        assert again.do("read", pin) == 1
    assert levels(board) == {LAMP: [0], HEATER: [1]}
    again.end("killed")
    other = Hands(board, library, OUTPUTS)
    for pin in (LAMP, HEATER):
        other.do("claim", pin, 0)
    assert levels(board) == {LAMP: [0, 1], HEATER: [1, 0]}
    other.end("killed")
    saw(f"{library}, {PARAMETERS}: {ending}: stands as an output; claimed the same: no edge; the other: one edge")


def test_a_line_taken_as_it_stands_is_what_was_driven(board: Board, saw: Saw) -> None:
    hands = Hands(board, "gpiod", OUTPUTS)
    hands.do("claim", HEATER, 1)
    hands.end("killed")
    assert as_is(board, HEATER) == (1, "OUTPUT")
    assert board.function(HEATER) == OUTPUT
    assert levels(board)[HEATER] == [0, 1]
    saw(f"gpiod, {PARAMETERS}: AS_IS takes over what was driven, without an edge")


def test_a_dimmer_of_rpi_lgpio_that_is_killed_stays_as_bright_as_it_was(board: Board, saw: Saw) -> None:
    hands = Hands(board, "lgpio", DIMMERS)
    hands.do("claim", DIMMER, 100)
    assert board.levels(DIMMER, RELEASED[DIMMER]) == [0, 1]
    hands.end("killed")
    assert board.levels(DIMMER, RELEASED[DIMMER]) == [1]
    assert board.function(DIMMER) == OUTPUT
    saw(f"rpi-lgpio, {PARAMETERS}: a dimmer at 100 that is killed: the line stays high, full on")
