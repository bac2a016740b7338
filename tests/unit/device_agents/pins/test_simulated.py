"""Simulated pins: one line an edge, levels that outlive the process, inputs that can be driven from outside."""

import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from device_agents.pins import simulation
from device_agents.pins.pins import PinUse
from device_agents.pins.simulated import SimulatedPins
from shared.running.config import ConfigError
from shared.words.problem import HomeError
from tests.house import DEADLINE

USES = (
    PinUse(pin=5, device="blind", output=True),
    PinUse(pin=6, device="blind", output=True),
    PinUse(pin=17, device="lamp", output=True, active_low=True),
    PinUse(pin=18, device="dimmer", output=True, frequency=200),
    PinUse(pin=22, device="contact", output=False, values=("open", "closed"), idle=1),
    PinUse(pin=23, device="doorbell", output=False, values=("press", "double", "long")),
)


def waveform(folder: Path) -> list[tuple[int, str, int]]:
    lines = [msgspec.json.decode(line) for line in (folder / "hall.jsonl").read_bytes().splitlines()]
    assert all(sorted(line) == ["at", "device", "level", "pin"] for line in lines)
    assert all(line["at"].endswith("Z") for line in lines)
    return [(line["pin"], line["device"], line["level"]) for line in lines]


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[SimulatedPins]:
    made = SimulatedPins(tmp_path, "hall", USES)
    yield made
    made.close()


def test_each_edge_is_a_line_and_nothing_else_is(tmp_path: Path, pins: SimulatedPins) -> None:
    pins.claim(17, 0)
    assert waveform(tmp_path) == []
    pins.write(17, 1)
    pins.write(17, 1)
    pins.write(17, 0)
    assert waveform(tmp_path) == [(17, "lamp", 1), (17, "lamp", 0)]
    assert pins.read(17) == 0


def test_dimming_is_an_edge_only_where_the_light_goes_on_or_off(tmp_path: Path, pins: SimulatedPins) -> None:
    for level in (0, 30, 80, 80, 0, 5):
        pins.write(18, level)
    assert waveform(tmp_path) == [(18, "dimmer", 1), (18, "dimmer", 0), (18, "dimmer", 1)]
    assert pins.read(18) == 5


def test_levels_outlive_the_process(tmp_path: Path, pins: SimulatedPins) -> None:
    assert pins.driven(17) is None
    pins.write(17, 1)
    pins.write(18, 40)
    again = SimulatedPins(tmp_path, "hall", USES)
    assert (again.driven(17), again.driven(18)) == (1, 1)
    again.claim(17, 1)
    again.claim(18, 0)
    again.close()
    assert waveform(tmp_path)[2:] == [(18, "dimmer", 0)]


def test_a_line_torn_by_a_crash_is_forgotten(tmp_path: Path, pins: SimulatedPins) -> None:
    pins.write(17, 1)
    with (tmp_path / "hall.jsonl").open("ab") as file:
        file.write(b'{"at":"2026-01-01T00:00:00Z","pin":17,"dev')
    again = SimulatedPins(tmp_path, "hall", USES)
    assert again.driven(17) == 1
    again.write(17, 0)
    again.close()
    assert waveform(tmp_path) == [(17, "lamp", 1), (17, "lamp", 0)]


def test_a_line_that_is_none_of_ours_is_passed_over(tmp_path: Path, pins: SimulatedPins) -> None:
    pins.write(17, 1)
    with (tmp_path / "hall.jsonl").open("ab") as file:
        file.write(b'# "pin":17, somebody wrote here\n')
    again = SimulatedPins(tmp_path, "hall", USES)
    assert again.driven(17) == 1
    again.close()


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="sim_dir"):
        SimulatedPins(tmp_path / "file", "hall", USES)


# --- driving inputs ----------------------------------------------------------------------------------------------


@pytest.fixture
def changes(pins: SimulatedPins) -> "queue.SimpleQueue[tuple[int, int]]":
    heard: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()

    def changed(pin: int, level: int | None = None, at: float | None = None, *, missed: bool = False) -> None:
        assert level is not None
        assert at is None
        assert not missed
        heard.put((pin, level))

    pins.watch(changed, lambda *, there: None)
    return heard


def test_a_contact_is_driven_and_stays_so(tmp_path: Path, changes: "queue.SimpleQueue[tuple[int, int]]") -> None:
    simulation.drive(tmp_path, "hall", "contact", "open")
    assert changes.get(timeout=DEADLINE) == (22, 0)
    simulation.drive(tmp_path, "hall", "contact", "open")
    assert changes.empty()
    again = SimulatedPins(tmp_path, "hall", USES)
    assert again.read(22) == 0
    again.close()


