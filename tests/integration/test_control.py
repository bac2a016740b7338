"""Changing rights at the running broker, and offline."""

import subprocess

import msgspec
import pytest

from deploy import control, rights
from shared import topics
from shared.config import ConfigError
from shared.problem import HomeError
from tests.house import DEADLINE, Broker, until


def listen(broker: Broker, who: str, topic: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["stdbuf", "-oL", *broker.tool("mosquitto_sub", who, "-t", topic, "-v", "-d")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_new_client_may_command_what_it_was_granted(broker: Broker) -> None:
    broker.home.authority().ensure_client("wall", "client")
    before = broker.publish("wall", "-t", "home/hall/lamp/set/wall", "-m", "x")
    control.add(broker.home, rights.client_role("wall", [("hall", "lamp")]))
    after = broker.publish("wall", "-t", "home/hall/lamp/set/wall", "-m", "x")
    other = broker.publish("wall", "-t", "home/hall/front-door/set/wall", "-m", "x")
    assert "Not authorized" in before.stderr
    assert "Not authorized" not in after.stderr
    assert "Not authorized" in other.stderr


def test_a_name_that_exists_is_refused_by_the_broker_too(broker: Broker) -> None:
    with pytest.raises(HomeError, match="already exists"):
        control.add(broker.home, rights.client_role("phone", []))


def test_a_revoked_client_is_dropped_while_it_talks_and_refused_at_the_next_handshake(broker: Broker) -> None:
    broker.home.authority().ensure_client("lost", "client")
    control.add(broker.home, rights.client_role("lost", [("hall", "lamp")]))
    with listen(broker, "lost", "home/hall/lamp/state") as listener:
        assert listener.stdout is not None
        for line in listener.stdout:
            if "SUBACK" in line:
                break
        assert control.shut_out(broker.home, "lost", is_room=False)
        listener.wait(DEADLINE)
    assert "Not authorized" in broker.publish("lost", "-t", "home/hall/lamp/set/lost", "-m", "x").stderr
    assert broker.home.authority().revoke("lost") == 1
    assert control.reload(broker.home)
    until(lambda: broker.publish("lost", "-t", "x", "-m", "x").returncode != 0, "its handshake is refused")
    until(lambda: "certificate verify failed" in broker.log, "the broker says why")


def test_a_revoked_room_leaves_nothing_retained(broker: Broker) -> None:
    for topic in ("home/garage/light/state", "home/garage/description", "home/garage/availability"):
        assert broker.publish("garage", "-r", "-t", topic, "-m", "x").returncode == 0
    with control.Control(broker.home) as admin:
        assert len(admin.retained_of("garage")) == 3
    with listen(broker, "gateway", "home/garage/description") as gateway:
        assert gateway.stdout is not None
        next(line for line in gateway.stdout if line == "home/garage/description x\n")
        control.shut_out(broker.home, "garage", is_room=True)
        assert next(line for line in gateway.stdout if line.startswith("home/")) == "home/garage/description (null)\n"
        gateway.kill()


def age(broker: Broker) -> None:
    """Have the broker be of a version in which auth could not speak of lock-outs, and there was no alert service."""
    broker.stop()
    path = broker.home.mosquitto / "dynamic-security.json"
    document = msgspec.json.decode(path.read_bytes())
    document["roles"] = [role for role in document["roles"] if role["rolename"] != "alerts"]
    document["clients"] = [client for client in document["clients"] if client["username"] != "alerts"]
    for role in document["roles"]:
        if role["rolename"] == "auth":
            role["acls"] = [acl for acl in role["acls"] if acl["topic"] != topics.LOCKOUTS]
    path.write_bytes(msgspec.json.encode(document))


def tells_of_lockouts(broker: Broker) -> bool:
    return "Not authorized" not in broker.publish("auth", "-r", "-t", topics.LOCKOUTS, "-m", "x").stderr


def test_a_home_of_an_older_version_gets_the_hubs_rights_before_its_broker_starts(broker: Broker) -> None:
    age(broker)
    before = control._read(broker.home)
    assert control.refresh(broker.home) == ["alerts", "auth"]
    assert control.refresh(broker.home) == []
    others = [role for role in control._read(broker.home)["roles"] if role["rolename"] not in ("alerts", "auth")]
    assert others == [role for role in before["roles"] if role["rolename"] != "auth"]
    broker.start()
    assert tells_of_lockouts(broker)
    assert "Not authorized" not in broker.publish("alerts", "-t", topics.receipt("hall"), "-m", "x").stderr


def test_a_broker_that_runs_takes_the_hubs_new_rights_at_once(broker: Broker) -> None:
    age(broker)
    broker.start()
    assert not tells_of_lockouts(broker)
    with listen(broker, "gateway", topics.ALL_SYSTEM) as gateway:
        assert gateway.stdout is not None
        next(line for line in gateway.stdout if "SUBACK" in line)
        assert control.refresh(broker.home) == ["alerts", "auth"]
        assert tells_of_lockouts(broker)
        assert next(line for line in gateway.stdout if line.startswith(topics.LOCKOUTS)) == f"{topics.LOCKOUTS} x\n"
        gateway.kill()
    assert control.refresh(broker.home) == []
    assert "Not authorized" not in broker.publish("alerts", "-t", topics.receipt("hall"), "-m", "x").stderr


def test_rights_that_cannot_be_read_are_said(broker: Broker) -> None:
    path = broker.home.mosquitto / "dynamic-security.json"
    kept = path.read_bytes()
    path.write_text("not json")
    try:
        with pytest.raises(ConfigError, match=r"dynamic-security\.json: the broker's rights cannot be read"):
            control.refresh(broker.home)
    finally:
        path.write_bytes(kept)


def test_with_the_broker_away_rights_change_in_its_file(broker: Broker) -> None:
    broker.stop()
    try:
        control.add(broker.home, rights.client_role("later", []))
        assert not control.shut_out(broker.home, "phone", is_room=False)
        document = msgspec.json.decode((broker.home.mosquitto / "dynamic-security.json").read_bytes())
        clients = {client["username"]: client for client in document["clients"]}
        assert "later" in clients
        assert clients["phone"]["disabled"] is True
    finally:
        broker.start()
    assert "Not authorized" in broker.publish("phone", "-t", "home/hall/lamp/set/phone", "-m", "x").stderr
