"""Settings from a page, in the room: refused with words, or taken on trial, and put back where the room stays away."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_agents import complaints
from device_agents.agent import Agent
from device_agents.config import RoomConfig
from device_agents.ledger.ledger import Ledger
from device_agents.link.link import Down, Heard, Up
from device_agents.own_file import beginning, offered, telling, text
from device_agents.own_file.shelf import Shelf, version
from device_agents.own_file.trying import OwnFile
from device_agents.pins.chips import AwayError
from shared.running.config import ConfigError
from shared.words import messages, topics
from shared.words.room_file import DeviceTable, RoomFile, RoomSettings
from tests.unit.device_agents.fakes import WALL, FakeLink, FakePins

LAMP = {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17}
FAN = {"id": "fan", "name": "Fan", "kind": "switch", "pin": 27, "max_on": 600.0}


class Pi:
    """A room's card, and one process after the other, as whoever runs the room starts them."""

    def __init__(self, folder: Path, *devices: DeviceTable) -> None:
        self.now = 1000.0
        self.path = folder / "hall.toml"
        tls = {"ca": "/x/ca.crt", "certificate": "/x/hall.crt", "key": "/x/hall.key"}
        head = f'room = "hall"\nname = "Hall"\npins = "simulated"\nsim_dir = "{folder}/sim"\ndata = "{folder}/data"\n'
        head += '[broker]\nidentity = "hall"\n[broker.tls]\n' + "".join(f'{k} = "{v}"\n' for k, v in tls.items())
        self.path.write_text(text.with_tables(head, devices or (LAMP,)))
        self.refused_pins: set[int] = set()
        self.count = 0
        self.start()

    def shelf(self) -> Shelf:
        return Shelf(self.path, wall=lambda: messages.utc(WALL + self.now))

    def start(self) -> None:
        """A process begins, and reaches the hub."""
        trial = beginning.begin(self.shelf())
        room = complaints.read(self.path)
        own_file = OwnFile(
            self.shelf(), trial, room, pins=offered.of(room), check_pins=self._check, wall=lambda: WALL + self.now
        )
        self.link = FakeLink()
        self.link.up = False
        self.ledger = Ledger(room.data / "hall.sqlite3")
        self.agent = Agent(room, FakePins(), self.ledger, link=self.link, own_file=own_file, monotonic=lambda: self.now)
        self.agent.start()

    def _check(self, room: RoomConfig) -> None:
        taken = self.refused_pins & {pin for device in room.devices for pin in device.every_pin}
        if taken:
            raise ConfigError("\n".join(f"devices: /dev/chip: line {pin} (fan) is used by 'other'" for pin in taken))

    def up(self) -> None:
        self.agent.take(Up(None), self.now)

    def set(self, *devices: DeviceTable, of: str | None = None, id_: str | None = None) -> RoomFile:
        """Settings come; what the room then says."""
        self.count += 1
        wanted = RoomSettings(
            id=id_ or f"s{self.count}", of=of or version(self.path.read_bytes()), devices=tuple(devices)
        )
        self._hear(messages.encode(wanted))
        return self.said()

    def _hear(self, payload: bytes) -> None:
        heard = Heard(topics.settings("hall"), payload, retained=True, at=self.now, connection=None, mid=1)
        self.agent.take(heard, self.now)
        self.settle()

    def settle(self) -> None:
        """What the card's thread answers is taken."""
        thread = self.agent._own_file._thread if self.agent._own_file is not None else None
        if thread is not None:
            thread.join()
        while (item := self.agent.inbox.take()) is not None:
            self.agent.take(item, self.now)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.agent.tick(self.now)
        self.settle()

    def said(self) -> RoomFile:
        return self.link.heard(RoomFile, topics.room_file("hall"))[-1]

    def ends(self) -> bool:
        """Whether the process ended to be started anew; then it is gone."""
        anew = bool(self.agent._anew)
        self.agent.stop()
        return anew

    def events(self) -> list[tuple[str, str]]:
        return [(event.what, event.severity) for event in self.ledger.spool.pending(100)]

    def devices(self) -> list[Any]:
        return [one["id"] for one in text.tables(self.path.read_text())]


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    pi = Pi(tmp_path)
    pi.up()
    return pi


