"""Changing rights at the running broker, and offline."""

import subprocess
import threading

import msgspec
import pytest

from deploy.allowing import rights
from deploy.allowing.orders import grant
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.live_broker import taking_up
from deploy.live_broker.control import Control
from shared.running.config import ConfigError
from shared.words import topics
from shared.words.problem import HomeError
from tests.claimed import free_port
from tests.connects import count_tries
from tests.house import DEADLINE, Broker, share_pki, until


@pytest.fixture(scope="module")
def broker(each_broker: Broker) -> Broker:
    """Every test here is run on each Mosquitto."""
    return each_broker


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
    brokers.grant(broker.home, rights.client_role("wall", [("hall", "lamp")]))
    after = broker.publish("wall", "-t", "home/hall/lamp/set/wall", "-m", "x")
    other = broker.publish("wall", "-t", "home/hall/front-door/set/wall", "-m", "x")
    assert "Not authorized" in before.stderr
    assert "Not authorized" not in after.stderr
    assert "Not authorized" in other.stderr


def test_rights_that_are_granted_again_stand_and_change(broker: Broker) -> None:
    for may in ([("hall", "lamp")], [("hall", "lamp")], [("kitchen", "lamp")]):
        brokers.grant(broker.home, rights.client_role("tablet", may))
    assert "Not authorized" in broker.publish("tablet", "-t", "home/hall/lamp/set/tablet", "-m", "x").stderr
    assert "Not authorized" not in broker.publish("tablet", "-t", "home/kitchen/lamp/set/tablet", "-m", "x").stderr


def test_a_client_may_have_more_devices_than_one_message_has_rights(broker: Broker) -> None:
    panel = f"panel-{broker.port}"
    broker.home.authority().ensure_client(panel, "client")
    room, names = "r" * 32, [f"{'d' * 28}-{number:03}" for number in range(200)]
    for may in (names, names[1:]):
        brokers.grant(broker.home, rights.client_role(panel, [(room, name) for name in may]))
        for name in (names[1], names[-1]):
            assert (
                "Not authorized" not in broker.publish(panel, "-t", f"home/{room}/{name}/set/{panel}", "-m", "x").stderr
            )
    assert "Not authorized" in broker.publish(panel, "-t", f"home/{room}/{names[0]}/set/{panel}", "-m", "x").stderr


def test_a_revoked_client_is_dropped_while_it_talks_and_refused_at_the_next_handshake(broker: Broker) -> None:
    lost = f"lost-{broker.port}"
    broker.home.authority().ensure_client(lost, "client")
    brokers.grant(broker.home, rights.client_role(lost, [("hall", "lamp")]))
    with listen(broker, lost, "home/hall/lamp/state") as listener:
        assert listener.stdout is not None
        for line in listener.stdout:
            if "SUBACK" in line:
                break
        assert brokers.shut_out(broker.home, lost, is_room=False)
        listener.wait(DEADLINE)
    assert "Not authorized" in broker.publish(lost, "-t", f"home/hall/lamp/set/{lost}", "-m", "x").stderr
    assert broker.home.authority().revoke(lost) == 1
    assert taking_up.reload(broker.home)
    until(lambda: broker.publish(lost, "-t", "x", "-m", "x").returncode != 0, "its handshake is refused")
    until(lambda: "certificate verify failed" in broker.log, "the broker says why")


def test_a_revoked_room_leaves_nothing_retained(broker: Broker) -> None:
    for topic in ("home/garage/light/state", "home/garage/description", "home/garage/availability"):
        assert broker.publish("garage", "-r", "-t", topic, "-m", "x").returncode == 0
    with brokers.as_admin(broker.home) as admin:
        assert len(admin.retained_of("garage")) == 3
    with listen(broker, "gateway", "home/garage/description") as gateway:
        assert gateway.stdout is not None
        next(line for line in gateway.stdout if line == "home/garage/description x\n")
        brokers.shut_out(broker.home, "garage", is_room=True)
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
    before = brokers.read(broker.home)
    assert brokers.refresh(broker.home) == ["alerts", "auth"]
    assert brokers.refresh(broker.home) == []
    others = [role for role in brokers.read(broker.home)["roles"] if role["rolename"] not in ("alerts", "auth")]
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
        assert brokers.refresh(broker.home) == ["alerts", "auth"]
        assert tells_of_lockouts(broker)
        assert next(line for line in gateway.stdout if line.startswith(topics.LOCKOUTS)) == f"{topics.LOCKOUTS} x\n"
        gateway.kill()
    assert brokers.refresh(broker.home) == []
    assert "Not authorized" not in broker.publish("alerts", "-t", topics.receipt("hall"), "-m", "x").stderr


