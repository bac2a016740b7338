"""A line that the firmware of the board drives (`gpio=17=op,dh` in config.txt) before any process ran."""

from collections.abc import Callable

from tests.pins.board import image, machine
from tests.pins.board.hands import LAMP, OUTPUT, OUTPUTS, Hands, as_is, info
from tests.pins.board.pads import SELECT, SET

DRIVEN_HIGH = {
    machine.GPIO + SET[LAMP // 32]: 1 << LAMP % 32,
    machine.GPIO + SELECT[LAMP // 10]: OUTPUT << LAMP % 10 * 3,
}


def test_it_looks_as_if_an_agent_had_driven_it(kernel: image.Image, saw: Callable[[str], None]) -> None:
    with machine.started(kernel, firmware=DRIVEN_HIGH) as board:
        assert board.levels(LAMP, 0) == [0, 1]
        about = info(board, LAMP)
        assert (about["direction"], about["used"]) == ("OUTPUT", False)
        assert as_is(board, LAMP) == (1, "OUTPUT")
        hands = Hands(board, "gpiod", OUTPUTS)
        hands.do("claim", LAMP, 0)  # active low: high
        assert board.function(LAMP) == OUTPUT
        hands.end("killed")
    saw(
        "firmware gpio=17=op,dh: the kernel leaves it; info says OUTPUT, unused, and AS_IS reads 1: as a killed agent's"
    )