def test_a_button_is_pressed_and_let_go(tmp_path: Path, changes: "queue.SimpleQueue[tuple[int, int]]") -> None:
    simulation.drive(tmp_path, "hall", "doorbell", "double")
    assert [changes.get(timeout=DEADLINE) for _ in range(4)] == [(23, 1), (23, 0), (23, 1), (23, 0)]


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize(
    ("room", "device", "value", "slug", "words"),
    [
        ("cellar", "contact", "open", "not-found", "there is: hall"),
        ("hall", "window", "open", "invalid-value", "no device 'window'; inputs are: contact, doorbell; outputs are: "),
        ("hall", "lamp", "on", "invalid-value", "'lamp' is an output; send it a command, or break it: stuck, free."),
        ("hall", "contact", "stuck", "invalid-value", "takes open, closed, not 'stuck'"),
        ("hall", "contact", "ajar", "invalid-value", "takes open, closed, not 'ajar'"),
        ("hall", "doorbell", "x" * 5000, "invalid-value", "one line of JSON"),
    ],
)
def test_what_cannot_be_driven_is_told(
    tmp_path: Path, room: str, device: str, value: str, slug: str, words: str
) -> None:
    with pytest.raises(HomeError) as told:
        simulation.drive(tmp_path, room, device, value)
    assert told.value.slug == slug
    assert words in told.value.detail


@pytest.mark.usefixtures("changes")
def test_an_output_that_is_stuck_follows_nothing_until_it_is_free(tmp_path: Path, pins: SimulatedPins) -> None:
    pins.write(17, 1)
    simulation.drive(tmp_path, "hall", "lamp", "stuck")
    simulation.drive(tmp_path, "hall", "lamp", "stuck")
    pins.write(17, 0)
    assert pins.read(17) == 1
    simulation.drive(tmp_path, "hall", "lamp", "free")
    assert pins.read(17) == 1
    pins.write(17, 0)
    assert pins.read(17) == 0
    assert waveform(tmp_path) == [(17, "lamp", 1), (17, "lamp", 0)]


@pytest.mark.usefixtures("changes")
def test_all_pins_of_a_device_are_stuck_together_and_no_others(tmp_path: Path, pins: SimulatedPins) -> None:
    simulation.drive(tmp_path, "hall", "blind", "stuck")
    for pin in (5, 6, 18):
        pins.write(pin, 1)
    assert [pins.read(pin) for pin in (5, 6, 18)] == [0, 0, 1]


@pytest.mark.usefixtures("changes")
def test_the_next_process_is_not_stuck(tmp_path: Path, pins: SimulatedPins) -> None:
    simulation.drive(tmp_path, "hall", "lamp", "stuck")
    again = SimulatedPins(tmp_path, "hall", USES)
    again.claim(17, 1)
    assert again.read(17) == 1
    again.close()


def test_a_room_that_is_not_running_is_told(tmp_path: Path, pins: SimulatedPins) -> None:
    with pytest.raises(HomeError) as told:
        simulation.drive(tmp_path, "hall", "contact", "open")
    assert told.value.slug == "room-offline"
    with pytest.raises(HomeError, match="there is: none"):
        simulation.drive(tmp_path / "nowhere", "hall", "contact", "open")


def test_nonsense_on_the_socket_is_answered_and_a_silent_caller_blocks_nobody_for_long(
    tmp_path: Path, changes: "queue.SimpleQueue[tuple[int, int]]"
) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / "hall.sock"))
        caller.sendall(b"hello\n")
        assert b'"ok":false' in caller.recv(4096)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / "hall.sock"))  # and gone again
    simulation.drive(tmp_path, "hall", "contact", "open")
    assert changes.get(timeout=DEADLINE) == (22, 0)


def test_a_folder_with_a_long_path_works_too(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    pins = SimulatedPins(folder, "hall", USES)
    came = threading.Event()
    pins.watch(lambda *_edge, **_more: came.set(), lambda *, there: None)
    simulation.drive(folder, "hall", "contact", "open")
    assert came.wait(DEADLINE)
    pins.close()
    assert not (folder / "hall.sock").exists()


def test_driven_levels_that_are_damaged_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "hall.inputs.json").write_text("{")
    pins = SimulatedPins(tmp_path, "hall", USES)
    assert pins.read(22) == 1
    pins.close()
