"""A room's devices set from a page, on a kernel's chip: a wrong pin is refused, and a room that cannot live by its new
file, or does not come back with it, has its former one again. Each edge of its outputs has a cause of its own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from device_agents.pins import gpiod
from shared.running.config import EX_TEMPFAIL
from shared.words import messages, topics
from shared.words.room_file import Outcome, RoomFile, RoomSettings
from tests.house import until
from tests.integration.agent_parts import Client, Said
from tests.pins.inside.furniture import HEATER, LAMP
from tests.pins.inside.whole import Whole, whole

DEBOUNCE_MS = 300
TRIAL_SECONDS = 30
FAN, TAKEN, NOT_THERE = 12, 13, 99
Saw = Callable[[str], None]


class Desk:
    """The hub's side of it: what was set on a page goes to the room, and what the room tells comes back."""

    def __init__(self, room: Whole, auth: Client) -> None:
        self.room = room
        self._auth = auth
        self._set = 0

    def told(self) -> RoomFile:
        """The file as the room told it last."""
        return until(self._last, "the room tells its file")

    def set(self, *devices: dict[str, Any]) -> str:
        """Have it have these devices; the id of the settings."""
        self._set += 1
        settings = RoomSettings(id=f"s{self._set}", of=self.told().version, devices=devices)
        self._auth.publish(topics.settings("hall"), messages.encode(settings), retain=RoomSettings.RETAIN)
        return settings.id

    def ended(self, id_: str, outcome: Outcome) -> RoomFile:
        """The file once the room says that these settings ended so."""

        def fits() -> RoomFile | None:
            told = self._last()
            answer = told.answer if told is not None else None
            return told if answer is not None and (answer.id, answer.outcome) == (id_, outcome) else None

        return until(fits, f"the room says {outcome}")

    def anew(self) -> None:
        """The room ends, as it does to take another file, and whoever runs it starts it again."""
        self.leaves()
        self.room.start()

    def leaves(self) -> None:
        """It ends by itself; its lines go to their resistors."""
        since = time.monotonic()
        assert self.room.room.died() == EX_TEMPFAIL
        self.room.tape.look()
        self.room.ended(since)

    def _last(self) -> RoomFile | None:
        def is_file(said: Said) -> bool:
            return said.topic == topics.room_file("hall") and bool(said.payload)

        told = [said for said in self.room.ear.said if is_file(said)]
        return messages.decode(RoomFile, told[-1].payload) if told else None


@pytest.fixture
def desk(pki: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with whole("gpiod", pki, tmp_path, monkeypatch, debounce_ms=DEBOUNCE_MS) as room:
        path = room.room.config
        path.write_text(f"trial_seconds = {TRIAL_SECONDS}\n" + path.read_text())
        with Client(room.broker, "auth", topics.service("auth")) as auth:
            yield Desk(room, auth)


def test_a_file_from_a_page(desk: Desk, saw: Saw) -> None:
    """On one room, one thing after another."""
    with _held(desk.room.chip.path):
        desk.room.start()
        desk.room.do("lamp", "on", (LAMP, 0))
        _refuses_wrong_pins(desk)
    _seen(desk, saw, "wrong pins are refused, and nothing moves for them")
    _takes_a_fan(desk)
    _seen(desk, saw, "a new device comes and obeys")
    _cannot_start(desk)
    _seen(desk, saw, "a room that cannot start by its new file has its former one")
    _does_not_come_back(desk)
    _seen(desk, saw, "a room that does not come back with its new file has its former one")


def _seen(desk: Desk, saw: Saw, what: str) -> None:
    saw(f"{what}: {desk.room.check(what)} edges, each with its one cause")


def _held(chip: Path) -> AbstractContextManager[object]:
    """Another program has a line."""
    library: Any = gpiod.load()
    request: AbstractContextManager[object] = library.request_lines(
        str(chip), consumer="another program", config={TAKEN: library.LineSettings()}
    )
    return request


def _fan(**fields: Any) -> dict[str, Any]:
    return {"id": "fan", "name": "Fan", "kind": "switch", "pin": FAN} | fields


def _refuses_wrong_pins(desk: Desk) -> None:
    """One that the chip has not, one that another program holds, one that another device has."""
    before, pid = desk.room.room.config.read_bytes(), desk.room.pid
    stands = desk.told()
    assert FAN in [pin.line for pin in stands.pins]
    assert TAKEN not in [pin.line for pin in stands.pins]
    for pin in (NOT_THERE, TAKEN, HEATER):
        refused = desk.ended(desk.set(*stands.devices or (), _fan(pin=pin)), "refused")
        assert refused.answer is not None
        assert any((one.device, one.setting) == ("fan", "pin") for one in refused.answer.complaints), refused.answer
    assert desk.room.room.config.read_bytes() == before
    desk.room.do("lamp", "off", (LAMP, 1))
    desk.room.do("lamp", "on", (LAMP, 0))
    assert desk.room.pid == pid


def _takes_a_fan(desk: Desk) -> None:
    id_ = desk.set(*desk.told().devices or (), _fan())
    desk.anew()
    desk.ended(id_, "taken")
    desk.room.do("fan", "on")
    assert desk.room.chip.level(FAN) == 1
    desk.room.reach(lamp=0)


def _cannot_start(desk: Desk) -> None:
    """Another program takes the pin between the room's yes and its start."""
    before = desk.room.room.config.read_bytes()
    id_ = desk.set(*(one for one in desk.told().devices or () if one["id"] != "fan"), _fan(pin=TAKEN))
    desk.leaves()
    with _held(desk.room.chip.path):
        assert desk.room.room.config.read_bytes() != before
        desk.room.room.start()
        assert desk.room.room.died() == EX_TEMPFAIL
    assert desk.room.room.config.read_bytes() == before
    desk.room.start()
    desk.ended(id_, "put-back")
    desk.room.do("fan", "off")
    assert desk.room.chip.level(FAN) == 0


def _does_not_come_back(desk: Desk) -> None:
    """The broker is away for as long as the file is tried."""
    room, before = desk.room, desk.room.room.config.read_bytes()
    id_ = desk.set(*(one for one in desk.told().devices or () if one["id"] != "fan"), _fan(name="Big fan"))
    desk.leaves()
    with room.silence:
        room.part()
        room.broker.kill()
        since = time.monotonic()
        room.room.start()
        desk.leaves()
        room.booted(since)
        assert room.room.config.read_bytes() == before
        room.broker.start()
        room.meet()
    room.start()
    desk.ended(id_, "put-back")
    room.do("fan", "on")
    assert room.chip.level(FAN) == 1
