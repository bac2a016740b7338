"""The agent as a process on the real broker: what it obeys, what it refuses, and that nothing else moves a pin."""

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import paho.mqtt.client as paho
import pytest

from deploy.folder.home import Home
from device_agents.pins import simulation
from shared.broker import mqtt, paho_client
from shared.words import messages, topics
from shared.words.messages import Availability, Receipt, ReceiptLine
from shared.words.problem import HomeError
from tests.house import DEADLINE, Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, ROOT, Client, Room, audit_events, offline
from tests.proxy import DelayingProxy, HoldingProxy

PHONE_HEARS = (topics.acknowledgement("hall", "lamp"), topics.acknowledgement("hall", "front-door"))


@pytest.fixture(scope="module")
def hall(home: Home) -> Iterator[Room]:
    room = Room(home)
    yield room
    room.stop(signal.SIGKILL)


@pytest.fixture
def gateway(broker: Broker) -> Iterator[Client]:
    with Client(broker, "gateway", *GATEWAY_HEARS) as client:
        yield client


@pytest.fixture
def running(hall: Room, gateway: Client) -> Room:
    """The hall's agent, online, with a gateway that it knows; the front door locked."""
    if hall.process is None or hall.process.poll() is not None:
        hall.online(gateway)
    gateway.heartbeat()
    assert gateway.command("front-door", "lock") == ("executed", None)
    return hall


# --- what is obeyed ----------------------------------------------------------------------------------------------


def test_a_gateway_command_is_executed_and_recorded_before_its_answer(running: Room, gateway: Client) -> None:
    gateway.command("lamp", "off")
    before = len(running.waveform)
    id_ = gateway.ask("lamp", "on")
    ack = gateway.answer(id_)
    assert running.waveform[before:] == [("lamp", 1)]
    assert ack.state is not None
    assert (ack.outcome, ack.state.value, ack.state.by.command_id) == ("executed", "on", id_)
    order = [said.topic.rpartition("/")[2] for said in gateway.said if id_.encode() in said.payload]
    assert order == ["state", "ack"]


def test_mosquitto_pub_with_an_enrolled_certificate_switches_the_lamp(
    running: Room, broker: Broker, gateway: Client
) -> None:
    gateway.command("lamp", "off")
    gateway.forget()
    sent = broker.publish("phone", "-t", topics.command("hall", "lamp", "phone"), "-m", '{"action":"on"}')
    assert sent.returncode == 0, sent.stderr
    assert gateway.state("lamp", "on").by.issuer == "phone"


def test_a_command_of_quality_0_leaves_the_rooms_connection_alone(
    running: Room, broker: Broker, gateway: Client
) -> None:
    """As `mosquitto_pub` sends it unless it is told otherwise; there is nothing to confirm to the broker."""
    gateway.command("lamp", "off")
    gateway.forget()
    command = topics.command("hall", "lamp", "phone")
    sent = broker.publish("phone", "-q", "0", "-t", command, "-m", '{"action":"on"}')
    assert sent.returncode == 0, sent.stderr
    assert gateway.state("lamp", "on").by.issuer == "phone"
    assert gateway.command("lamp", "off") == ("executed", None)
    assert not [said for said in gateway.said if said.topic == topics.availability("hall") and not said.retained]


def test_a_repeat_moves_nothing_and_is_answered_alike(running: Room, gateway: Client) -> None:
    id_ = gateway.ask("front-door", "unlock")
    first = gateway.answer(id_)
    assert gateway.command("front-door", "lock") == ("executed", None)
    waveform = running.waveform
    gateway.forget()
    gateway.ask("front-door", "unlock", id=id_)
    assert gateway.answer(id_) == msgspec.structs.replace(first, repeated=True)
    assert running.waveform == waveform
    gateway.forget()
    assert gateway.command("lamp", "on", id=id_) == ("rejected", "id-reused")


# --- what is refused ---------------------------------------------------------------------------------------------


def moves_nothing(room: Room, gateway: Client, waveform: list[tuple[str, int]]) -> None:
    """After whatever was sent, a good command is the first thing that moves: the broker keeps each one's order."""
    gateway.command("lamp", "off")
    assert [edge for edge in room.waveform[len(waveform) :] if edge != ("lamp", 0)] == []


