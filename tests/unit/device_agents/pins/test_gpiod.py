"""The gpiod pins on a fake of the library: what is in the way is told first, and what the kernel decides at the end."""

import sys
from collections.abc import Callable

import pytest

from device_agents.pins import gpiod as pins_gpiod
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.pins import PinUse
from shared.running.config import ConfigError
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.device_agents.pins.benches import BELL, CHIP, CONTACT, HEATER, LAMP, USES
from tests.unit.device_agents.pins.wires import FakeGpiod, FakeRequest


@pytest.fixture
def gpiod() -> FakeGpiod:
    return FakeGpiod()


def start(gpiod: FakeGpiod, uses: tuple[PinUse, ...] = USES) -> GpiodPins:
    return GpiodPins(gpiod, CHIP, "hall", uses)


# --- before any line is touched -----------------------------------------------------------------------------------


def test_everything_that_is_in_the_way_is_told_before_a_line_is_touched(gpiod: FakeGpiod) -> None:
    gpiod.consumers |= {LAMP: "spi0 CS0", HEATER: "", CONTACT: "homesystem hall"}
    more = (PinUse(pin=18, device="dimmer", output=True, frequency=200), PinUse(pin=32, device="gate", output=True))
    with pytest.raises(ConfigError) as told:
        start(gpiod, (*USES, *more))
    lines = str(told.value).splitlines()
    assert [line.removeprefix("devices: /dev/gpiochip0: ").split(";")[0] for line in lines] == [
        "line 17 (lamp) is used by 'spi0 CS0'",
        "line 27 (heater) is used by the kernel, for a bus for instance",
        "line 22 (contact) is used by 'homesystem hall'",
        "pin 18 (dimmer): a dimmer needs PWM, which gpiod does not have",
        "there is no line 32 (gate)",
    ]
    assert 'pins = "rpi"' in lines[3]
    assert gpiod.board.edges == {}
    assert gpiod.consumers.keys() == {LAMP, HEATER, CONTACT}


def test_the_lines_of_the_agent_that_runs_are_no_complaint_of_a_check(gpiod: FakeGpiod) -> None:
    running = start(gpiod)
    running.claim(LAMP, 0)
    pins_gpiod.check(gpiod, CHIP, "hall", USES, ())
    with pytest.raises(ConfigError, match="used by 'homesystem hall'"):
        pins_gpiod.check(gpiod, CHIP, "kitchen", USES, ())
    running.close()
    assert gpiod.consumers == {}


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
def test_on_a_raspberry_pi_the_headers_rules_hold_too(label: str) -> None:
    gpiod = FakeGpiod(label=label, lines=54)
    uses = (PinUse(pin=2, device="lamp", output=True), PinUse(pin=40, device="gate", output=True))
    with pytest.raises(ConfigError, match=r"(?s)pin 2 \(lamp\) carries I²C data.*no pin 40 \(gate\) on the header"):
        start(gpiod, uses)
    GpiodPins(gpiod, CHIP, "hall", uses, free=(2, 40)).close()


def test_a_chip_that_works_inside_the_board_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"this is gpio-brcmstb@107d508500, .*the one called pinctrl-"):
        start(FakeGpiod(label="gpio-brcmstb@107d508500"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory"), "there is no /dev/gpiochip0; gpiodetect lists"),
        (PermissionError(13, "Permission denied"), "may not be written; .* usermod -aG gpio"),
        (OSError(25, "Inappropriate ioctl for device"), "is no GPIO chip"),
        (ValueError("Invalid argument"), "is no GPIO chip"),
    ],
)
def test_a_chip_that_cannot_be_opened_is_told_with_the_next_step(
    gpiod: FakeGpiod, error: Exception, words: str
) -> None:
    gpiod.refused = error
    with pytest.raises(ConfigError, match=words):
        start(gpiod)
    with pytest.raises(ConfigError, match=words):
        pins_gpiod.check(gpiod, CHIP, "hall", USES, ())


def test_a_machine_without_the_library_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(ConfigError, match=r"install\.sh room"):
        pins_gpiod.load()


# --- what the kernel decides --------------------------------------------------------------------------------------


def test_a_line_that_was_looked_at_is_held_so_that_no_kernel_lets_it_go(gpiod: FakeGpiod) -> None:
    gpiod.board.change(LAMP, outside=1)
    start(gpiod).claim(LAMP, 1)
    gpiod.consumers.clear()  # killed, on a kernel that keeps outputs
    gpiod.keeps = False
    gpiod.board.edges.clear()
    pins = start(gpiod)
    assert pins.driven(LAMP) == 1
    pins.claim(LAMP, 1)
    assert gpiod.board.edges == {}


def test_a_kernel_that_lets_outputs_go_leaves_them_to_their_resistors(gpiod: FakeGpiod) -> None:
    gpiod.keeps = False
    gpiod.board.change(LAMP, outside=1)
    pins = start(gpiod)
    pins.claim(LAMP, 1)
    pins.close()
    assert gpiod.board.wires[LAMP].level == 1
    again = start(gpiod)
    assert again.driven(LAMP) is None
    again.close()


def test_a_line_that_somebody_took_meanwhile_is_neither_driven_nor_ours(gpiod: FakeGpiod) -> None:
    pins = start(gpiod)
    gpiod.board.change(LAMP, output=True)
    gpiod.consumers[LAMP] = "gpioset"
    assert pins.driven(LAMP) is None
    with pytest.raises(HomeError, match=r"pin 17: .*busy"):
        pins.claim(LAMP, 0)


def test_inputs_that_cannot_be_had_are_told_together(gpiod: FakeGpiod) -> None:
    pins = start(gpiod)
    gpiod.consumers[BELL] = "gpiomon"
    with pytest.raises(HomeError, match=r"pin 22, 23: .*busy"):
        pins.watch(print)
    pins.close()


def test_no_reader_outlives_its_pins(gpiod: FakeGpiod) -> None:
    pins = start(gpiod)
    pins.watch(print)
    assert pins._reader is not None
    pins.close()
    assert not pins._reader.is_alive()


def test_a_chip_that_is_pulled_out_ends_the_reader_and_fails_the_reading(
    gpiod: FakeGpiod, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[[FakeRequest], object] = FakeRequest.read_edge_events

    def torn(request: FakeRequest) -> object:
        gpiod.board.gone = True
        return read(request)

    monkeypatch.setattr(FakeRequest, "read_edge_events", torn)
    pins = start(gpiod)
    pins.watch(print)
    gpiod.board.change(CONTACT, outside=0)
    assert pins._reader is not None
    pins._reader.join(timeout=DEADLINE)
    assert "Inputs are lost" in caplog.text
    with pytest.raises(HomeError, match="No such device"):
        pins.read(CONTACT)
    pins.close()
