"""pinctrl-bcm2835 of Debian's own kernel, and lines held through libgpiod: what becomes of them."""

from collections.abc import Callable

import pytest

from tests.pins.board.conftest import Started
from tests.pins.board.hands import (
    CHIP,
    CONSOLE,
    CONTACT,
    CONTACTS,
    DIMMER,
    DIMMERS,
    ENDINGS,
    HEATER,
    INPUT,
    LABEL,
    LAMP,
    OUTPUT,
    OUTPUTS,
    RELEASED,
    Ending,
    Hands,
    RaisedError,
    as_is,
    info,
    levels,
)
from tests.pins.board.machine import Board
from tests.pins.board.pads import FALLING, PULL, PULL_UP, PULLED, RISING

HEADER = range(28)
UART = {14, 15}
Saw = Callable[[str], None]


def _driven(board: Board) -> Hands:
    """Both devices on, which is against their resistors."""
    hands = Hands(board, "gpiod", OUTPUTS)
    for pin in (LAMP, HEATER):
        hands.do("claim", pin, 0)
    assert levels(board) == {LAMP: [1], HEATER: [0]}  # from an input to a released output: no edge
    for pin in (LAMP, HEATER):
        hands.do("write", pin, 1)
        assert hands.do("read", pin) == 1
    assert levels(board) == {LAMP: [1, 0], HEATER: [0, 1]}
    return hands


def test_the_kernel_gives_the_serial_console_its_pins_and_moves_no_other(boards: Started, saw: Saw) -> None:
    given = boards().given
    assert given & set(HEADER) == UART
    saw(f"gpiod: until the first process the kernel gives pads {sorted(given)} to other parts, and moves no other")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_line_becomes_an_input_when_its_process_ends(board: Board, ending: Ending, saw: Saw) -> None:
    hands = _driven(board)
    hands.end(ending)
    assert levels(board) == {LAMP: [0, 1], HEATER: [1, 0]}
    assert [board.function(pin) for pin in (LAMP, HEATER)] == [INPUT, INPUT]
    about = info(board, LAMP)
    assert (about["direction"], about["used"]) == ("OUTPUT", False)
    saw(f"gpiod: {ending}: the line becomes an input, the resistor decides; its info says {about['direction']}, unused")


def test_a_line_taken_as_it_stands_is_known_as_an_input_once_it_is_held(board: Board, saw: Saw) -> None:
    _driven(board).end("killed")
    levels(board)
    assert info(board, HEATER)["direction"] == "OUTPUT"
    assert as_is(board, HEATER) == (board.read(HEATER), "INPUT")
    assert levels(board)[HEATER] == [0]
    assert board.function(HEATER) == INPUT
    again = Hands(board, "gpiod", OUTPUTS)
    assert again.do("driven", HEATER) is None
    assert levels(board)[HEATER] == [0]
    again.end("killed")
    saw("gpiod: a released line taken AS_IS stays an input, and while it is held its info says so: INPUT")


@pytest.mark.parametrize("level", [0, 1])
def test_a_line_claimed_again_moves_only_away_from_its_resistor(board: Board, level: int, saw: Saw) -> None:
    _driven(board).end("killed")
    levels(board)
    hands = Hands(board, "gpiod", OUTPUTS)
    for pin in (LAMP, HEATER):
        hands.do("claim", pin, level)
    wires = {LAMP: 1 - level, HEATER: level}
    for pin, seen in levels(board).items():
        assert seen == ([RELEASED[pin], wires[pin]] if level else [RELEASED[pin]])
    hands.end("killed")
    saw(f"gpiod: claimed again {'on as before: one edge, from the resistor' if level else 'off: no edge'}")


def test_a_relay_never_sees_a_level_between(board: Board, saw: Saw) -> None:
    """The latch still has the old level when a line is claimed with the other: it is set before the direction."""
    _driven(board).end("killed")
    levels(board)
    assert board.read(HEATER) == 1  # what an output would drive
    hands = Hands(board, "gpiod", OUTPUTS)
    hands.do("claim", HEATER, 0)
    assert board.function(HEATER) == OUTPUT
    assert levels(board)[HEATER] == [0]
    hands.end("stopped")
    saw("gpiod: claimed off over a latch that is on: the latch is written before the direction, no edge")


