"""Pins that a page offers: the board's own word, without what something else uses, whichever way they are reached."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from device_agents.own_file import offered
from device_agents.pins import chips
from device_agents.pins import gpiod as pins_gpiod
from device_agents.pins.chips import Chip
from shared.running.config import ConfigError
from tests.unit.device_agents.fakes import room_config

USERS = {17: "fan", 27: pins_gpiod.consumer("hall"), 6: None}


class Opened:
    """A chip whose line 5 has a name that is no text."""

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_line_info(self, number: int) -> Any:
        if number == 5:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text")
        user = USERS.get(number)
        return SimpleNamespace(used=user is not None, consumer=user, name=f"P{number}")


def asked(monkeypatch: pytest.MonkeyPatch, folder: Path, label: str, lines: int, **settings: Any) -> dict[int, str]:
    """By number: what they are called on a chip with that label."""
    chip = Chip(path=Path("/dev/gpiochip9"), label=label, lines=lines)
    monkeypatch.setattr(pins_gpiod, "load", lambda: None)
    monkeypatch.setattr(chips, "find", lambda *_: chip)
    monkeypatch.setattr(chips, "opened", lambda *_: Opened())
    room = msgspec.structs.replace(room_config(folder, ()), pins="gpiod", chip=chip.path, **settings)
    return {pin.line: pin.name for pin in offered.of(room)}


def test_of_a_pis_header_what_is_free_or_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = asked(monkeypatch, tmp_path, "pinctrl-bcm2711", 58, free_pins=(14,))
    assert {6, 27, 14} <= found.keys(), "free, ours, and said to be free"
    assert not {17, 5, 2, 15, 40} & found.keys(), "another's, no text, a bus's, the console's, none of the header"


def test_of_another_chip_every_line_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert asked(monkeypatch, tmp_path, "20-0020", 8) == {n: f"P{n}" for n in range(8) if n != 5}


def test_without_the_board_nothing_is_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent() -> Any:
        raise ConfigError("gpiod is not installed")

    monkeypatch.setattr(pins_gpiod, "load", absent)
    room = msgspec.structs.replace(room_config(tmp_path, ()), pins="gpiod", chip=Path("/dev/gpiochip9"))
    assert offered.of(room) == ()