@pytest.mark.parametrize(
    "topic",
    [
        topics.command("hall", "front-door", "gateway"),
        topics.command("hall", "front-door", "tablet"),
        topics.command("garage", "door", "phone"),
        topics.command("hall", "door-contact", "phone"),
    ],
)
def test_who_is_not_the_issuer_or_has_no_grant_is_stopped_by_the_broker(
    running: Room, broker: Broker, gateway: Client, topic: str
) -> None:
    waveform = running.waveform
    wish = json.dumps({"action": "unlock", "id": "forged", "issued_at": time.time()})
    assert "Not authorized" in broker.publish("phone", "-t", topic, "-m", wish).stderr
    moves_nothing(running, gateway, waveform)
    assert not [said for said in gateway.said if b"forged" in said.payload]


@pytest.mark.parametrize(
    ("device", "wish", "options", "outcome", "reason"),
    [
        ("front-door", {"action": "unlock", "id": "1"}, [], "rejected", "unstamped"),
        ("front-door", {"action": "unlock", "issued_at": 0.0}, [], "rejected", "unstamped"),
        ("front-door", {"action": "unlock", "id": "2", "issued_at": -6.0}, [], "expired", "expired"),
        ("lamp", {"action": "on", "id": "3", "issued_at": -6.0}, [], "expired", "expired"),
        ("front-door", {"action": "unlock", "id": "4", "issued_at": 60.0}, [], "rejected", "unstamped"),
        ("front-door", {"action": "unlock", "id": "5", "issued_at": 0.0}, ["-r"], "rejected", "retained"),
        ("lamp", {"action": "on"}, ["-r"], "rejected", "retained"),
        ("lamp", {"action": "toggle", "id": "6"}, [], "rejected", "malformed"),
        ("lamp", {"action": "unlock", "id": "7"}, [], "rejected", "unknown-action"),
        ("lamp", {"action": "on", "id": "8", "value": 3}, [], "rejected", "invalid-value"),
        ("lamp", "not even JSON", [], "rejected", "malformed"),
        ("lamp", ["on"], [], "rejected", "malformed"),
    ],
)
def test_what_a_trusted_client_may_not_say_is_refused_with_its_reason(
    running: Room,
    broker: Broker,
    gateway: Client,
    device: str,
    wish: object,
    options: list[str],
    outcome: str,
    reason: str,
) -> None:
    waveform = running.waveform
    if isinstance(wish, dict) and "issued_at" in wish:
        wish = wish | {"issued_at": time.time() + wish["issued_at"]}
    payload = wish if isinstance(wish, str) else json.dumps(wish)
    topic = topics.acknowledgement("hall", device)
    with Client(broker, "phone", *PHONE_HEARS) as phone:
        phone.publish(topics.command("hall", device, "phone"), payload.encode(), retain="-r" in options)
        answer = phone.wait_for("the refusal", lambda said: said.payload if said.topic == topic else None)
        phone.publish(topics.command("hall", device, "phone"), b"", retain=True)
    ack = messages.decode(messages.Acknowledgement, answer)
    assert (ack.outcome, ack.reason) == (outcome, reason)
    moves_nothing(running, gateway, waveform)


def test_an_unknown_device_is_refused(running: Room, gateway: Client) -> None:
    assert gateway.command("cellar", "on") == ("rejected", "unknown-device")


def test_a_retained_wish_does_not_wait_for_the_agent(running: Room, broker: Broker, gateway: Client) -> None:
    """Somebody leaves a retained command while the room is away: on return nothing moves."""
    running.stop()
    waveform = running.waveform
    topic = topics.command("hall", "lamp", "phone")
    assert broker.publish("phone", "-t", topic, "-r", "-m", '{"action":"on"}').returncode == 0
    running.online(gateway)
    gateway.heartbeat()
    moves_nothing(running, gateway, waveform)
    broker.publish("phone", "-t", topic, "-r", "-n")


