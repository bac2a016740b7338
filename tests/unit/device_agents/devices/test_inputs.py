"""Each kind of input: what edges, held levels and pauses come to mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.devices.button import Button
from device_agents.devices.contact import Contact
from device_agents.devices.input import Happening, Input, Signal
from device_agents.devices.motion import MotionSensor

DEBOUNCE = 0.03


def play(input_: Input, edges: list[tuple[float, int]], until: float) -> tuple[Signal, list[tuple[float, Happening]]]:
    """Feed edges (time, level) and every deadline in between; where it stands at `until`, and what was told when."""
    signal = input_.start(0)
    level = 0
    told: list[tuple[float, Happening]] = []
    for at, new in [*edges, (until, -1)]:
        while (due := signal.deadline) is not None and due <= at:
            result = input_.tick(signal, level, due)
            signal = result.signal
            told += [(round(due, 3), event) for event in result.events]
        if new >= 0:
            level = new
            signal = input_.edge(signal, at)
    return signal, told


# --- contact ---------------------------------------------------------------------------------------------------


def test_contact_reports_once_it_holds_still() -> None:
    contact = Contact(22, debounce=DEBOUNCE)
    signal = contact.edge(contact.start(0), 1.0)
    assert (signal.value, signal.deadline) == ("open", 1.0 + DEBOUNCE)
    assert contact.tick(signal, 1, 1.0 + DEBOUNCE).signal == Signal(value="closed", level=1)


@given(st.lists(st.floats(0.001, 0.029), max_size=12))
def test_a_bouncing_contact_is_one_change_at_most(pauses: list[float]) -> None:
    at, edges = 1.0, [(1.0, 1)]
    for index, pause in enumerate(pauses):
        at += pause
        edges.append((at, index % 2))
    contact = Contact(22, debounce=DEBOUNCE)
    signal, _ = play(contact, edges, at + 1)
    assert signal.value == ("closed" if edges[-1][1] else "open")
    assert signal.deadline is None


def test_contact_starts_as_it_reads() -> None:
    assert Contact(22, debounce=DEBOUNCE).start(1).value == "closed"


# --- motion ----------------------------------------------------------------------------------------------------


def test_motion_is_told_at_once_and_cleared_after_its_hold() -> None:
    sensor = MotionSensor(4, debounce=DEBOUNCE, hold=30)
    signal, told = play(sensor, [(1.0, 1), (3.0, 0)], 10.0)
    assert (signal.value, told) == ("motion", [(1.03, "motion")])
    signal, told = play(sensor, [(1.0, 1), (3.0, 0)], 40.0)
    assert signal.value == "clear"


def test_motion_seen_again_within_the_hold_is_the_same_motion() -> None:
    sensor = MotionSensor(4, debounce=DEBOUNCE, hold=30)
    signal, told = play(sensor, [(1.0, 1), (3.0, 0), (20.0, 1), (21.0, 0)], 45.0)
    assert (signal.value, len(told)) == ("motion", 1)
    signal, told = play(sensor, [(1.0, 1), (3.0, 0), (20.0, 1), (21.0, 0)], 60.0)
    assert (signal.value, len(told)) == ("clear", 1)


# --- button ----------------------------------------------------------------------------------------------------


def button(double: float = 0.4) -> Button:
    return Button(23, debounce=DEBOUNCE, double=double, long=0.8)


@pytest.mark.parametrize(
    ("edges", "told"),
    [
        ([(1.0, 1), (1.1, 0)], [(1.53, "press")]),
        ([(1.0, 1), (1.1, 0), (1.3, 1), (1.4, 0)], [(1.43, "double")]),
        ([(1.0, 1), (2.5, 0)], [(1.83, "long")]),
        ([(1.0, 1), (1.1, 0), (2.0, 1), (2.1, 0)], [(1.53, "press"), (2.53, "press")]),
        ([(1.0, 1), (1.1, 0), (1.3, 1), (3.0, 0)], [(2.13, "long")]),
        ([(1.0, 1), (1.01, 0)], []),
    ],
)
def test_button_knows_its_gestures(edges: list[tuple[float, int]], told: list[tuple[float, str]]) -> None:
    signal, heard = play(button(), edges, 9.0)
    assert heard == told
    assert (signal.value, signal.deadline) == (None, None)


def test_button_without_double_tells_a_press_on_release() -> None:
    _, told = play(button(double=0), [(1.0, 1), (1.1, 0)], 9.0)
    assert told == [(1.13, "press")]


def test_button_held_while_the_agent_starts_was_not_pressed() -> None:
    held = button()
    signal = held.edge(held.start(1), 1.0)
    assert held.tick(signal, 0, 1.0 + DEBOUNCE).events == ()


@given(st.lists(st.floats(0.001, 2.0), max_size=20))
def test_button_always_comes_to_rest_and_tells_no_more_than_was_pressed(pauses: list[float]) -> None:
    at, edges = 1.0, []
    for index, pause in enumerate(pauses):
        edges.append((at, (index + 1) % 2))
        at += pause
    if len(edges) % 2:
        edges.append((at, 0))
    signal, told = play(button(), edges, at + 5)
    assert signal.deadline is None
    assert len(told) <= len(edges) // 2
