"""The gpiod pins on a fake of the library: what is in the way is told first, and what the kernel decides at the end."""

import queue
import sys
import threading
from pathlib import Path

import pytest

from device_agents.pins import chips, hearing
from device_agents.pins import gpiod as pins_gpiod
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.hearing import EDGES_KEPT
from device_agents.pins.pins import PinUse
from shared.running.config import ConfigError
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.device_agents.pins.benches import BELL, CHIP, CONTACT, HEATER, LAMP, USES
from tests.unit.device_agents.pins.wires import FakeChip, FakeGpiod, FakeRequest


@pytest.fixture
def gpiod() -> FakeGpiod:
    return FakeGpiod()


def nothing(*, there: bool) -> None:
    """No word of the board."""


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
    pins_gpiod.check(gpiod, CHIP.path, "hall", USES, ())
    with pytest.raises(ConfigError, match="used by 'homesystem hall'"):
        pins_gpiod.check(gpiod, CHIP.path, "kitchen", USES, ())
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
        pins_gpiod.check(gpiod, CHIP.path, "hall", USES, ())


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
        pins.watch(Told(), nothing)
    pins.close()


def test_no_reader_outlives_its_pins(gpiod: FakeGpiod) -> None:
    pins = start(gpiod)
    pins.watch(Told(), nothing)
    assert pins._hearing is not None
    thread = pins._hearing.thread
    assert thread is not None
    assert thread.is_alive()
    pins.close()
    assert not thread.is_alive()


@pytest.mark.parametrize("when", ["idle", "reading"])
def test_a_chip_that_is_pulled_out_is_told_at_once_and_again_when_it_is_back(
    gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str
) -> None:
    monkeypatch.setattr(chips, "DEVICES", tmp_path)
    monkeypatch.setattr(hearing, "LOOK_SECONDS", 0.01)
    told: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def board(*, there: bool) -> None:
        told.put(there)

    pins = start(gpiod)
    pins.watch(Told(), board)
    pins.claim(LAMP, 0)
    if when == "reading":
        monkeypatch.setattr(FakeRequest, "wait_edge_events", lambda request, _seconds: _torn(request))
        gpiod.board.change(CONTACT, outside=0)
    else:
        gpiod.board.gone = True
    assert told.get(timeout=DEADLINE) is False
    with pytest.raises(HomeError, match=r"pin 22: .*No such device; plug its chip in again"):
        pins.read(CONTACT)
    with pytest.raises(HomeError, match="plug its chip in again"):
        pins.write(LAMP, 1)
    gpiod.board.gone, gpiod.name = False, "gpiochip7"
    (tmp_path / "gpiochip7").touch()
    assert told.get(timeout=DEADLINE) is True
    pins.close()


def test_a_user_of_any_line_whose_name_is_no_utf8_ends_no_hearing(
    gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "LOOK_SECONDS", 0.01)
    looked: queue.SimpleQueue[None] = queue.SimpleQueue()
    about, told = FakeChip.get_line_info, Told()

    def odd(chip: FakeChip, offset: int) -> object:
        if offset != 0:
            return about(chip, offset)
        looked.put(None)
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    pins = start(gpiod)
    pins.watch(told, nothing)
    monkeypatch.setattr(FakeChip, "get_line_info", odd)
    for _ in range(2):  # it looks again after the first
        looked.get(timeout=DEADLINE)
    gpiod.board.change(CONTACT, outside=0)
    assert pins.read(CONTACT) == 1
    assert [level for _, level, *_ in told.edges] == [1]
    pins.close()


def test_a_reader_that_breaks_has_the_room_begin_anew(gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch) -> None:
    told: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def broken(_request: FakeRequest, _seconds: float) -> bool:
        raise ValueError("nobody thought of this")

    pins = start(gpiod)
    pins.watch(Told(), lambda *, there: told.put(there))
    monkeypatch.setattr(FakeRequest, "wait_edge_events", broken)
    gpiod.board.change(CONTACT, outside=0)
    assert told.get(timeout=DEADLINE) is True
    pins.close()


def _torn(request: FakeRequest) -> bool:
    request.board.gone = True
    return True


# --- edges --------------------------------------------------------------------------------------------------------


class Told:
    """What is told of edges."""

    def __init__(self) -> None:
        self.edges: list[tuple[int, int | None, float | None, bool]] = []

    def __call__(self, pin: int, level: int | None = None, at: float | None = None, *, missed: bool = False) -> None:
        self.edges.append((pin, level, at, missed))


def test_an_edge_tells_which_way_it_went_and_when_however_late_it_is_read(
    gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: None)  # a reader that never gets its turn
    pins, told = start(gpiod), Told()
    pins.watch(told, nothing)
    for at, level in ((100.0, 0), (100.02, 1), (100.5, 0)):
        gpiod.now = at
        gpiod.board.change(CONTACT, outside=level)
    gpiod.now = 101.0
    assert pins.read(CONTACT) == 1, "who looks is told of all that was before"
    assert told.edges == [(CONTACT, 1, 100.0, False), (CONTACT, 0, 100.02, False), (CONTACT, 1, 100.5, False)]
    assert pins.read(CONTACT) == 1
    assert len(told.edges) == 3


def test_edges_that_the_kernel_dropped_are_told_as_missing_and_cost_no_other_line_one(
    gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: None)
    pins, told = start(gpiod), Told()
    pins.watch(told, nothing)
    gpiod.board.change(BELL, outside=1)
    for number in range(1001):
        gpiod.board.change(CONTACT, outside=number % 2)
    pins.read(CONTACT), pins.read(BELL)
    assert [(pin, missed) for pin, *_, missed in told.edges if missed] == [(CONTACT, True)]
    assert told.edges[0][3], "the oldest of those that are left"
    assert len(told.edges) == EDGES_KEPT + 1
    assert told.edges[-1][:2] == (BELL, 1)
