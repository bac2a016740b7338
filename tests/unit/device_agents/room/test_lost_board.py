"""What the pins are on goes away: every device is at fault at once, nothing moves late, and the room begins anew."""

from pathlib import Path
from typing import Any

import pytest

from device_agents.pins.chips import AwayError
from shared.running.config import EX_TEMPFAIL
from tests.unit.device_agents.fakes import House

LAMP, HEATER, CONTACT, DOORBELL = 17, 24, 22, 23
DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": LAMP, "boot": "restore"},
    {"id": "heater", "name": "Heater", "kind": "switch", "pin": HEATER, "max_on": 600.0},
    {"id": "contact", "name": "Contact", "kind": "contact", "pin": CONTACT},
    {"id": "doorbell", "name": "Doorbell", "kind": "button", "pin": DOORBELL},
    {"id": "door", "name": "Door", "kind": "lock", "pin": 27, "relock_after": 5.0, "contact": "contact"},
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path, DEVICES)
    made.heartbeat()
    return made


def lose(house: House) -> None:
    pins = {LAMP, HEATER, CONTACT, DOORBELL, 27}
    house.pins.unreadable |= pins
    house.pins.broken |= pins
    house.pins.board(there=False)
    house.advance(0.0)
    house.agent.tick(house.now)


def find(house: House) -> None:
    """Another process, on pins that nobody holds."""
    house.agent.stop()
    house.pins.unreadable.clear()
    house.pins.broken.clear()
    house.pins.levels.clear()
    house.pins.waveform.clear()
    house.born()


def states(house: House) -> int:
    return sum(topic.endswith("/state") for topic, *_ in house.link.said)


def told(house: House) -> dict[str, str]:
    return {event.where.removeprefix("hall/"): event.what for event in house.events() if "device:" in event.what}


def test_every_device_is_at_fault_at_once_and_says_so_once(house: House) -> None:
    lose(house)
    for name, fault in (("contact", "sensor"), ("doorbell", "sensor"), ("lamp", "mismatch"), ("door", "mismatch")):
        assert house.state(name).fault == fault
    assert (house.state("contact").value, house.state("lamp").value) == (None, None)
    assert told(house) == {
        "contact": "device:unreadable",
        "doorbell": "device:unreadable",
        "lamp": "device:mismatch",
        "heater": "device:mismatch",
        "door": "device:mismatch",
    }
    events, said = len(house.events()), states(house)
    house.advance(60.0)
    assert len(house.events()) == events
    assert states(house) == said


def test_a_gesture_that_it_cut_short_is_none_and_the_loop_rests(house: House) -> None:
    house.edge(DOORBELL, 1)
    house.advance(0.1)
    lose(house)
    house.advance(5.0)
    assert house.agent.deadline() > house.now
    assert not any(topic.endswith("/event") for topic, *_ in house.link.said)


@pytest.mark.parametrize("action", ["on", "off"])
def test_what_is_commanded_meanwhile_fails_and_says_what_to_do(house: House, action: str) -> None:
    lose(house)
    ack = house.command("lamp", action)
    assert ack is not None
    assert ack.reason == "pin-failed"
    assert ack.detail is not None
    assert "plug" in ack.detail or "broken" in ack.detail
    find(house)
    assert house.pins.waveform == [], "nothing moves late"


def test_the_next_start_goes_by_how_outputs_stood_before(house: House) -> None:
    house.command("lamp", "on", id="c1")
    house.command("heater", "on", id="c2")
    lose(house)
    find(house)
    assert (house.state("lamp").value, house.state("heater").value) == ("on", "off"), "what has max_on stays off"
    assert house.pins.waveform == [(LAMP, 1)]
    assert told(house) == {
        "contact": "device:reads-again",
        "doorbell": "device:reads-again",
        "lamp": "device:follows-again",
        "heater": "device:follows-again",
        "door": "device:follows-again",
    }


def test_a_room_whose_board_is_back_ends_so_that_it_is_started_anew(tmp_path: Path) -> None:
    house = House(tmp_path, DEVICES)
    agent = house.agent
    house.pins.board(there=False)
    house.pins.board(there=True)
    with pytest.raises(AwayError, match="starts anew") as ended:
        agent.run()
    assert ended.value.exit_code == EX_TEMPFAIL
    assert house.link.closed
