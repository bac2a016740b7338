"""What becomes of an output when its process ends, and when the next one starts: docs/wiring.md's table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pins.inside.expander import Expander
from tests.pins.inside.holder import ENDS, Holder, Kind
from tests.unit.device_agents.pins import chips
from tests.unit.device_agents.pins.benches import HEATER

KINDS: tuple[Kind, ...] = ("gpiod", "rpi-lgpio")
Saw = Callable[[str], None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("level", [0, 1])
def test_a_chip_that_lets_go(kind: Kind, how: str, level: int, tmp_path: Path, saw: Saw) -> None:
    """gpio-sim lets a line go to its pull, as the pins of a Pi do on a kernel that keeps no outputs."""
    with chips.made() as chip:
        chip.pull(HEATER, 1 - level)
        chip.edges(HEATER)
        first = Holder(kind, chip.path, HEATER, level, tmp_path)
        claimed = chip.edges(HEATER)
        first.end(how)
        released = chip.edges(HEATER)
        second = Holder(kind, chip.path, HEATER, level, tmp_path)
        again = chip.edges(HEATER)
        second.end("stops")
        assert claimed == [level]
        assert released == [1 - level], "the resistor decides"
        assert again == [level], "claimed anew: one edge, since the resistor says otherwise"
    saw(f"{kind}, level {level}, the process {how}: the line goes to its resistor; the next one claims it in one edge")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0, 1])
def test_a_resistor_that_says_the_same(kind: Kind, level: int, tmp_path: Path, saw: Saw) -> None:
    """Nothing ever moves: the reason for docs/wiring.md's first rule."""
    with chips.made() as chip:
        chip.pull(HEATER, level)
        chip.edges(HEATER)
        for how in ENDS:
            Holder(kind, chip.path, HEATER, level, tmp_path).end(how)
        assert chip.edges(HEATER) == []
    saw(f"{kind}, level {level}, resistor to the same: four ends and four starts make no edge at all")


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_process_holds_its_line(kind: Kind, tmp_path: Path, saw: Saw) -> None:
    """What hangs is not what ended: only a watchdog helps there."""
    with chips.made() as chip:
        chip.pull(HEATER, 0)
        chip.edges(HEATER)
        holder = Holder(kind, chip.path, HEATER, 1, tmp_path)
        holder.freeze()
        assert chip.edges(HEATER) == [1]
        assert chip.level(HEATER) == 1
        holder.thaw()
        holder.end("stops")
    saw(f"{kind}: a process that is frozen (SIGSTOP) holds its line")


@pytest.fixture(scope="module")
def expander() -> Expander:
    return Expander()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("level", [0, 1])
def test_an_expander_keeps_it(expander: Expander, kind: Kind, how: str, level: int, tmp_path: Path, saw: Saw) -> None:
    """The driver of a PCA9555 does nothing when a line is let go."""
    Holder(kind, expander.path, 3, level, tmp_path).end("stops")
    expander.written(3)
    first = Holder(kind, expander.path, 3, level, tmp_path)
    first.end(how)
    assert expander.drives(3) == level, "it stays"
    expander.settle()
    second = Holder(kind, expander.path, 3, level, tmp_path)
    second.end("stops")
    said = expander.written(3)
    assert second.found == (level if kind == "gpiod" else None)
    assert f"output {1 - level}" not in said
    assert "listens" not in said
    assert expander.drives(3) == level
    saw(f"{kind} on a PCA9555, level {level}, the process {how}: it stays; taken over without an edge")
