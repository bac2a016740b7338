"""Which board, which chip, which free pins: told in the room's file, and right as it stands on any of them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from device_agents import complaints
from device_agents.joining import board, room_file
from device_agents.joining.board import Board, Line
from device_agents.pins import chips
from device_agents.pins.board import HEADER, PLACES
from device_agents.pins.chips import Chip
from shared.running.config import ConfigError

PI = Chip(path=Path("/dev/gpiochip0"), label="pinctrl-bcm2711", lines=58)
INNER = Chip(path=Path("/dev/gpiochip1"), label="raspberrypi-exp-gpio", lines=8)
EXPANDER = Chip(path=Path("/dev/gpiochip2"), label="20-0020", lines=16, alone=False)
PI_LINES = [Line(number, f"GPIO{number}", {4: "onewire@0", 42: "led0", 17: "fan"}.get(number)) for number in range(58)]


def written(folder: Path, found: Board) -> str:
    path = folder / "attic.toml"
    path.write_text(room_file.text("attic", "hub.home.arpa", 8883, found))
    return path.read_text()


def test_of_a_pi_the_header_is_chosen_whatever_its_number_and_never_what_works_inside() -> None:
    assert board.chosen([INNER, EXPANDER, PI]) == PI
    assert board.chosen([INNER, EXPANDER]) == EXPANDER
    assert board.chosen([INNER]) is None
    assert board.chosen([]) is None


def test_a_pis_file_lists_its_free_pins_with_their_places_and_what_is_taken(tmp_path: Path) -> None:
    text = written(tmp_path, board.told("Raspberry Pi 4 Model B Rev 1.4", PI, PI_LINES, [INNER]))
    assert 'pins = "gpiod"\nchip = "pinctrl-bcm2711"\n' in text
    comment = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("#"))
    assert "This board: Raspberry Pi 4 Model B Rev 1.4." in comment
    free = comment.partition("(pin of the header): ")[2].partition(".")[0]
    assert free.split(", ")[:3] == ["5 (29)", "6 (31)", "16 (36)"]
    assert "17 (11)" not in comment, "it has a fan on it"
    assert "14 (8)" not in comment, "it carries the console"
    assert "In use by something else: 4 (onewire@0), 17 (fan)." in comment
    assert "raspberrypi-exp-gpio (/dev/gpiochip1)" in comment


def test_of_another_board_lines_are_told_by_number_and_name_and_a_chip_that_has_a_twin_by_its_path(
    tmp_path: Path,
) -> None:
    lines = [Line(0, "", None), Line(1, "P1.2", None), Line(2, "", "reset")]
    text = written(tmp_path, board.told("a board", EXPANDER, lines, []))
    assert 'chip = "/dev/gpiochip2"' in text
    assert "line numbers: 0, 1 (P1.2)." in text
    assert "2 (reset)" in text


def test_a_machine_without_chips_simulates_and_says_so(tmp_path: Path) -> None:
    def absent() -> Any:
        raise ConfigError("libgpiod cannot be used")

    text = written(tmp_path, board.found(absent, tmp_path / "model"))
    room = complaints.read(tmp_path / "attic.toml")
    assert (room.pins, room.sim_dir, room.devices) == ("simulated", Path("/var/lib/homesystem/sim"), ())
    assert "nothing is switched" in text


@pytest.mark.parametrize("found", [board.told("Pi", PI, PI_LINES, []), board.told("x", EXPANDER, [], [PI])])
def test_it_is_right_as_it_stands_and_moves_nothing(tmp_path: Path, found: Board) -> None:
    text = written(tmp_path, found)
    room = complaints.read(tmp_path / "attic.toml")
    assert (room.room, room.devices, room.broker.host, room.broker.port) == ("attic", (), "hub.home.arpa", 8883)
    assert max(map(len, text.splitlines())) <= 124


def test_each_device_in_it_is_right_once_it_is_taken_out_of_its_comment(tmp_path: Path) -> None:
    text = written(tmp_path, board.told("Pi", PI, PI_LINES, []))
    settings, mark, devices = text.partition("# [[devices]]")
    path = tmp_path / "attic.toml"
    path.write_text(settings + "".join(f"{line.removeprefix('# ')}\n" for line in (mark + devices).splitlines()))
    assert len({device.kind for device in complaints.read(path).devices}) == 7


def test_what_a_board_calls_itself_ends_no_line_of_the_file(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(b'A Pi"\nroom = "hall"\n\0')
    written(tmp_path, board.told(board.model(model), EXPANDER, [], []))
    assert complaints.read(tmp_path / "attic.toml").room == "attic"


def test_lines_are_asked_of_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Opened:
        def __enter__(self) -> "Opened":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def get_line_info(self, number: int) -> Any:
            return SimpleNamespace(name=f"L{number}", used=number == 1, consumer="somebody" if number == 1 else "")

    monkeypatch.setattr(chips, "there", lambda _gpiod: [EXPANDER])
    monkeypatch.setattr(chips, "opened", lambda _gpiod, _path: Opened())
    found = board.found(SimpleNamespace, tmp_path / "model")
    assert found.chip == "/dev/gpiochip2"
    assert any("1 (somebody)" in words for words in found.words)
    assert any("0 (L0), 2 (L2)" in words for words in found.words)


def test_every_pin_of_the_header_has_a_place_of_its_own() -> None:
    assert set(PLACES) == set(HEADER)
    assert len(set(PLACES.values())) == len(HEADER)
    power_and_ground = {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}
    assert set(PLACES.values()) == set(range(1, 41)) - power_and_ground
