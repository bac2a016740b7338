"""Rooms that exist at the broker alone, and speak there as their agents would: one process for all of them.

`python -m tests.bench.voices VAR PORT FIRST LAST` comes up as those rooms and prints `up` once the broker has all that
they said: description, states, availability. Then it beats for them until it is ended. No command is answered.
"""

import selectors
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from shared.words import messages, topics
from shared.words.messages import (
    ROOM_HEARTBEAT_SECONDS,
    ROOM_SILENCE_SECONDS,
    Availability,
    By,
    CoverValue,
    Description,
    DeviceDescription,
    State,
    Value,
    utc,
)
from shared.words.names import ACTIONS, SAFE_ACTIONS, Kind

PER_ROOM = 64
_MIX: tuple[tuple[Kind, int, str, Value, dict[str, Any]], ...] = (
    (Kind.SWITCH, 24, "Ceiling light", "off", {"values": ("on", "off"), "boot": "restore", "on_link_loss": "hold"}),
    (Kind.DIMMER, 10, "Reading lamp", 40, {"minimum": 0, "maximum": 100, "unit": "%", "boot": "off"}),
    (Kind.LOCK, 2, "Door", "locked", {"values": ("locked", "unlocked", "jammed"), "critical": True, "confirm": True}),
    (Kind.COVER, 4, "Blind", CoverValue(position=100, moving=None), {"travel_time": 20.0, "dead_time": 0.5}),
    (Kind.PULSE, 2, "Gate", None, {"pulse_ms": 500, "travel_time": 1.0}),
    (Kind.CONTACT, 6, "Window", "closed", {"values": ("open", "closed")}),
    (Kind.MOTION, 4, "Motion", "clear", {"values": ("motion", "clear"), "events": ("motion",)}),
    (Kind.BUTTON, 2, "Button", None, {"events": ("press", "double", "long")}),
    (Kind.TEMPERATURE, 5, "Temperature", 21.4, {"unit": "°C", "minimum": -40.0, "maximum": 85.0}),
    (Kind.HUMIDITY, 5, "Humidity", 45.2, {"unit": "%", "minimum": 0.0, "maximum": 100.0}),
)
"""Of which kind a room has how many, what they are called, where they stand, and what else is told of them."""
_IN_FLIGHT = 100
_KEEPALIVE_SECONDS = 60
_LOOK_SECONDS = 1.0
_UP_SECONDS = 120.0


def name(number: int) -> str:
    """The id of the room of that number, from 1."""
    return f"bench-{number}"


def devices() -> dict[DeviceDescription, Value]:
    """What a room has, and how all of it stands; every such room is alike."""
    made = {}
    for kind, count, called, value, more in _MIX:
        for number in range(1, count + 1):
            told = {"critical": False, "confirm": False} | more
            made[
                DeviceDescription(
                    id=f"{kind.value}-{number}",
                    name=f"{called} {number}",
                    kind=kind,
                    actions=ACTIONS.get(kind, ()),
                    safe_actions=SAFE_ACTIONS.get(kind, ()),
                    **told,
                )
            ] = value
    return made