def test_an_input_is_asked_for_with_its_pull_and_both_edges(board: Board, saw: Saw) -> None:
    hands = Hands(board, "gpiod", CONTACTS)
    hands.do("make")
    assert board.function(CONTACT) == INPUT
    before = len(board.writes)
    hands.do("watch")
    assert board.function(CONTACT) == INPUT
    written = board.writes[before:]
    assert written.index((PULL, PULL_UP)) < written.index((PULLED, 1 << CONTACT))
    for edge in (RISING, FALLING):
        assert [value for register, value in written if register == edge][-1] >> CONTACT & 1
    hands.end("stopped")
    saw("gpiod: an input with pull = up: GPPUD says up for its pad, GPREN and GPFEN listen to it")


def test_chips_inside_the_board_are_refused(board: Board, saw: Saw) -> None:
    assert info(board, 0, "/dev/gpiochip1")["label"] == "raspberrypi-exp-gpio"
    with pytest.raises(RaisedError, match="works inside the board"):
        Hands(board, "gpiod", OUTPUTS, "/dev/gpiochip1").do("make")
    saw("gpiod: gpiochip1, raspberrypi-exp-gpio, is refused: it works inside the board")


def test_the_chip_is_found_by_its_label_and_the_line_by_its_name(board: Board, saw: Saw) -> None:
    assert board.run("python3", "/aboard/named.py", LABEL, "GPIO17").split() == [CHIP, str(LAMP)]
    saw(f"gpiod: chip = {LABEL!r} is {CHIP}, pin = 'GPIO17' is line {LAMP}")


def test_rpi_lgpio_leaves_lines_to_the_kernel_too(board: Board, saw: Saw) -> None:
    for ending in ENDINGS:
        hands = Hands(board, "lgpio", OUTPUTS)
        for pin in (LAMP, HEATER):
            hands.do("claim", pin, 1)
        assert levels(board) == {LAMP: [1, 0], HEATER: [0, 1]}
        hands.end(ending)
        assert levels(board) == {LAMP: [0, 1], HEATER: [1, 0]}
        assert board.function(LAMP) == INPUT
    saw("rpi-lgpio: stopped or killed: the line becomes an input, the resistor decides")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_dimmer_of_rpi_lgpio_is_left_to_its_resistor(board: Board, ending: Ending, saw: Saw) -> None:
    hands = Hands(board, "lgpio", DIMMERS)
    hands.do("claim", DIMMER, 100)
    assert board.levels(DIMMER, RELEASED[DIMMER]) == [0, 1]
    hands.end(ending)
    assert board.levels(DIMMER, RELEASED[DIMMER])[-1] == RELEASED[DIMMER]
    assert board.function(DIMMER) == INPUT
    saw(f"rpi-lgpio: a dimmer at 100 that is {ending}: the line becomes an input, the resistor decides")


def test_the_original_is_kept_from_the_registers(board: Board, saw: Saw) -> None:
    with pytest.raises(RaisedError, match="pins cannot be reached") as raised:
        Hands(board, "rpi", OUTPUTS).do("make")
    assert levels(board) == {LAMP: [1], HEATER: [0]}
    saw(f"RPi.GPIO 0.7.1 as root, without iomem=relaxed: {raised.value}")


def test_a_bus_is_no_user_of_its_line(board: Board, saw: Saw) -> None:
    """The last test on this board: its console's line is taken away, which QEMU's own console does not mind."""
    about = info(board, CONSOLE)
    before = board.function(CONSOLE)
    assert before not in (INPUT, OUTPUT)
    assert not about["used"]
    board.levels(CONSOLE, 1)
    board.run("python3", "/aboard/take.py", CHIP, str(CONSOLE))
    assert board.levels(CONSOLE, 1) == [1, 0, 1]
    assert board.function(CONSOLE) == INPUT
    saw(
        f"gpiod: line 14 carries the console (ALT, GPFSEL {before}), its info says {about['direction']}, unused; "
        "a process may take it without a word, and afterwards it is an input, not the console's again"
    )