def test_a_last_will_on_the_front_door_moves_nothing(running: Room, broker: Broker, gateway: Client) -> None:
    waveform = running.waveform
    wish = json.dumps({"action": "unlock", "id": "will", "issued_at": time.time() - 6}).encode()
    dying = paho_client.new_client(
        broker.config("phone"), mqtt.Will(topics.command("hall", "front-door", "phone"), wish)
    )
    dying.will_set(topics.command("hall", "front-door", "phone"), wish, qos=1)
    config = broker.config("phone")
    connected: list[object] = []
    dying.on_connect = lambda *_: connected.append(True)
    dying.connect(config.host, config.port)
    until(lambda: dying.loop(0.1) == paho.MQTT_ERR_SUCCESS and connected, "the dying client is connected")
    sock = dying.socket()
    assert sock is not None
    sock.close()  # no goodbye: the broker speaks the will
    assert gateway.answer("will").reason == "expired"
    moves_nothing(running, gateway, waveform)


def test_a_gateway_that_the_room_never_heard_live_is_not_obeyed(running: Room, broker: Broker, gateway: Client) -> None:
    waveform = running.waveform
    with Client(broker, "gateway-2", topics.ALL_ACKS) as other:
        assert other.command("lamp", "on") == ("expired", "expired")
        other.heartbeat()
        moves_nothing(running, gateway, waveform)
        assert other.command("lamp", "on") == ("executed", None)


# --- crash points --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checkpoint", ["committed", "moved", "finished", "stated", "answered"])
def test_killed_at_any_point_a_repeat_never_makes_a_second_edge(hall: Room, gateway: Client, checkpoint: str) -> None:
    hall.stop()
    gateway.forget()
    waveform = hall.waveform
    hall.start(checkpoint=checkpoint)
    hall.there(gateway)
    gateway.heartbeat()
    id_ = gateway.ask("front-door", "unlock")
    assert hall.died() == -signal.SIGKILL
    gateway.wait_for("the will", offline)
    ups = [edge for edge in hall.waveform[len(waveform) :] if edge == ("front-door", 1)]
    assert len(ups) == (checkpoint != "committed")
    for _ in range(2):
        hall.online(gateway)
        gateway.heartbeat()
        gateway.forget()
        gateway.ask("front-door", "unlock", id=id_)
        ack = gateway.answer(id_)
        finished = checkpoint not in {"committed", "moved"}
        assert (ack.outcome, ack.reason) == (("executed", None) if finished else ("failed", "interrupted"))
        hall.stop(signal.SIGKILL)
    assert [edge for edge in hall.waveform[len(waveform) :] if edge == ("front-door", 1)] == ups
    levels = [level for device, level in hall.waveform if device == "front-door"]
    assert levels[-1:] == ([0] if levels else [])


def test_a_kill_at_the_moment_of_the_edge_leaves_one_audit_event(hall: Room, broker: Broker, gateway: Client) -> None:
    hall.stop()
    gateway.forget()
    with Client(broker, "alerts", topics.ALL_AUDIT) as alerts:
        hall.start(checkpoint="moved")
        hall.there(gateway)
        gateway.heartbeat()
        id_ = gateway.ask("front-door", "unlock", user={"id": "u1", "name": "Ada"})
        hall.died()

        def mine() -> list[messages.AuditEvent]:
            return [event for event in audit_events(alerts) if event.command_id == id_]

        for _ in range(2):
            hall.online(gateway)
            until(lambda: mine() or None, "the event of the interrupted command")
            (event,) = mine()
            assert (event.outcome, event.detail["reason"], event.severity) == ("failed", "interrupted", "critical")
            assert event.who.user is not None
            hall.stop(signal.SIGKILL)


def test_a_ledger_that_cannot_commit_moves_nothing_and_safety_goes_on(running: Room, gateway: Client) -> None:
    """A full disk, as far as the ledger can tell: its files may not grow any more."""
    assert running.process is not None
    assert gateway.command("front-door", "unlock") == ("executed", None)
    for number in range(60):  # the waveform must stay smaller than the limit, the ledger's log reach it
        assert gateway.command("lamp", "on", id=f"fill-{time.time()}-{number}") == ("executed", None)
    log = running.home.var / "data" / "agents" / "hall.sqlite3-wal"
    size = log.stat().st_size
    assert (running.home.var / "sim" / "hall.jsonl").stat().st_size < size - 8192
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        waveform = running.waveform
        assert gateway.command("lamp", "off") == ("executed", None)
        assert gateway.command("front-door", "lock") == ("executed", None)
        assert gateway.command("front-door", "unlock") == ("failed", "ledger-failed")
        assert gateway.command("lamp", "on") == ("failed", "ledger-failed")
        assert running.waveform[len(waveform) :] == [("lamp", 0), ("front-door", 0)]
    finally:
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert gateway.command("front-door", "unlock") == ("executed", None)