def test_a_broker_that_runs_since_before_there_was_a_signer_takes_it_on_and_admin_lets_go(broker: Broker) -> None:
    broker.stop()
    path = broker.home.mosquitto / "dynamic-security.json"
    document = msgspec.json.decode(path.read_bytes())
    for kind, key in (("roles", "rolename"), ("clients", "username")):
        document[kind] = [entry for entry in document[kind] if entry[key] != "signer"]
    for role in document["roles"]:
        if role["rolename"] == "admin":
            role["acls"] += rights.hub_role("signer")["acls"]
        if role["rolename"] == "hall":
            role["acls"] = [acl for acl in role["acls"] if acl["topic"] != topics.csr("hall")]
    path.write_bytes(msgspec.json.encode(document))
    broker.start()
    assert "Not authorized" in broker.publish("hall", "-t", topics.csr("hall"), "-m", "x").stderr
    assert brokers.refresh(broker.home) == ["admin", "hall", "signer"]
    assert "Not authorized" not in broker.publish("hall", "-t", topics.csr("hall"), "-m", "x").stderr
    assert brokers.refresh(broker.home) == []
    assert brokers.standing(broker.home, "signer").admitted
    assert "Not authorized" in broker.publish("admin", "-t", rights.CONTROL, "-m", "{}").stderr


def test_rights_that_cannot_be_read_are_said(broker: Broker) -> None:
    path = broker.home.mosquitto / "dynamic-security.json"
    kept = path.read_bytes()
    path.write_text("not json")
    try:
        with pytest.raises(ConfigError, match=r"dynamic-security\.json: the broker's rights cannot be read"):
            brokers.refresh(broker.home)
    finally:
        path.write_bytes(kept)


def test_with_the_broker_away_rights_change_in_its_file(broker: Broker) -> None:
    broker.stop()
    try:
        brokers.grant(broker.home, rights.client_role("later", []))
        assert not brokers.shut_out(broker.home, "phone", is_room=False)
        document = msgspec.json.decode((broker.home.mosquitto / "dynamic-security.json").read_bytes())
        clients = {client["username"]: client for client in document["clients"]}
        assert "later" in clients
        assert clients["phone"]["disabled"] is True
    finally:
        broker.start()
    assert "Not authorized" in broker.publish("phone", "-t", "home/hall/lamp/set/phone", "-m", "x").stderr


def test_a_hundred_connects_go_well_at_the_first_try(broker: Broker) -> None:
    assert count_tries(broker, 100) == {1: 100}


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_broker_that_listens_everywhere_is_reached_here(broker: Broker, host: str) -> None:
    """As `homesystem init` has it listen."""
    everywhere = broker.home.var / host.replace(":", "_")
    settings = msgspec.structs.replace(broker.home.settings, host=host, mqtt_port=free_port())
    home = Home(everywhere, settings)
    for name in ("mosquitto", "log"):
        (everywhere / name).mkdir(parents=True)
    share_pki(home, broker.home.pki)
    other = Broker(home, broker.release)
    other.start()
    try:
        brokers.grant(home, rights.client_role("tablet", [("hall", "lamp")]))
        assert brokers.standing(home, "tablet").admitted
        assert brokers.shut_out(home, "tablet", is_room=False)
    finally:
        other.stop()


def test_a_broker_that_is_killed_under_a_command_is_asked_again(broker: Broker) -> None:
    with brokers.as_signer(broker.home) as signer:
        broker.kill()
        back = threading.Thread(target=broker.start)
        back.start()
        assert signer.standing("phone").name == "phone"
        back.join()
        assert signer.tries > 1


def test_a_broker_that_does_not_answer_is_given_up_in_a_sentence(broker: Broker) -> None:
    broker.freeze()
    try:
        with (
            pytest.raises(HomeError, match=r"The broker cannot be reached: .+"),
            Control(brokers.config(broker.home), patience=0.5),
        ):
            pass
    finally:
        broker.thaw()


def test_two_who_are_admin_at_once_lose_nothing(broker: Broker) -> None:
    """An older version's command, say: whoever is thrown out comes back, and each gets the answer to its own orders."""
    with brokers.as_signer(broker.home) as first:
        with brokers.as_signer(broker.home) as second:
            second.settle("tablet", grant(rights.client_role("tablet", [])), done=lambda standing: standing.admitted)
        assert first.standing("tablet").admitted
        assert first.tries == 2
