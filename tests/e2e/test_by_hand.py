"""`mosquitto_pub` by hand with an enrolled client's certificate: what works, and everything that must not."""

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import Demo
from tests.house import DEADLINE, until

LIMITS = ("login_code", "login_code_account", "login", "commands", "reads", "default")
LAMP = "home/hall/lamp/set/phone"
DOOR = "home/hall/front-door/set/phone"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("byhand"))
    assert made.command("init", "--demo").returncode == 0
    made.lift_limits(*LIMITS)
    made.start()
    files = made.var / "phone"
    added = made.command(
        "client", "add", "phone", "--may", "hall/lamp", "--may", "hall/front-door", "--out", str(files)
    )
    assert added.returncode == 0, added.stderr
    yield made
    made.stop()


def tool(house: Demo, name: str, *arguments: str) -> list[str]:
    files = house.var / "phone"
    tls = ["--cafile", f"{files}/ca.crt", "--cert", f"{files}/client.crt", "--key", f"{files}/client.key"]
    return [name, "-V", "5", "-h", "localhost", "-p", str(house.ports["MQTT"]), *tls, *arguments]


def publish(house: Demo, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = tool(house, "mosquitto_pub", "-q", "1", *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)


def body(action: str, **more: object) -> str:
    return json.dumps({"action": action, **more})


def settled(house: Demo) -> None:
    """A fence: a command of ours that came after is done, so whatever came before was judged."""
    before = len(house.edges("hall", "lamp"))
    level = 1 - (house.edges("hall", "lamp") or [0])[-1]
    publish(house, "-t", LAMP, "-m", body("on" if level else "off"))
    until(lambda: len(house.edges("hall", "lamp")) > before, "the fence")


def test_it_switches_the_lamp(house: Demo) -> None:
    publish(house, "-t", LAMP, "-m", body("on"))
    until(lambda: house.edges("hall", "lamp")[-1:] == [1], "the lamp is on")
    publish(house, "-t", LAMP, "-m", body("off"))
    until(lambda: house.edges("hall", "lamp")[-1:] == [0], "the lamp is off")


@pytest.mark.parametrize("topic", ["home/hall/lamp/set/gateway", "home/kitchen/lamp/set/phone", "home/hall/lamp/state"])
def test_a_forged_issuer_or_another_device_is_refused_by_the_broker(house: Demo, topic: str) -> None:
    before = house.edges("hall", "lamp"), house.edges("kitchen", "lamp")
    assert "Not authorized" in publish(house, "-t", topic, "-m", body("on")).stderr
    settled(house)
    assert house.edges("hall", "lamp")[:-1] == before[0]
    assert house.edges("kitchen", "lamp") == before[1]


def test_a_stamped_command_opens_the_door_and_an_unstamped_late_or_retained_one_does_not(house: Demo) -> None:
    before = house.edges("hall", "front-door")
    ids = [str(uuid.uuid4()) for _ in range(5)]
    now = time.time()
    publish(house, "-t", DOOR, "-m", body("unlock", id=ids[0]))
    publish(house, "-t", DOOR, "-m", body("unlock", id=ids[1], issued_at=now - 60))
    publish(house, "-t", DOOR, "-m", body("unlock", id=ids[2], issued_at=now + 3600))
    publish(house, "-r", "-t", DOOR, "-m", body("unlock", id=ids[3], issued_at=now))
    settled(house)
    assert house.edges("hall", "front-door") == before, "none of the four moved it"
    publish(house, "-t", DOOR, "-m", body("unlock", id=ids[4], issued_at=time.time()))
    until(lambda: house.edges("hall", "front-door") == [*before, 1], "the fifth did")
    master = house.client("master")

    def recorded() -> dict[str, str]:
        events = master.call("GET", "/api/v1/audit?limit=200").body["events"][::-1]  # the last word on each counts
        return {e["command_id"]: e["detail"].get("reason", e["outcome"]) for e in events if e.get("command_id") in ids}

    until(lambda: len(recorded()) == 5 and "executed" in recorded().values(), "all five are in the record")
    reasons = recorded()
    assert [reasons[id_] for id_ in ids] == ["unstamped", "expired", "unstamped", "retained", "executed"]
    assert master.act("hall/front-door", "lock").status == 200


def test_a_last_will_on_the_front_door_opens_nothing(house: Demo) -> None:
    before = house.edges("hall", "front-door")
    will = ["--will-topic", DOOR, "--will-qos", "1", "--will-payload", body("unlock", id=str(uuid.uuid4()))]
    dying = subprocess.Popen(
        ["stdbuf", "-oL", *tool(house, "mosquitto_sub", "-t", "home/hall/lamp/state", "-d", *will)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert dying.stdout is not None
    next(line for line in dying.stdout if "SUBACK" in line)
    dying.kill()
    dying.communicate()
    settled(house)
    assert house.edges("hall", "front-door") == before


def test_without_certificate_or_tls_nobody_gets_in_and_nobody_listens_in(house: Demo) -> None:
    before = house.edges("hall", "lamp")
    port = str(house.ports["MQTT"])
    bare = ["mosquitto_pub", "-V", "5", "-h", "localhost", "-p", port, "-t", LAMP, "-m", body("on")]
    for arguments in (bare, [*bare, "--cafile", str(house.var / "phone" / "ca.crt")]):
        assert subprocess.run(arguments, capture_output=True, timeout=DEADLINE, check=False).returncode != 0
    everything = subprocess.run(
        tool(house, "mosquitto_sub", "-t", "#", "-d", "-W", "5"), capture_output=True, text=True, check=False
    )
    assert "All subscription requests were denied" in everything.stdout + everything.stderr
    assert house.edges("hall", "lamp") == before


@pytest.mark.parametrize("payload", ["on", "{}", '{"action":"explode"}', '{"action":["on"]}', "[" * 5000, "\x00"])
def test_rubbish_moves_nothing_and_the_agent_goes_on(house: Demo, payload: str, tmp_path: Path) -> None:
    before = house.edges("hall", "lamp")
    file = tmp_path / "payload"
    file.write_text(payload)
    publish(house, "-t", LAMP, "-f", str(file))
    settled(house)
    assert house.edges("hall", "lamp")[:-1] == before