# --- proof, presence, inputs ---------------------------------------------------------------------------------------


def test_an_event_is_sent_until_its_receipt_even_past_a_kill(running: Room, broker: Broker, gateway: Client) -> None:
    id_ = gateway.ask("front-door", "unlock")
    gateway.answer(id_)
    running.stop(signal.SIGKILL)

    def mine(ear: Client) -> list[messages.AuditEvent]:
        return [event for event in audit_events(ear) if event.command_id == id_]

    with Client(broker, "alerts", topics.ALL_AUDIT) as alerts:
        running.online(gateway)
        until(lambda: mine(alerts) or None, "the event")
        (event,) = mine(alerts)
        everything = tuple(ReceiptLine(id=event.id, row=1, hash="h") for event in audit_events(alerts))
        alerts.publish(topics.receipt("hall"), messages.encode(Receipt(events=everything)))
        gateway.heartbeat()
        gateway.command("lamp", "off")  # by now the receipt was heard
        running.stop()
        alerts.forget()
        running.online(gateway)
        gateway.heartbeat()
        gateway.answer(gateway.ask("front-door", "unlock"))
        until(lambda: [e for e in audit_events(alerts) if e.seq > event.seq] or None, "the next event")
        assert mine(alerts) == []


def test_a_clean_stop_says_offline_and_clicks_nothing(running: Room, gateway: Client) -> None:
    gateway.command("lamp", "on")
    waveform = running.waveform
    gateway.forget()
    assert running.stop() == 0
    gateway.wait_for("offline", offline)
    assert running.waveform == waveform
    running.online(gateway)
    assert gateway.state("lamp", "on").by.source == "command"
    assert running.waveform == waveform


def test_a_kill_is_told_by_the_will_of_the_same_birth(running: Room, gateway: Client) -> None:
    gateway.forget()
    running.stop(signal.SIGKILL)
    gone = gateway.wait_for("the will", offline)
    assert isinstance(gone, Availability)
    running.online(gateway)
    births = [
        messages.decode(Availability, said.payload).session
        for said in gateway.said
        if said.topic == topics.availability("hall") and b'"online"' in said.payload
    ]
    assert gone.session not in births


def test_a_new_gateway_session_is_told_everything_again(running: Room, broker: Broker) -> None:
    with Client(broker, "gateway-2", *GATEWAY_HEARS) as late:
        late.forget()
        late.heartbeat()
        running.there(late)
        live = [said.topic for said in late.said if not said.retained]
        assert live.index(topics.state("hall", "front-door")) < live.index(topics.availability("hall"))


def test_driven_inputs_are_heard(running: Room, gateway: Client) -> None:
    sim = running.home.var / "sim"
    gateway.forget()
    simulation.drive(sim, "hall", "door-contact", "open")
    assert gateway.state("door-contact", "open").by.source == "input"
    simulation.drive(sim, "hall", "door-contact", "closed")
    simulation.drive(sim, "hall", "doorbell", "long")
    assert gateway.event("doorbell").event == "long"
    with pytest.raises(HomeError, match="is an output"):
        simulation.drive(sim, "hall", "lamp", "on")


def test_a_broker_that_dies_is_found_again_and_nothing_acts_late(running: Room, broker: Broker) -> None:
    waveform = running.waveform
    broker.kill()
    running.complained("Broker cannot be reached")
    broker.start()
    with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
        running.there(gateway)
        gateway.heartbeat()
        moves_nothing(running, gateway, waveform)
        assert gateway.command("front-door", "unlock") == ("executed", None)


def test_a_broker_that_hangs_does_not_hold_up_the_stop(running: Room, broker: Broker) -> None:
    process = broker._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        assert running.stop() == 0
    finally:
        process.send_signal(signal.SIGCONT)


def test_an_agent_that_starts_first_waits_for_its_broker(running: Room, broker: Broker) -> None:
    running.stop()
    broker.stop()
    running.start()
    running.complained("nothing listens there")
    broker.start()
    with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
        running.there(gateway)


