"""A room's devices from the hub, by the real broker: one comes and obeys, what is wrong changes nothing,
and a room that does not come back by its new file has its former one again by itself.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from tests.demo import Answer, Client, Demo
from tests.house import until

ROOM = "/api/v1/rooms/garage/file"
FAN = {"id": "fan", "name": "Fan", "kind": "switch", "pin": 26}


class Desk:
    """A master user with an app, who sets the garage's devices."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.client: Client = demo.client("master")
        password = demo.users()["master"]["password"]
        begun = self._body("POST", "/api/v1/factors", {"current": password, "name": "Phone"})
        code = pyotp.TOTP(begun["secret"]).now()
        self._codes = list(self._body("POST", f"/api/v1/factors/{begun['id']}", {"code": code})["recovery_codes"])

    def _body(self, *call: Any) -> Any:
        answer = self.client.call(*call)
        assert answer.status < 300, answer
        return answer.body

    def prove(self) -> None:
        self._body("POST", "/api/v1/step-up", {"code": self._codes.pop()})

    def file(self) -> Any:
        def told() -> Any:
            answer = self.client.call("GET", ROOM)
            return answer.body if answer.status == 200 else None

        return until(told, "the garage tells its file")

    def change(self, *devices: dict[str, Any], of: str | None = None) -> Answer:
        of = of or self.file()["version"]
        return self.client.call("PUT", ROOM, {"of": of, "devices": list(devices)})

    def ends(self, outcome: str) -> Any:
        """The file once the last settings have ended so."""

        def ended() -> Any:
            answer = self.client.call("GET", ROOM)
            said = answer.body.get("answer") if answer.status == 200 else None
            return answer.body if said and said["outcome"] == outcome else None

        return until(ended, f"the garage says {outcome}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home whose garage gives up on a file after ten seconds."""
    made = Demo(tmp_path_factory.mktemp("home") / "var", warm=True)
    assert made.command("init", "--demo").returncode == 0
    path = garage(made)
    path.write_text(path.read_text().replace('room = "garage"\n', 'room = "garage"\ntrial_seconds = 10\n', 1))
    made.lift_limits("arranging", "password", "reads", "commands")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def desk(demo: Demo) -> Desk:
    return Desk(demo)


def garage(demo: Demo) -> Path:
    return demo.var / "agents" / "garage.toml"


def test_without_a_fresh_proof_nothing_is_set(desk: Desk) -> None:
    before = garage(desk.demo).read_bytes()
    answer = desk.change(FAN)
    assert (answer.status, answer.body["type"]) == (403, "/problems/step-up-required")
    assert garage(desk.demo).read_bytes() == before


def test_a_new_device_comes_and_obeys(desk: Desk) -> None:
    stands = desk.file()
    desk.prove()
    letters = len(desk.demo.letters())
    answer = desk.change(*stands["devices"], FAN)
    assert answer.status == 202, answer
    assert desk.ends("taken")["devices"] == [*stands["devices"], FAN]

    def obeys() -> Answer | None:
        done = desk.client.act("garage/fan", "on")
        return done if done.status == 200 else None

    done = until(obeys, "the fan obeys")
    assert done.body["state"]["value"] == "on"

    def told() -> bool:
        said = [letter["subject"] for letter in desk.demo.letters()[letters:]]
        return any("set on a page" in one for one in said) and any("changed file" in one for one in said)

    until(told, "letters tell of both")


@pytest.mark.parametrize(
    ("device", "words"), [({"pin": 99}, "there is no pin 99"), ({"pin": 26, "id": "other"}, "used by")]
)
def test_what_is_wrong_is_told_beside_its_setting_and_changes_nothing(
    desk: Desk, device: dict[str, Any], words: str
) -> None:
    desk.prove()
    stands, before = desk.file(), garage(desk.demo).read_bytes()
    rest = [one for one in stands["devices"] if one["id"] != device.get("id", "fan")]
    answer = desk.change(*rest, FAN | device)
    assert (answer.status, answer.body["type"]) == (422, "/problems/invalid-value"), answer
    (complaint, *_) = answer.body["complaints"]
    assert complaint["setting"] == "pin"
    assert words in complaint["text"]
    assert garage(desk.demo).read_bytes() == before
    assert desk.client.act("garage/fan", "off").status == 200


def test_a_file_that_was_changed_by_hand_is_not_overwritten(desk: Desk) -> None:
    desk.prove()
    stands = desk.file()
    path = garage(desk.demo)
    path.write_text(path.read_text() + "# by hand\n")
    answer = desk.change(of=stands["version"])
    assert answer.status == 422
    assert "another one by now" in answer.body["detail"]
    assert path.read_text().endswith("# by hand\n")


def test_a_room_that_does_not_come_back_has_its_former_file_again(desk: Desk) -> None:
    desk.prove()
    stands, before = desk.file(), garage(desk.demo).read_bytes()
    until(lambda: desk.client.device("garage/fan")["available"], "the garage is there again")
    answer = desk.change(FAN | {"name": "Big fan"})
    assert answer.status == 202, answer
    desk.demo.supervise("stop", "broker")
    try:
        until(lambda: garage(desk.demo).read_bytes() == before, "the former file is there again")
    finally:
        desk.demo.supervise("start", "broker")
    told = desk.ends("put-back")
    assert told["devices"] == stands["devices"]
    assert "did not come back" in told["answer"]["complaints"][0]["text"]
    until(lambda: desk.client.act("garage/fan", "on").status == 200, "the room obeys again")