def test_a_room_tells_its_file_and_the_pins_of_its_board(pi: Pi) -> None:
    told = pi.said()
    assert (told.devices, told.answer, told.version) == ((LAMP,), None, version(pi.path.read_bytes()))
    assert {pin.line for pin in told.pins} >= {17, 27}
    assert not {pin.line for pin in told.pins} & {0, 1, 2, 3, 14, 15}


def test_a_room_tells_no_more_than_one_message_holds(pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "FILE_BYTES", len(messages.encode(pi.said())) - 1)
    pi.up()
    assert (pi.said().devices, pi.said().why) == (None, telling.TOO_LARGE)


def test_a_new_device_is_tried_and_stays_once_the_room_is_back(pi: Pi) -> None:
    pi.set(LAMP, FAN)
    assert pi.ends()
    pi.start()
    pi.up()
    said = pi.said()
    assert said.answer is not None
    assert said.answer.outcome == "trying"
    pi.advance(5.1)
    said = pi.said()
    assert said.answer is not None
    assert (said.answer.id, said.answer.outcome) == ("s1", "taken")
    assert pi.devices() == ["lamp", "fan"]
    assert not pi.ends()
    pi.start()
    pi.up()
    pi.set(LAMP, FAN, id_="s1", of="0" * 64)  # retained: it comes again with each connection
    assert pi.devices() == ["lamp", "fan"]
    assert ("room:file-changed", "critical") in pi.events()


@pytest.mark.parametrize(
    ("wrong", "device", "setting", "words"),
    [
        (FAN | {"pin": 77}, "fan", "pin", "there is no pin 77"),
        (FAN | {"pin": 2}, "fan", "pin", "I²C"),
        (FAN | {"pin": "seven"}, "fan", "pin", "there is no pin 'seven'"),
        (FAN | {"pin": 17}, "lamp", "pin", "pin 17 is used by lamp and fan"),
        (FAN | {"pin": 17}, "fan", "pin", "pin 17 is used by lamp and fan"),
        (FAN | {"kind": "lamp"}, "fan", "kind", "switch"),
        (FAN | {"name": ""}, "fan", "name", "length >= 1"),
        (FAN | {"max_on": -1}, "fan", "max_on", "> 0"),
        (FAN | {"speed": 1}, "fan", "speed", "no such setting"),
        (FAN | {"id": "Fan!"}, "Fan!", "id", "is no id"),
        ({"id": "t", "name": "T", "kind": "temperature", "source": "iio", "address": "/etc"}, "t", "address", "path"),
    ],
)
def test_what_is_wrong_is_refused_in_words_beside_its_setting_and_nothing_is_changed(
    pi: Pi, wrong: DeviceTable, device: str | None, setting: str | None, words: str
) -> None:
    before = pi.path.read_bytes()
    answer = pi.set(LAMP, wrong).answer
    assert answer is not None
    assert answer.outcome == "refused"
    found = answer.complaints
    assert any((one.device, one.setting) == (device, setting) and words in one.text for one in found), found
    assert pi.path.read_bytes() == before
    assert not pi.ends()


def test_a_pin_that_another_process_holds_is_refused(pi: Pi) -> None:
    pi.refused_pins = {27}
    answer = pi.set(LAMP, FAN).answer
    assert answer is not None
    assert answer.outcome == "refused"
    assert [(one.device, one.setting) for one in answer.complaints] == [("fan", "pin")]


def test_a_file_that_was_changed_by_hand_is_not_overwritten(pi: Pi) -> None:
    seen = version(pi.path.read_bytes())
    pi.path.write_text(pi.path.read_text() + "# by hand\n")
    said = pi.set(LAMP, FAN, of=seen)
    assert said.answer is not None
    assert said.answer.outcome == "refused"
    assert "another one by now" in said.answer.complaints[0].text
    assert said.version == version(pi.path.read_bytes())
    assert pi.path.read_text().endswith("# by hand\n")


def test_a_lock_out_of_the_file_is_not_lifted_from_a_page(tmp_path: Path) -> None:
    locked = LAMP | {"lockout": True}
    pi = Pi(tmp_path, locked)
    pi.up()
    for wanted in ((LAMP,), (), (LAMP | {"id": "other"},), (locked | {"pin": 27},)):
        answer = pi.set(*wanted).answer
        assert answer is not None
        assert answer.outcome == "refused"
        assert [(one.device, one.setting) for one in answer.complaints] == [("lamp", "lockout")]
    pi.set(locked | {"name": "Desk lamp"}, FAN)
    assert pi.ends()
    assert pi.devices() == ["lamp", "fan"]