def test_what_a_stalled_link_held_back_expires_whatever_came_with_it(
    hall: Room, broker: Broker, gateway: Client
) -> None:
    """Heartbeats, even of a new session, and commands wait together in the same stalled stream."""
    hall.stop()
    proxy = HoldingProxy("127.0.0.1", 0, broker.port)
    direct = hall.config.read_text()
    hall.config.write_text(direct.replace(f"port = {broker.port}", f"port = {proxy.port}"))
    try:
        hall.online(gateway)
        gateway.heartbeat()
        assert gateway.command("lamp", "off") == ("executed", None)
        waveform = hall.waveform
        proxy.hold()
        held = time.monotonic()
        ids = [gateway.ask("lamp", "on", age=4.0)]
        gateway.session = mqtt.new_session()
        gateway.heartbeat()
        ids += [gateway.ask("front-door", "unlock", age=4.0), gateway.ask("lamp", "on", age=4.0)]
        until(lambda: time.monotonic() - held > 1.2 or None, "the commands are older than they may be")
        proxy.release()
        assert [gateway.answer(id_).reason for id_ in ids] == ["expired"] * 3
        moves_nothing(hall, gateway, waveform)
    finally:
        hall.stop()
        hall.config.write_text(direct)
        proxy.close()


def test_a_delay_that_was_there_from_the_first_moment_makes_no_wish_act_late(
    hall: Room, broker: Broker, gateway: Client
) -> None:
    """It looks like a difference between clocks; the way there and back tells."""
    hall.stop()
    proxy = DelayingProxy(broker.port)
    direct = hall.config.read_text()
    hall.config.write_text(direct.replace(f"port = {broker.port}", f"port = {proxy.port}"))
    try:
        proxy.delay = 3.0
        hall.online(gateway)
        gateway.heartbeat()
        waveform = hall.waveform
        first = gateway.ask("front-door", "unlock")
        assert gateway.answer(first).reason == "expired"
        proxy.delay = 7.0
        second = gateway.ask("front-door", "unlock")
        assert gateway.answer(second).reason == "expired"
        assert hall.waveform == waveform
    finally:
        hall.stop()
        hall.config.write_text(direct)
        proxy.close()


# --- configuration -------------------------------------------------------------------------------------------------


def check(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "device_agents", "--config", str(config), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_a_configuration_is_checked(hall: Room) -> None:
    assert check(hall.config, "--check-config").returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("pin = 27", "pin = 17", "pin 17 is used by lamp and front-door"),
        ("hall.key", "lost.key", "lost.key: there is no such file"),
        ('pins = "simulated"', 'pins = "rpi"', "RPi.GPIO cannot be used"),
        ("link_loss_after = 60.0", 'watchdog = "/dev/null"', "watchdog: /dev/null is no watchdog"),
        ('kind = "lock"', 'kind = "humidity"', "devices[1].source: is missing"),
    ],
)
def test_a_configuration_that_cannot_be_used_ends_with_78(
    hall: Room, tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = hall.config.read_text()
    assert old in text
    path = tmp_path / "hall.toml"
    path.write_text(text.replace(old, new))
    ended = check(path)
    assert (ended.returncode, complaint in ended.stderr) == (78, True), ended.stderr


def test_everything_that_is_wrong_is_told_at_once_a_line_each(hall: Room, tmp_path: Path) -> None:
    path = tmp_path / "hall.toml"
    text = hall.config.read_text()
    for old, new in (
        ("data = ", "datta = "),
        ('kind = "lock"', 'kind = "luck"'),
        ("pin = 17", "pin = 99"),
        ("pin = 23", 'pin = "23"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    ended = check(path, "--check-config")
    assert ended.returncode == 78
    assert [line.removeprefix(f"configuration: {path}: ").partition(";")[0] for line in ended.stderr.splitlines()] == [
        "top level: Object missing required field `data`",
        "datta: there is no such setting",
        "devices[1].kind: Invalid enum value 'luck'",
        "devices: there is no pin '23' (doorbell) on the header",
        "devices: there is no pin 99 (lamp) on the header",
    ]


def test_no_file_ends_with_78(tmp_path: Path) -> None:
    ended = check(tmp_path / "none.toml")
    assert ended.returncode == 78
    assert "there is no such file" in ended.stderr


def test_a_second_agent_of_the_same_room_ends_with_75_so_that_its_unit_tries_again(running: Room) -> None:
    ended = check(running.config)
    assert ended.returncode == 75
    assert "another agent is using" in ended.stderr
