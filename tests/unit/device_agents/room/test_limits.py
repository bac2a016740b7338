"""What holds outputs back: rest, wear, interlock and lock-out, alone and in a room; and that safety passes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device_agents.room.limits import Limits, Past, Peer, follow
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, Lockdown, Lockouts
from shared.words.problem import HomeError
from tests.unit.device_agents.fakes import House

HEATER, COOLER, FAN, PUMP = 5, 6, 12, 13
DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "heater", "name": "Heater", "kind": "switch", "pin": HEATER, "interlock": "climate", "dead_time": 3.0},
    {"id": "cooler", "name": "Cooler", "kind": "switch", "pin": COOLER, "interlock": "climate", "min_off": 60.0},
    {"id": "fan", "name": "Fan", "kind": "dimmer", "pin": FAN, "min_interval": 2.0, "safe_actions": ["on"]},
    {"id": "pump", "name": "Pump", "kind": "switch", "pin": PUMP, "boot": "restore", "min_off": 30.0, "lockout": False},
    {"id": "saw", "name": "Saw", "kind": "switch", "pin": 16, "lockout": True, "boot": "on"},
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, DEVICES)
    made.heartbeat()
    yield made
    made.die()


def said(ack: Acknowledgement | None) -> tuple[str, str | None]:
    assert ack is not None
    assert (ack.detail is None) == (ack.reason is None)
    return ack.outcome.value, ack.reason


OK = ("executed", None)
TOO_SOON = ("rejected", "too-soon")


def command(house: House, device: str, action: str, **fields: Any) -> tuple[str, str | None]:
    house.heartbeat()
    return said(house.command(device, action, id=f"{device}-{action}-{house.now}-{len(house.link.said)}", **fields))


# --- alone -----------------------------------------------------------------------------------------------------


def past(*, active: bool = False, changed_at: float = 0.0, rested_at: float = 0.0) -> Past:
    return Past(active=active, changed_at=changed_at, rested_at=rested_at)


def test_rest_counts_from_the_moment_it_went_off() -> None:
    limits = Limits(min_off=60)
    with pytest.raises(HomeError, match=r"wait another 0\.5 s"):
        limits.check_rest(past(rested_at=100.0), 159.5)
    limits.check_rest(past(rested_at=100.0), 160.0)


def test_wear_counts_from_the_last_edge() -> None:
    limits = Limits(min_interval=2)
    with pytest.raises(HomeError, match="too-soon"):
        limits.check_wear(past(changed_at=10.0), 11.9)
    limits.check_wear(past(changed_at=10.0), 12.0)


def test_one_of_an_interlock_waits_for_the_others_to_be_off_and_to_rest() -> None:
    limits = Limits(dead_time=3)
    with pytest.raises(HomeError, match="Heater is on"):
        limits.check_interlock([Peer("Heater", past(active=True), reads_on=False)], 100.0)
    with pytest.raises(HomeError, match="interlocked"):  # whatever it was told
        limits.check_interlock([Peer("Heater", past(), reads_on=True)], 100.0)
    with pytest.raises(HomeError, match=r"too-soon: Heater was on just now: wait another 1\.0 s"):
        limits.check_interlock([Peer("Heater", past(rested_at=98.0), reads_on=False)], 100.0)
    limits.check_interlock([Peer("Heater", past(rested_at=97.0), reads_on=False)], 100.0)


def test_the_past_follows_what_is_driven() -> None:
    on = follow(past(), active=True, changed=True, now=10.0)
    assert on == past(active=True, changed_at=10.0)
    same = follow(on, active=True, changed=False, now=20.0)
    assert same == on
    assert follow(same, active=False, changed=True, now=30.0) == past(changed_at=30.0, rested_at=30.0)


# --- in a room -------------------------------------------------------------------------------------------------


def test_after_a_start_all_members_of_an_interlock_rest_for_the_longest_dead_time_of_any(house: House) -> None:
    house.advance(2.9)
    assert command(house, "heater", "on") == TOO_SOON
    house.advance(0.2)
    assert command(house, "heater", "on") == OK


def test_two_members_are_never_on_together_and_a_dead_time_lies_between_them(house: House) -> None:
    house.advance(61)
    assert command(house, "heater", "on") == OK
    refused = house.command("cooler", "on", id="x")
    assert said(refused) == ("rejected", "interlocked")
    assert refused is not None
    assert refused.detail == "Heater is on; switch it off first."
    assert command(house, "heater", "off") == OK
    assert command(house, "cooler", "on") == TOO_SOON
    assert command(house, "heater", "on") == OK  # its own rest is none of the group's business
    assert command(house, "heater", "off") == OK
    house.advance(3)
    assert command(house, "cooler", "on") == OK
    assert house.pins.waveform == [(HEATER, 1), (HEATER, 0), (HEATER, 1), (HEATER, 0), (COOLER, 1)]


def test_a_dead_time_and_a_rest_count_from_the_edge_however_long_the_pin_was_kept_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.advance(61)
    write = house.pins.write

    def slow(pin: int, level: int) -> None:
        house.now += 0.5  # another process had its turn, or a card took its time
        write(pin, level)

    assert command(house, "heater", "on") == OK
    monkeypatch.setattr(house.pins, "write", slow)
    thought_of = house.now
    assert command(house, "heater", "off") == OK
    fell = house.now
    assert fell == thought_of + 0.5
    monkeypatch.setattr(house.pins, "write", write)
    house.now = fell + 2.9
    assert command(house, "cooler", "on") == TOO_SOON
    house.now = fell + 3.0
    assert command(house, "cooler", "on") == OK


def test_a_member_that_does_not_let_go_holds_the_others_back(house: House) -> None:
    house.advance(61)
    command(house, "heater", "on")
    house.pins.stuck.add(HEATER)
    assert command(house, "heater", "off") == ("failed", "pin-failed")
    house.advance(30)
    assert command(house, "cooler", "on") == ("rejected", "interlocked")
    house.pins.stuck.clear()
    house.advance(5)
    assert command(house, "cooler", "on") == OK


def test_what_must_rest_after_off_does_also_over_a_restart(house: House) -> None:
    house.advance(61)
    command(house, "pump", "on")
    house.advance(100)
    command(house, "pump", "off")
    house.advance(20)
    assert command(house, "pump", "on") == TOO_SOON
    house.restart()
    house.advance(9)
    assert command(house, "pump", "on") == TOO_SOON
    house.advance(1.1)
    assert command(house, "pump", "on") == OK


def test_after_a_boot_of_the_board_what_must_rest_comes_back_after_its_rest(house: House) -> None:
    house.advance(31)
    command(house, "pump", "on")
    house.boot = "boot-2"
    house.pins.levels.clear()
    house.now = 7.0
    house.restart()
    assert house.state("pump").value == "off"
    house.advance(29.9)
    assert house.pins.levels[PUMP] == 0
    house.advance(0.2)
    state = house.state("pump")
    assert (house.pins.levels[PUMP], state.value, state.by.source) == (1, "on", "timer")


def test_changes_keep_their_distance_save_for_safety(house: House) -> None:
    house.advance(2)
    assert command(house, "fan", "set", value=40) == OK
    assert command(house, "fan", "set", value=40) == OK  # no change, no wear
    assert command(house, "fan", "set", value=50) == TOO_SOON
    assert command(house, "fan", "off") == OK
    assert command(house, "fan", "on") == OK  # its file calls it safe
    house.advance(2)
    assert command(house, "fan", "set", value=50) == OK


@pytest.mark.parametrize("restarted", [False, True])
def test_what_the_master_user_locks_out_obeys_only_off_until_it_is_lifted(house: House, restarted: bool) -> None:
    command(house, "fan", "set", value=40)
    word = Lockouts(devices=("hall/fan", "kitchen/pump", "hall/cellar"), at=messages.utc(house.wall()))
    house.hear(topics.LOCKOUTS, word, retained=True)
    if restarted:
        house.restart()
    house.advance(31)
    assert command(house, "fan", "on") == ("rejected", "locked-out")  # that a file calls safe
    assert command(house, "fan", "set", value=10) == ("rejected", "locked-out")
    assert command(house, "fan", "off") == OK
    assert command(house, "pump", "on") == OK
    house.hear(topics.LOCKOUTS, Lockouts(devices=(), at=messages.utc(house.wall())), retained=True)
    assert command(house, "fan", "on") == OK


def test_what_its_file_locks_out_is_not_even_switched_on_by_its_start_policy(house: House) -> None:
    assert house.state("saw").value == "off"
    assert command(house, "saw", "on") == ("rejected", "locked-out")
    assert command(house, "saw", "off") == OK


def test_an_older_word_ends_no_lockdown_and_an_equal_or_a_later_one_does(house: House) -> None:
    house.advance(61)
    began = house.wall()

    def hear(word: str, later: float) -> None:
        told = Lockdown(active=word == "begun", at=messages.utc(began + later))
        house.hear(topics.LOCKDOWN, told, retained=True)

    hear("begun", 0)
    for older in ("ended", "begun", "ended"):
        hear(older, -1)
        assert command(house, "pump", "on") == ("rejected", "lockdown")
    house.restart()
    house.advance(61)
    hear("ended", -1)
    assert command(house, "pump", "on") == ("rejected", "lockdown"), "nor is it believed after a start"
    hear("ended", 0)
    assert command(house, "pump", "on") == OK
    hear("begun", -5)
    house.advance(61)
    assert command(house, "pump", "off") == OK
    assert command(house, "pump", "on") == ("rejected", "lockdown"), "what is safer need not be new"
    hear("ended", 1)
    house.advance(61)
    assert command(house, "pump", "on") == OK


def test_a_lockdown_is_remembered_when_the_agent_starts_without_the_hub(house: House) -> None:
    house.hear(topics.LOCKDOWN, Lockdown(active=True, at=messages.utc(house.wall())), retained=True)
    house.restart()
    house.advance(61)
    assert command(house, "pump", "on") == ("rejected", "lockdown")
    house.hear(topics.LOCKDOWN, b"")
    house.restart()
    house.advance(61)
    assert command(house, "pump", "on") == OK


def test_a_word_of_the_hub_that_makes_no_sense_changes_nothing(house: House) -> None:
    house.advance(61)
    house.hear(topics.LOCKOUTS, b"nonsense")
    assert command(house, "pump", "on") == OK
