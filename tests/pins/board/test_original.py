"""The original RPi.GPIO 0.7.1 on the chip's registers, through /dev/mem of a kernel with iomem=relaxed."""

from collections.abc import Callable

import pytest

from device_agents.pins.pins import PinUse
from tests.pins.board.hands import (
    CONSOLE,
    CONTACTS,
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
    RaisedError,
    levels,
)
from tests.pins.board.machine import Board

PARAMETERS = "iomem=relaxed"
Saw = Callable[[str], None]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_line_stands_and_is_taken_over_without_an_edge(board: Board, ending: Ending, saw: Saw) -> None:
    first = Hands(board, "rpi", OUTPUTS)
    for pin in (LAMP, HEATER):
        assert first.do("driven", pin) is None
        first.do("claim", pin, 0)
    assert levels(board) == {LAMP: [1], HEATER: [0]}
    for pin in (LAMP, HEATER):
        first.do("write", pin, 1)
        assert first.do("read", pin) == 1
    assert levels(board) == {LAMP: [1, 0], HEATER: [0, 1]}
    first.end(ending)
    assert levels(board) == {LAMP: [0], HEATER: [1]}
    assert [board.function(pin) for pin in (LAMP, HEATER)] == [OUTPUT, OUTPUT]
    second = Hands(board, "rpi", OUTPUTS)
    for pin in (LAMP, HEATER):
        assert second.do("driven", pin) == 1
        second.do("claim", pin, 1)
        assert second.do("read", pin) == 1
    assert levels(board) == {LAMP: [0], HEATER: [1]}
    for pin in (LAMP, HEATER):
        second.do("claim", pin, 0)
    assert levels(board) == {LAMP: [0, 1], HEATER: [1, 0]}
    second.end("stopped")
    saw(f"RPi.GPIO: {ending}: stands as an output; taken over and claimed the same: no edge; the other: one edge")


def test_inputs_are_refused_since_the_kernel_counts_lines_from_elsewhere(board: Board, saw: Saw) -> None:
    hands = Hands(board, "rpi", CONTACTS)
    with pytest.raises(RaisedError, match="Failed to add edge detection") as raised:
        hands.do("watch")
    label = "pinctrl-bcm2835"
    base = board.run("sh", "-c", f"cd /sys/class/gpio; cat $(dirname $(grep -l {label} gpiochip*/label))/base").strip()
    assert base != "0"
    hands.end("stopped")
    saw(f"RPi.GPIO: sysfs counts this chip's lines from {base}, RPi.GPIO from 0: {raised.value}")


def test_what_carries_something_else_is_refused_and_not_moved(board: Board, saw: Saw) -> None:
    before = board.function(CONSOLE)
    board.levels(CONSOLE, 1)
    with pytest.raises(RaisedError, match=r"pin 14 .* carries") as raised:
        Hands(board, "rpi", (PinUse(pin=CONSOLE, device="lamp", output=True),)).do("make")
    assert board.function(CONSOLE) == before
    assert board.levels(CONSOLE, 1) == [1]
    saw(f"RPi.GPIO: {raised.value}")


def test_a_dimmer_that_is_killed_stays_as_bright_as_it_was(board: Board, saw: Saw) -> None:
    """One that ends in order goes dark if the library's thread gets its turn before the process is gone: a race."""
    hands = Hands(board, "rpi", DIMMERS)
    hands.do("claim", DIMMER, 100)
    assert board.levels(DIMMER, RELEASED[DIMMER]) == [0, 1]
    hands.end("killed")
    assert board.levels(DIMMER, RELEASED[DIMMER]) == [1]
    assert board.function(DIMMER) == OUTPUT
    saw("RPi.GPIO: a dimmer at 100 that is killed: the line stays high, full on")
