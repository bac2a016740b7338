"""A day in the life of a room, whole, on a kernel: each edge of its outputs has one cause, whatever becomes of it."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from shared.broker import mqtt
from shared.running.config import EX_TEMPFAIL
from shared.words import messages, topics
from shared.words.messages import COMMAND_SECONDS, Acknowledgement, State
from tests.house import until
from tests.integration.agent_parts import Said
from tests.pins.inside.causes import Cause
from tests.pins.inside.furniture import (
    BELL,
    BOLT,
    CLOSING,
    DIMMER,
    DOOR,
    GATE,
    HEATER,
    INFLOW,
    LAMP,
    MAX_ON,
    OPENING,
    OUTFLOW,
    PULSE,
    RELOCK,
    STIR,
    TRAVEL,
)
from tests.pins.inside.whole import Whole, whole

BURSTS = 4
DEBOUNCE_MS = 300
"""A busy machine takes its time over a bounce."""
LATE = (("lamp", "on"), ("gate", "press"), ("blind", "open"), ("outflow", "on"), ("bolt", "unlock"))
"""What is asked of a room that does not hear it in time: none of it may ever be done."""
LATE_SECONDS = COMMAND_SECONDS + 3
"""Too late for a command, too short for the broker to give the room up."""
GIVEN_UP_SECONDS = 2 * mqtt.KEEPALIVE_SECONDS
Saw = Callable[[str], None]


@pytest.fixture(params=["gpiod", "rpi-lgpio"])
def room(request: pytest.FixtureRequest, pki: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Whole]:
    with whole(request.param, pki, tmp_path, monkeypatch, debounce_ms=DEBOUNCE_MS) as made:
        yield made


def test_a_day(room: Whole, saw: Saw) -> None:
    """Commands, hands, freezes, kills, a broker that goes: counted on the chip, and not on what is said."""
    parts = (_begins, _is_told_things, _is_told_again, _has_hands, _freezes, _freezes_for_long, _dies, _dies_while_told)
    for part in (*parts, _loses_its_broker, _is_restarted, *((_loses_its_chip,) if room.kind == "gpiod" else ())):
        part(room)
        name = part.__name__.strip("_").replace("_", " ")
        saw(f"{room.kind}: the room {name}: {room.check(name)} edges, each with its one cause")
    saw(
        f"{room.kind}: the day: {room.commands} commands, {room.lives} lives, {len(room.tape.edges)} edges;"
        " 0 unexplained, 0 repeated, 0 late, 0 missing"
    )


def _begins(room: Whole) -> None:
    room.start()
    assert not room.tape.edges


def _is_told_things(room: Whole) -> None:
    room.do("lamp", "on", (LAMP, 0))
    room.do("lamp", "on")
    room.do("lamp", "off", (LAMP, 1))
    room.do("heater", "on", (HEATER, 1))
    room.later("max_on", HEATER, 0, MAX_ON)
    room.do("gate", "press", (GATE, 1))
    room.later("pulse", GATE, 0, PULSE)
    room.reach(gate=0)
    _drives(room, "open", OPENING)
    room.later("travel", OPENING, 0, TRAVEL)
    room.reach(opening=0)
    _drives(room, "close", CLOSING)
    room.later("turns", CLOSING, 0)
    _drives(room, "open", OPENING)
    room.later("stopped, or there before", OPENING, 0)
    room.do("blind", "stop")
    room.reach(opening=0)
    room.do("inflow", "on", (INFLOW, 1))
    assert room.refused("outflow", "on") == "interlocked"
    room.do("inflow", "off", (INFLOW, 0))
    time.sleep(1.0)
    room.do("outflow", "on", (OUTFLOW, 1))
    assert room.refused("inflow", "on") == "interlocked"
    room.do("outflow", "off", (OUTFLOW, 0))
    room.do("bolt", "unlock", (BOLT, 1))
    room.later("relock", BOLT, 0, RELOCK)
    room.reach(bolt=0, heater=0)
    if room.kind == "rpi-lgpio":
        room.do("ceiling", "set", value=50)
        until(lambda: room.chip.level(DIMMER) == 1 or None, "the dimmer's line is high at times")
        until(lambda: room.chip.level(DIMMER) == 0 or None, "the dimmer's line is low at times")
        room.do("ceiling", "off")
        until(lambda: not any(room.chip.level(DIMMER) for _ in range(100)) or None, "the dimmer's line stays low")


def _is_told_again(room: Whole) -> None:
    """The same ids once more, as a client does that heard no answer; and what is old."""
    on = room.do("lamp", "on", (LAMP, 0))
    room.do("lamp", "off", (LAMP, 1))
    press = room.do("gate", "press", (GATE, 1))
    room.later("pulse", GATE, 0, PULSE)
    room.reach(gate=0)
    for device, action, id_ in (("lamp", "on", on), ("gate", "press", press)) * 3:
        room.ear.forget()
        room.ear.ask(device, action, id=id_)
        assert room.ear.answer(id_).repeated
    for device, action in (("heater", "on"), ("gate", "press"), ("blind", "open"), ("bolt", "unlock")):
        assert room.refused(device, action, age=COMMAND_SECONDS + 60) == "expired"


def _has_hands(room: Whole) -> None:
    """Contacts that bounce: one press is one press, and does what the button is bound to once."""
    looked = [_presses(room) for _ in range(4)], [_moves(room) for _ in range(4)]
    assert all(map(any, looked)), f"this machine is too busy to bounce: {looked}"
    room.do("lamp", "off", *([] if room.tape.level(LAMP) == 1 else [(LAMP, 1)]))


def _presses(room: Whole) -> bool:
    level = 1 - room.tape.level(LAMP)
    room.ear.forget()
    room.causes.append(Cause("the button", LAMP, level, time.monotonic()))
    quick = room.bounce(BELL, 0)
    time.sleep(2 * DEBOUNCE_MS / 1000)
    if room.bounce(BELL, 1) and quick:
        assert room.ear.event("bell").event == "press"
        room.reach(lamp=level)
        return True
    time.sleep(2 * DEBOUNCE_MS / 1000)  # it may have been pressed more than once
    room.causes += [Cause("the button", LAMP, one, room.causes[-1].since) for one in (0, 1) * 2]
    return False


def _moves(room: Whole) -> bool:
    room.ear.forget()
    quick = room.bounce(STIR, 1)
    room.ear.event("stir")
    quick = room.bounce(STIR, 0) and quick
    room.ear.state("stir", "clear")
    time.sleep(2 * DEBOUNCE_MS / 1000)
    events = [one.payload for one in room.ear.said if one.topic == topics.event("hall", "stir")]
    states = {one.payload for one in room.ear.said if one.topic == topics.state("hall", "stir")}  # some are said again
    assert not quick or (len(events), len(states)) == (1, 2), room.ear.said
    return quick


def _freezes(room: Whole) -> None:
    """For less than a command lives: then it may still be done, once, or be refused; never both."""
    room.freeze()
    ids = [room.tell("lamp", "on", (LAMP, 0)), room.tell("inflow", "on", (INFLOW, 1))]
    time.sleep(0.5)
    assert not [edge for edge in room.tape.edges if edge.at > room.causes[-2].since], "nobody is there to move it"
    room.thaw()
    for id_ in ids:
        room.answered(id_)
    for device, pin, level in (("lamp", LAMP, 1), ("inflow", INFLOW, 0)):
        room.do(device, "off", *([] if room.tape.level(pin) == level else [(pin, level)]))


def _freezes_for_long(room: Whole) -> None:
    """What was asked meanwhile is too late, by whatever way it waited; what was to end, ends when it can."""
    for seconds in (LATE_SECONDS, GIVEN_UP_SECONDS):
        room.do("heater", "on", (HEATER, 1))
        room.later("max_on", HEATER, 0, MAX_ON)
        room.do("gate", "press", (GATE, 1))
        room.freeze()
        room.later("pulse", GATE, 0, PULSE)
        room.ear.forget()
        ids = [room.tell(device, action) for device, action in LATE]
        time.sleep(seconds)
        room.thaw()
        if seconds == GIVEN_UP_SECONDS:  # the broker has forgotten it, and what it was told
            room.room.there(room.ear)
            room.ear.heartbeat()
        else:
            for id_ in ids:
                ack = room.answered(id_)
                assert ack.reason == "expired", ack
        room.reach(heater=0, gate=0)
        room.do("lamp", "on", (LAMP, 0))
        room.do("lamp", "off", (LAMP, 1))


def _dies(room: Whole) -> None:
    """kill -9 with everything on: the resistors decide, then the policies; what is asked of the dead is too late."""
    room.do("lamp", "on", (LAMP, 0))
    room.do("heater", "on", (HEATER, 1))
    room.later("max_on", HEATER, 0, MAX_ON)  # on a busy machine before the kill, as what follows
    _drives(room, "open", OPENING)
    room.later("travel", OPENING, 0, TRAVEL)
    room.do("bolt", "unlock", (BOLT, 1))
    room.later("relock", BOLT, 0, RELOCK)
    room.do("outflow", "on", (OUTFLOW, 1))
    room.do("gate", "press", (GATE, 1))
    room.later("pulse", GATE, 0, PULSE)
    room.die()
    for device, action in LATE:
        room.tell(device, action)
    room.start()
    room.reach(lamp=0, heater=0, opening=0, closing=0, bolt=0, inflow=0, outflow=0, gate=0)


def _dies_while_told(room: Whole) -> None:
    """kill -9 in the middle of commands, wherever it happens to be with them."""
    chance = random.Random(11)  # the same places in every run, as far as a kernel lets them be the same
    for _ in range(BURSTS):
        room.do("lamp", "off", *([] if room.tape.level(LAMP) == 1 else [(LAMP, 1)]))
        ids = []
        for number in range(12):
            on = number % 2 == 0
            ids.append(room.tell("lamp", "on" if on else "off", (LAMP, 0 if on else 1)))
            if number == 6:
                ids.append(room.tell("gate", "press", (GATE, 1)))
                room.later("pulse", GATE, 0, PULSE)
        time.sleep(chance.uniform(0, 0.3))
        room.die()
        acks = [messages.decode(Acknowledgement, s.payload) for s in room.ear.said if s.topic.endswith("/ack")]
        for id_ in {ack.id for ack in acks}.intersection(ids):
            room.answered(id_)
        room.start()
        room.reach(gate=0)
        assert room.ear.state("lamp", "on" if room.tape.level(LAMP) == 0 else "off").fault is None


def _loses_its_broker(room: Whole) -> None:
    """No line moves for that, and timers go on."""
    room.do("lamp", "on", *([] if room.tape.level(LAMP) == 0 else [(LAMP, 0)]))
    room.do("heater", "on", (HEATER, 1))
    room.later("max_on", HEATER, 0, MAX_ON)
    times = room.times_reached
    with room.silence:
        room.part()
        room.broker.kill()
        room.reach(heater=0)
        room.broker.start()
        room.meet()
        until(lambda: room.times_reached > times or None, "the room is back")
    room.ear.heartbeat()
    room.do("lamp", "off", (LAMP, 1))
    room.do("lamp", "on", (LAMP, 0))


def _is_restarted(room: Whole) -> None:
    """In order: what would stay on alone is ended, and the rest is as it was."""
    room.do("heater", "on", (HEATER, 1))
    room.later("max_on", HEATER, 0, MAX_ON)
    _drives(room, "close", CLOSING)
    room.later("travel", CLOSING, 0, TRAVEL)
    assert room.die(signal.SIGTERM) == 0
    room.start()
    room.reach(lamp=0, heater=0, closing=0)


def _loses_its_chip(room: Whole) -> None:
    """It is at fault at once, moves nothing of what comes back, and begins anew there as rooms begin."""
    room.do("heater", "on", (HEATER, 1))
    room.later("max_on", HEATER, 0, MAX_ON)
    room.ear.forget()
    room.tape.roll()  # who plugs it in again begins the kernel's trace anew
    since = time.monotonic()
    room.chip.unplug()
    for device in ("door", "bell", "stir", "lamp", "heater"):
        room.ear.wait_for(f"{device} is at fault", partial(_fault, topics.state("hall", device)))
    assert room.refused("gate", "press") == "pin-failed"
    room.chip.plug()
    room.rest()
    assert room.room.died() == EX_TEMPFAIL
    room.tape.look()
    room.ended(since)
    room.start()
    room.reach(lamp=0, heater=0)
    room.do("lamp", "off", (LAMP, 1))
    room.bounce(DOOR, 0)
    room.ear.state("door", "closed")


def _fault(topic: str, said: Said) -> str | None:
    return messages.decode(State, said.payload).fault if said.topic == topic else None


def _drives(room: Whole, action: str, pin: int) -> None:
    """A cover may rest for its dead time before it does as it was told."""
    room.later(action, pin, 1)
    room.do("blind", action)
    until(lambda: room.tape.level(pin) == 1 or None, f"{pin} is on")