class Voice:
    """One room's connection; `unacknowledged` is how much of what it said the broker does not have yet."""

    def __init__(self, pki: Path, port: int, room: str) -> None:
        self.room = room
        self.unacknowledged = 0
        self.refused: list[str] = []
        self._known: dict[DeviceDescription, Value] = {}
        self._gateway = ""
        self._session = f"{time.monotonic_ns():x}"
        self._beat_at = 0.0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=room, protocol=paho.MQTTv5)
        context = ssl.create_default_context(cafile=str(pki / "device-ca.crt"))
        context.load_cert_chain(pki / f"{room}.crt", pki / f"{room}.key")
        self._client.tls_set_context(context)
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        gone = messages.encode(Availability(status="offline", at=utc(time.time()), session=self._session))
        self._client.will_set(topics.availability(room), gone, qos=1, retain=True)
        self._client.on_publish = self._acknowledged
        self._client.on_message = self._hear
        self._client.connect("localhost", port, _KEEPALIVE_SECONDS)
        while not self._client.is_connected():
            assert self._client.loop(_LOOK_SECONDS) == paho.MQTT_ERR_SUCCESS, f"the broker does not let {room} in"
        self._client.subscribe([(topics.commands_for(room), 1), (topics.ALL_SYSTEM, 1)])

    @property
    def socket(self) -> ssl.SSLSocket:
        """What to wait for. Raises ConnectionError once the broker hung up."""
        socket = self._client.socket()
        if socket is None:
            raise ConnectionError(f"the broker hung up on {self.room}")
        return socket  # type: ignore[return-value]  # as its context makes it

    def birth(self, known: dict[DeviceDescription, Value]) -> None:
        """As an agent does: what there is, how all of it stands, and last that the room is there."""
        self._known = known
        told = Description(room=self.room, name=self.room.capitalize(), agent_version="bench", devices=tuple(known))
        self._say(topics.description(self.room), messages.encode(told))
        self._announce()

    def tell(self, device: str, state: State) -> None:
        """One device's state."""
        self._say(topics.state(self.room, device), messages.encode(state))

    def beat(self, now: float) -> None:
        """Say that the room is there, where that is due."""
        if now < self._beat_at:
            return
        self._beat_at = now + ROOM_HEARTBEAT_SECONDS
        here = Availability(status="online", at=utc(time.time()), session=self._session)
        self._say(topics.availability(self.room), messages.encode(here), expiry=ROOM_SILENCE_SECONDS)

    def read(self) -> None:
        """Take in what has come."""
        self._client.loop_read()
        while (socket := self._client.socket()) is not None and socket.pending():  # type: ignore[attr-defined]
            self._client.loop_read()
        if self._client.want_write():
            self._client.loop_write()

    def keep(self) -> None:
        """The connection's own signs of life."""
        self._client.loop_misc()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()

    def _announce(self) -> None:
        since = utc(time.time())
        for device, value in self._known.items():
            self.tell(device.id, State(value=value, since=since, by=By(source="boot")))
        self._beat_at = 0.0
        self.beat(time.monotonic())

    def _hear(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        """A gateway that is new has not heard the room yet: it is told everything, as by an agent."""
        if message.retain or message.topic != topics.service("gateway"):
            return
        there = messages.decode(Availability, bytes(message.payload))
        if there.status == "online" and there.session != self._gateway:
            is_first, self._gateway = not self._gateway, there.session
            if not is_first:
                self._announce()

    def _say(self, topic: str, payload: bytes, *, expiry: float | None = None) -> None:
        properties = None
        if expiry is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
            properties.MessageExpiryInterval = int(expiry)
        self.unacknowledged += 1
        self._client.publish(topic, payload, qos=1, retain=True, properties=properties)

    def _acknowledged(self, _c: object, _u: object, _mid: int, reason: Any, _p: object) -> None:
        self.unacknowledged -= 1
        if reason.is_failure:
            self.refused.append(str(reason))


def speak(voices: Sequence[Voice], seconds: float | None = None) -> Iterator[None]:
    """Keep the rooms' connections alive, and come back each time that something came, or a second has passed."""
    end = None if seconds is None else time.monotonic() + seconds
    kept_at = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for voice in voices:
            selector.register(voice.socket, selectors.EVENT_READ, voice)
        now = time.monotonic()
        while end is None or now < end:
            for key, _ in selector.select(_LOOK_SECONDS if end is None else min(_LOOK_SECONDS, end - now)):
                key.data.read()
            now = time.monotonic()
            if now - kept_at >= _LOOK_SECONDS:
                kept_at = now
                for voice in voices:
                    voice.keep()
                    voice.beat(now)
                    assert voice.socket
            yield


def main(var: Path, port: int, first: int, last: int) -> None:
    """Come up, say so, go on until ended. Raises AssertionError where the broker refuses what a room says."""
    voices = [Voice(var / "pki", port, name(number)) for number in range(first, last + 1)]
    known = devices()
    is_up = False
    for voice in voices:
        voice.birth(known)
    for _ in speak(voices):
        if not is_up and not any(voice.unacknowledged for voice in voices):
            refused = {reason for voice in voices for reason in voice.refused}
            assert not refused, refused
            print("up", flush=True)
            is_up = True


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
