"""What pins.Pins promises, asked of every kind of pins: on fakes, and on a kernel's chip where one is."""

import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device_agents.pins.pins import Pins
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.device_agents.pins import benches, chips
from tests.unit.device_agents.pins.benches import BELL, CONTACT, HEATER, LAMP, Bench, SimulatedBench

KINDS = ("simulated", "rpi on a fake", "rpi5 on a fake", "gpiod on a fake", "rpi5 on a chip", "gpiod on a chip")


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    match request.param:
        case "simulated":
            yield SimulatedBench(tmp_path)
        case "rpi on a fake":
            yield benches.rpi()
        case "rpi5 on a fake":
            yield benches.rpi5()
        case "gpiod on a fake":
            yield benches.gpiod()
        case "rpi5 on a chip":
            with chips.made() as chip, chips.rpi5(chip, tmp_path, monkeypatch) as made:
                yield made
        case "gpiod on a chip":
            with chips.made() as chip:
                yield chips.gpiod(chip)


OBSTRUCTED = pytest.mark.parametrize("bench", [kind for kind in KINDS if not kind.endswith("on a chip")], indirect=True)
"""For what only fakes can do: nobody can hold an output of gpio-sim's where it is."""


def nothing(*, there: bool) -> None:
    """No word of the board."""


@pytest.fixture
def new(bench: Bench) -> Iterator[Callable[[], Pins]]:
    """Starts a process's pins after ending those of the one before, as a service manager does."""
    running: list[Pins] = []

    def start() -> Pins:
        while running:
            running.pop().close()
        running.append(bench.pins())
        return running[-1]

    yield start
    while running:
        running.pop().close()


# --- outputs -----------------------------------------------------------------------------------------------------


def test_nothing_is_driven_before_anybody_drove_it(new: Callable[[], Pins]) -> None:
    pins = new()
    assert (pins.driven(LAMP), pins.driven(HEATER)) == (None, None)


def test_looking_and_claiming_at_rest_makes_no_edge(bench: Bench, new: Callable[[], Pins]) -> None:
    pins = new()
    for pin in (LAMP, HEATER):
        pins.driven(pin)
        pins.claim(pin, 0)
    assert (bench.edges(LAMP), bench.edges(HEATER)) == ([], [])
    assert (bench.wire(LAMP), bench.wire(HEATER)) == (1, 0)


@pytest.mark.parametrize("rest", [0, 1])
@pytest.mark.parametrize("level", [0, 1])
def test_the_level_is_there_before_the_direction(bench: Bench, new: Callable[[], Pins], rest: int, level: int) -> None:
    bench.rests(HEATER, rest)
    bench.edges(HEATER)
    new().claim(HEATER, level)
    assert 1 - level not in bench.edges(HEATER)
    assert bench.wire(HEATER) == level


def test_what_is_written_is_on_the_wire_and_read_back(bench: Bench, new: Callable[[], Pins]) -> None:
    pins = new()
    for pin in (LAMP, HEATER):
        pins.claim(pin, 0)
        for level in (1, 1, 0, 1):
            pins.write(pin, level)
            assert pins.read(pin) == level
    assert (bench.edges(LAMP), bench.edges(HEATER)) == ([0, 1, 0], [1, 0, 1])
    assert (bench.wire(LAMP), bench.wire(HEATER)) == (0, 1)


@OBSTRUCTED
def test_a_wire_that_does_not_follow_is_read_as_it_is(bench: Bench, new: Callable[[], Pins]) -> None:
    pins = new()
    pins.claim(LAMP, 0)
    pins.watch(lambda *_edge, **_more: None, nothing)
    bench.hold(LAMP)
    pins.write(LAMP, 1)
    assert pins.read(LAMP) == 0
    assert bench.edges(LAMP) == []


@pytest.mark.parametrize("level", [0, 1])
def test_the_end_of_one_process_and_the_birth_of_the_next_move_nothing(
    bench: Bench, new: Callable[[], Pins], level: int
) -> None:
    pins = new()
    wires = {LAMP: 1 - level, HEATER: level}
    for pin, wire in wires.items():
        pins.claim(pin, 1 - level)
        pins.write(pin, level)
        bench.rests(pin, 1 - wire if bench.keeps else wire)
        bench.edges(pin)
    pins = new()
    assert (bench.edges(LAMP), bench.edges(HEATER)) == ([], [])
    for pin, wire in wires.items():
        assert pins.driven(pin) == (level if bench.looks else None)
        if bench.looks:
            bench.rests(pin, 1 - wire)
        pins.claim(pin, level)
        assert pins.read(pin) == level
        assert bench.edges(pin) == []
        pins.write(pin, 1 - level)
        assert pins.read(pin) == 1 - level


def test_a_driven_output_can_be_claimed_at_another_level(bench: Bench, new: Callable[[], Pins]) -> None:
    new().claim(HEATER, 1)
    bench.rests(HEATER, 1)
    pins = new()
    bench.edges(HEATER)
    pins.driven(HEATER)
    pins.claim(HEATER, 0)
    assert (pins.read(HEATER), bench.edges(HEATER)) == (0, [0])


# --- inputs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> "queue.SimpleQueue[int]":
    return queue.SimpleQueue()


def test_inputs_rest_where_their_pulls_hold_them(new: Callable[[], Pins]) -> None:
    pins = new()
    pins.watch(lambda *_edge, **_more: None, nothing)
    assert (pins.read(CONTACT), pins.read(BELL)) == (0, 0)


def test_every_edge_of_an_input_is_told(bench: Bench, new: Callable[[], Pins], heard: "queue.SimpleQueue[int]") -> None:
    pins = new()
    pins.claim(LAMP, 0)
    pins.watch(lambda pin, *_edge, **_more: heard.put(pin), nothing)
    for pin, level, logical in ((CONTACT, 0, 1), (BELL, 1, 1), (CONTACT, 1, 0), (BELL, 0, 0)):
        bench.drive(pin, level)
        assert heard.get(timeout=DEADLINE) == pin
        assert pins.read(pin) == logical
    pins.write(LAMP, 1)
    assert heard.empty()


def test_nothing_is_told_after_the_end(bench: Bench, new: Callable[[], Pins], heard: "queue.SimpleQueue[int]") -> None:
    pins = bench.pins()
    pins.watch(lambda pin, *_edge, **_more: heard.put(pin), nothing)
    pins.close()
    bench.drive(CONTACT, 0)
    assert heard.empty()


# --- failing -----------------------------------------------------------------------------------------------------


def test_a_pin_that_fails_says_so(bench: Bench) -> None:
    pins = bench.failing()
    with pytest.raises(HomeError) as told:
        pins.claim(HEATER, 1)
    assert told.value.slug == "pin-failed"
    with pytest.raises(HomeError) as told:
        pins.write(LAMP, 1)
    assert told.value.slug == "pin-failed"
    pins.close()
