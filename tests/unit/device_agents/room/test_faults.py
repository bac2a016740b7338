"""Pins that do not follow: read back, put to rest, reported once, and never moved late."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.words import topics
from shared.words.messages import AuditEvent, CoverValue, State
from tests.unit.device_agents.fakes import House

LAMP, KETTLE, DOOR, OPENING, CLOSING = 17, 24, 27, 5, 6


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.heartbeat()
    yield made
    made.die()


def command(house: House, device: str, action: str, **fields: Any) -> str | None:
    house.heartbeat()
    ack = house.command(device, action, id=f"{device}-{action}-{house.now}-{len(house.link.said)}", **fields)
    assert ack is not None
    return ack.reason


def reports(house: House) -> list[AuditEvent]:
    return [event for event in house.events() if event.what in {"device:mismatch", "device:follows-again"}]


def shown(house: House, device: str) -> tuple[object, str | None]:
    state = house.state(device)
    return state.value, state.fault


def test_a_line_that_comes_loose_later_moves_nothing_late(house: House) -> None:
    house.pins.stuck.add(LAMP)
    assert command(house, "lamp", "on") == "pin-failed"
    assert shown(house, "lamp") == ("off", "mismatch")
    house.pins.stuck.clear()
    house.advance(100)
    assert house.pins.waveform == []
    assert shown(house, "lamp") == ("off", "mismatch")  # nobody has seen it follow yet
    assert command(house, "lamp", "on") is None
    assert shown(house, "lamp") == ("on", None)
    assert [event.what for event in reports(house)] == ["device:mismatch", "device:follows-again"]


def test_what_does_not_let_go_is_told_so_until_it_does(house: House) -> None:
    command(house, "lamp", "on")
    house.pins.stuck.add(LAMP)
    assert command(house, "lamp", "off") == "pin-failed"
    assert shown(house, "lamp") == ("on", "mismatch")
    house.advance(100)
    assert shown(house, "lamp") == ("on", "mismatch")
    house.pins.stuck.clear()
    house.advance(1)
    assert shown(house, "lamp") == ("off", None)
    mismatch, again = reports(house)
    assert mismatch.detail == {"pin": "17", "wrote": "0", "reads": "1"}
    assert (mismatch.outcome, mismatch.severity, mismatch.who.issuer) == ("failed", "critical", "hall")
    assert (again.outcome, again.severity, again.detail) == ("executed", "info", {})


def test_a_line_that_changes_by_itself_is_found_and_not_switched_on_again(house: House) -> None:
    command(house, "lamp", "on")
    house.pins.levels[LAMP] = 0
    house.advance(10)
    state = house.state("lamp")
    assert (state.value, state.fault, state.by.source) == ("off", "mismatch", "failsafe")
    assert len(reports(house)) == 1
    house.pins.levels[KETTLE] = 1
    house.advance(11)
    assert house.pins.levels[KETTLE] == 0
    assert shown(house, "kettle") == ("off", None)


def test_a_pin_that_cannot_be_read_is_unknown(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    command(house, "lamp", "on")
    house.pins.unreadable.add(LAMP)
    assert command(house, "lamp", "off") == "pin-failed"
    assert shown(house, "lamp") == (None, "mismatch")
    (event,) = reports(house)
    assert event.detail["reads"] == "unreadable"
    house.pins.unreadable.clear()
    house.advance(2)
    assert shown(house, "lamp") == ("off", None)


def test_a_lock_that_does_not_follow_is_jammed_until_it_follows(house: House) -> None:
    command(house, "front-door", "unlock")
    house.pins.stuck.add(DOOR)
    assert command(house, "front-door", "lock") == "pin-failed"
    assert shown(house, "front-door") == ("jammed", "mismatch")
    house.pins.stuck.clear()
    house.advance(2)
    assert shown(house, "front-door") == ("locked", None)


def test_a_cover_whose_relay_does_not_let_go_never_gets_its_other_relay(house: House) -> None:
    house.advance(1)
    command(house, "blind", "open")
    house.pins.stuck.add(OPENING)
    assert command(house, "blind", "stop") == "pin-failed"
    assert shown(house, "blind") == (CoverValue(position=None, moving=None), "mismatch")
    house.advance(3)
    assert command(house, "blind", "close") == "pin-failed"
    assert house.pins.levels[OPENING] == 1
    assert house.pins.levels[CLOSING] == 0


def test_a_fault_found_before_a_restart_ends_with_it(house: House) -> None:
    house.pins.stuck.add(LAMP)
    command(house, "lamp", "on")
    house.pins.stuck.clear()
    house.restart()
    assert shown(house, "lamp") == ("off", None)
    assert [event.what for event in reports(house)] == ["device:mismatch", "device:follows-again"]


def test_a_pin_that_is_stuck_at_the_start_stops_nothing_else(house: House) -> None:
    command(house, "kettle", "on")
    house.pins.stuck.add(KETTLE)
    house.restart()
    assert shown(house, "kettle") == ("on", "mismatch")
    assert command(house, "lamp", "on") is None
    house.pins.stuck.clear()
    house.advance(1)
    assert shown(house, "kettle") == ("off", None)


def test_an_input_that_cannot_be_read_is_unknown_and_stops_nothing_else(house: House) -> None:
    before = len(house.link.heard(State, topics.state("hall", "contact")))
    house.pins.unreadable.add(22)
    house.edge(22, 0)
    house.advance(3)
    assert shown(house, "contact") == (None, "sensor")
    assert len(house.link.heard(State, topics.state("hall", "contact"))) == before + 1
    command(house, "kettle", "on")
    house.advance(70)
    assert shown(house, "kettle") == ("off", None)  # the link's policy is obeyed nevertheless
    house.pins.unreadable.clear()
    house.advance(2)
    assert shown(house, "contact") == ("open", None)
