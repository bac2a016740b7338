"""Fuzzes a running home through its broker: as a room, as a trusted client, and as one more gateway."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho

from shared.broker import mqtt, paho_client
from shared.trust import tls
from shared.words import topics
from tests.demo import Client, Demo
from tests.fuzz.home import CLIENT, GATEWAY, ROOM
from tests.fuzz.messages import Messages
from tests.fuzz.odd import Odd
from tests.fuzz.report import Report
from tests.house import DEADLINE, until

KINDS = {
    ROOM: ("state", "ack", "event", "availability", "description", "audit", "csr"),
    CLIENT: ("command",),
    GATEWAY: ("command", "command", "service", "audit"),
}
_WILLS = {
    ROOM: topics.availability(ROOM),
    CLIENT: topics.command("hall", "lamp", CLIENT),
    GATEWAY: topics.service(GATEWAY),
}
_AT_ONCE = 100
_LOOK_EVERY = 5000
_LOOKED_AT = ("/", "/history", f"/rooms/{ROOM}", "/api/v1/devices", "/api/v1/audit", "/api/v1/rooms", "/readyz")
_OBEYED = ("hall/lamp", "kitchen/lamp", "garage/light")
_PROVEN = "hall/front-door"


class Speaker:
    """One identity's connection, made anew whenever the broker ends it."""

    def __init__(self, config: mqtt.BrokerConfig) -> None:
        self._config = config
        self._client: paho.Client | None = None

    def say(self, made: Messages, count: int) -> int:
        """Publish so many, and wait until the broker has them; how many could not even be sent."""
        unsent, last = 0, None
        for _ in range(count):
            message = made.next()
            try:
                info = self._connected().publish(message.topic, message.payload, message.qos, message.retain)
            except (ValueError, UnicodeError):  # a topic that no client may name
                unsent += 1
                continue
            if info.rc != paho.MQTT_ERR_SUCCESS:
                self.close()
                unsent += 1
            elif message.qos:
                last = info
        if last is not None:
            with contextlib.suppress(RuntimeError, ValueError):  # the connection ended: the next one begins anew
                last.wait_for_publish(2.0)
        return unsent

    def close(self) -> None:
        """Leave."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connected(self) -> paho.Client:
        if self._client is not None and self._client.is_connected():
            return self._client
        self.close()
        will = mqtt.Will(_WILLS[self._config.identity], b"{}")
        client = self._client = paho_client.new_client(self._config, will)
        client.max_inflight_messages_set(20)
        client.connect(self._config.host, self._config.port, properties=paho_client.connect_properties(0))
        client.loop_start()
        until(client.is_connected, f"{self._config.identity} is connected")
        return client


@contextlib.contextmanager
def speakers(demo: Demo) -> Iterator[dict[str, Speaker]]:
    """One for each identity of ours."""
    outside = demo.var.parent / "outside"
    stems = {ROOM: outside / ROOM / "room", CLIENT: outside / CLIENT / "client", GATEWAY: demo.var / "pki" / GATEWAY}
    made = {name: Speaker(_config(demo, name, stem)) for name, stem in stems.items()}
    yield made
    for one in made.values():
        one.close()


def _config(demo: Demo, name: str, stem: Path) -> mqtt.BrokerConfig:
    files = tls.Identity(
        ca=demo.var / "pki" / "device-ca.crt", certificate=stem.with_suffix(".crt"), key=stem.with_suffix(".key")
    )
    return mqtt.BrokerConfig(identity=name, tls=files, host="127.0.0.1", port=demo.ports["MQTT"])


def run(demo: Demo, count: int, seed: int, report: Report, say: Callable[[str], None]) -> None:
    """Publish `count` messages; between them switch every lamp off, and look now and then whether everything works."""
    master, member, started = demo.client("master"), demo.client("member"), time.monotonic()
    sources = {name: Messages(Odd(seed * 1000 + n), name, kinds) for n, (name, kinds) in enumerate(KINDS.items())}
    with speakers(demo) as made:
        sent = rounds = 0
        while sent < count:
            for name, speaker in made.items():
                share = min(_AT_ONCE, count - sent)
                unsent = speaker.say(sources[name], share)
                report.counts[f"{name} published"] += share - unsent
                report.counts[f"{name} unsendable"] += unsent
                sent += share
            rounds += 1
            for device in _OBEYED:
                report.count(f"{device} answered {member.act(device, 'off').status}")
            if sent % _LOOK_EVERY < 3 * _AT_ONCE or sent >= count:
                _look(report, master)
                say(f"{sent} messages in {time.monotonic() - started:.0f} s, {report.summary()}")
    for device in _OBEYED:
        if 2 * report.counts[f"{device} answered 200"] < rounds:
            report.fault(f"{device} obeyed less than half of the time")
    _obey(report, member)


def _look(report: Report, master: Client) -> None:
    """Whatever the home was told, its pages and answers are whole."""
    for path in _LOOKED_AT:
        for kind in ("text/html", "application/json"):
            answer = master.call("GET", path, headers={"Accept": kind})
            report.count(f"GET {answer.status}")
            if answer.status >= 500:
                report.fault(f"GET {path} is {answer.status}: {str(answer.body)[:300]}")


def _obey(report: Report, member: Client) -> None:
    """Every agent does what it is asked, and the record hears of it."""
    for device in _OBEYED:

        def obeys(device: str = device) -> bool:
            return all(member.act(device, action).status == 200 for action in ("on", "off"))

        try:
            until(obeys, f"{device} obeys", seconds=3 * DEADLINE)
        except AssertionError as error:
            report.fault(str(error))
    wish = str(uuid.uuid4())
    answer = member.act(_PROVEN, "lock", id=wish)
    if answer.status != 200:
        report.fault(f"{_PROVEN} answered {answer}")
    try:
        until(lambda: wish in _recorded(member), "what was done stands in the record", seconds=6 * DEADLINE)
    except AssertionError as error:
        report.fault(str(error))


def _recorded(member: Client) -> set[str]:
    """The command ids of the newest events of that device."""
    room, _, device = _PROVEN.partition("/")
    answer = member.call("GET", f"/api/v1/audit?room={room}&device={device}&limit=50")
    return {event.get("command_id", "") for event in answer.body["events"]} if answer.status == 200 else set()