def test_a_room_that_stays_away_has_its_former_file_again_within_the_minute(pi: Pi) -> None:
    before = pi.path.read_bytes()
    pi.set(FAN)
    assert pi.ends()
    pi.start()
    pi.up()
    pi.advance(3.0)
    pi.agent.take(Down(None, "away"), pi.now)  # it was online, and did not stay so
    pi.advance(56.0)
    assert pi.path.read_bytes() != before
    pi.advance(1.1)
    assert pi.path.read_bytes() == before
    assert pi.ends()
    pi.start()
    pi.up()
    said = pi.said()
    assert said.devices == (LAMP,)
    assert said.answer is not None
    assert said.answer.outcome == "put-back"
    assert "did not come back within 60 seconds" in said.answer.complaints[0].text
    assert ("room:file-put-back", "critical") in pi.events()
    pi.set(FAN, id_="s1")  # what was put back once is not tried again by the same message
    assert pi.path.read_bytes() == before


def test_a_process_that_dies_while_it_tries_is_the_last_to_try(pi: Pi) -> None:
    pi.set(FAN)
    assert pi.ends()
    pi.start()
    pi.agent.inbox.close()
    pi.ledger.close()  # kill -9
    pi.start()
    pi.up()
    said = pi.said()
    assert said.devices == (LAMP,)
    assert said.answer is not None
    assert said.answer.outcome == "put-back"


def test_a_room_that_cannot_start_by_it_goes_back_at_once(pi: Pi) -> None:
    pi.set(FAN)
    assert pi.ends()
    shelf = pi.shelf()
    trial = beginning.begin(shelf)
    with pytest.raises(AwayError), beginning.back_where_it_fails(shelf, trial):
        raise ConfigError("pins: pin 27 is held by another process")
    assert pi.devices() == ["lamp"]
    pi.start()
    pi.up()
    answer = pi.said().answer
    assert answer is not None
    assert answer.outcome == "put-back"
    assert [one.text for one in answer.complaints][1] == "pins: pin 27 is held by another process"


def test_one_that_takes_another_file_after_it_kept_one_does_not_go_back(pi: Pi) -> None:
    pi.set(LAMP, FAN)
    assert pi.ends()
    shelf = pi.shelf()
    trial = beginning.begin(shelf)
    shelf.settle()
    before = pi.path.read_bytes()
    assert shelf.take("s2", before, before + b"# another\n")
    with pytest.raises(AwayError, match="starts anew with it"), beginning.back_where_it_fails(shelf, trial):
        raise AwayError("file: it was changed from a page of the hub, and the room starts anew with it")
    assert pi.path.read_bytes() == before + b"# another\n"
    assert beginning.begin(pi.shelf()) is not None


def test_without_a_trial_an_error_stays_what_it_was(pi: Pi) -> None:
    with pytest.raises(ConfigError, match="wrong"), beginning.back_where_it_fails(pi.shelf(), None):
        raise ConfigError("wrong")


def test_one_change_at_a_time(pi: Pi) -> None:
    pi.set(LAMP, FAN)
    assert pi.ends()
    pi.start()
    pi.up()
    answer = pi.set(LAMP).answer
    assert answer is not None
    assert answer.outcome == "refused"
    assert "another change" in answer.complaints[0].text
    pi.advance(5.1)
    assert pi.devices() == ["lamp", "fan"]


def test_a_card_that_takes_nothing_is_told(pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Shelf, "write_candidate", full)
    answer = pi.set(LAMP, FAN).answer
    assert answer is not None
    assert answer.outcome == "refused"
    assert "No space left" in answer.complaints[0].text


def test_more_devices_than_fit_into_a_message_are_left_to_a_hand(tmp_path: Path) -> None:
    plain = {"name": "x" * 64, "kind": "switch", "safe_actions": ["on"] * 6000}
    many = [plain | {"id": f"d{pin}", "pin": pin} for pin in (5, 6)]
    pi = Pi(tmp_path, *many)
    pi.up()
    said = pi.said()
    assert said.devices is None
    assert said.why is not None
    assert len(msgspec.json.encode(said)) < 60_000
