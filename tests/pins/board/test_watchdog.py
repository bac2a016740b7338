"""Debian's bcm2835_wdt on the registers of the board: what the timer is really given, and what a reset finds.

QEMU's model has the registers and no timer: whoever starts it resets the machine at once, so the value is what is seen.
"""

from collections.abc import Callable

import pytest

from tests.pins.board import image, machine
from tests.pins.board.hands import HEATER, OUTPUTS, Hands

RSTC, WDOG = 0x1C, 0x24
TICKS = 1 << 16
"""A second, in the timer's register of 20 bits."""
FIELD = 0xFFFFF


@pytest.mark.parametrize(("asked", "given"), [(15, 15), (16, 0), (24, 8), (60, 12)])
def test_the_driver_takes_any_time_and_counts_it_modulo_16(
    kernel: image.Image, asked: int, given: int, saw: Callable[[str], None]
) -> None:
    with machine.started(kernel) as board:
        board.run("insmod", "/bcm2835_wdt.ko", f"heartbeat={asked}")
        says = board.run("cat", "/sys/class/watchdog/watchdog0/timeout").strip()
        board.send(do="run", command=["sh", "-c", "echo > /dev/watchdog; sleep 3600"])
        board.wait()
        [ticks] = [value & FIELD for offset, value in board.watchdog if offset == WDOG]
    assert says == str(asked)
    assert ticks == given * TICKS
    saw(f"bcm2835_wdt: asked for {asked} s it says {says} s, and writes {ticks:#07x} = {ticks // TICKS} s to PM_WDOG")


def test_a_reboot_leaves_lines_until_the_reset_itself(kernel: image.Image, saw: Callable[[str], None]) -> None:
    with machine.started(kernel) as board:
        board.run("insmod", "/bcm2835_wdt.ko")
        hands = Hands(board, "gpiod", OUTPUTS)
        hands.do("claim", HEATER, 1)
        assert board.levels(HEATER, 0) == [0, 1]
        board.send(do="run", command=["reboot", "-f"])
        board.wait()
        assert board.levels(HEATER, 0) == [1]
        assert any(offset == RSTC for offset, _ in board.watchdog)
    saw("reboot -f with a line held: the kernel writes no pin, the level stands until the chip's reset")
