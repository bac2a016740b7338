"""Rooms that exist at the broker alone, and speak there as their agents would: one process for all of them.

`python -m tests.bench.voices VAR PORT FIRST LAST` comes up as those rooms and prints `up` once the broker has all that
they said: description, states, availability. Then it beats for them until it is ended. No command is answered.
"""

import selectors
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.broker import packets
from shared.broker.connection import Connection, Delivery
from shared.broker.mqtt import KEEPALIVE_SECONDS, Subscription, Will
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
_READ_BYTES = 65_536
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0


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
        context = ssl.create_default_context(cafile=str(pki / "device-ca.crt"))
        context.load_cert_chain(pki / f"{room}.crt", pki / f"{room}.key")
        bare = socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS)
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(bare, server_hostname="localhost")
        now = time.monotonic()
        self._connection = Connection(
            heard=self._hear,
            wake=lambda: None,
            wake_later=lambda: None,
            manual_ack=False,
            keepalive=KEEPALIVE_SECONDS,
            now=now,
        )
        gone = messages.encode(Availability(status="offline", at=utc(time.time()), session=self._session))
        will = Will(topics.availability(room), gone)
        hello = packets.connect(room, will, will_expiry=ROOM_SILENCE_SECONDS, session_seconds=0)
        self._connection.connect(hello, _Taken(self))
        self._flush()
        while not self._connection.is_open:
            self._take(self.socket.recv(_READ_BYTES))
        wanted = Subscription(topics.commands_for(room)), Subscription(topics.ALL_SERVICES, live_only=True)
        self._connection.subscribe(wanted, _Taken(self))
        self._flush()

    def birth(self, known: dict[DeviceDescription, Value]) -> None:
        """As an agent does: what there is, how all of it stands, and last that the room is there."""
        self._known = known
        told = Description(room=self.room, name=self.room.capitalize(), agent_version="bench", devices=tuple(known))
        self._say(topics.description(self.room), messages.encode(told))
        self._announce()

    def tell(self, device: str, state: State) -> None:
        """One device's state."""
        self._say(topics.state(self.room, device), messages.encode(state))
        self._flush()

    def beat(self, now: float) -> None:
        """Say that the room is there, where that is due, and whatever keeps the connection alive."""
        self._connection.tick(now)
        if now >= self._beat_at:
            self._beat_at = now + ROOM_HEARTBEAT_SECONDS
            here = Availability(status="online", at=utc(time.time()), session=self._session)
            self._say(topics.availability(self.room), messages.encode(here), expiry=ROOM_SILENCE_SECONDS)
        self._flush()

    def read(self) -> None:
        """Take in what has come. Raises ConnectionError where the broker hung up, LinkError where it ended us."""
        self.socket.settimeout(0)
        try:
            came = self.socket.recv(_READ_BYTES)
        except ssl.SSLWantReadError:
            return
        finally:
            self.socket.settimeout(_PATIENCE_SECONDS)
        self._take(came)

    def close(self) -> None:
        """Leave."""
        self._connection.goodbye()
        self._flush()
        self.socket.close()

    def _take(self, came: bytes) -> None:
        if not came:
            raise ConnectionError(f"the broker hung up on {self.room}")
        self._connection.feed(came, time.monotonic())
        while self._connection.step():
            pass
        self._flush()

    def _announce(self) -> None:
        since = utc(time.time())
        for device, value in self._known.items():
            state = State(value=value, since=since, by=By(source="boot"))
            self._say(topics.state(self.room, device.id), messages.encode(state))
        self._beat_at = 0.0
        self.beat(time.monotonic())

    def _hear(self, heard: Delivery) -> None:
        """A gateway that is new has not heard the room yet: it is told everything, as by an agent."""
        if heard.topic != topics.service("gateway"):
            return
        there = messages.decode(Availability, heard.payload)
        if there.status == "online" and there.session != self._gateway:
            is_first, self._gateway = not self._gateway, there.session
            if not is_first:
                self._announce()

    def _say(self, topic: str, payload: bytes, *, expiry: float | None = None) -> None:
        self.unacknowledged += 1
        self._connection.publish(topic, payload, _Said(self), retain=True, expiry=expiry)

    def _flush(self) -> None:
        if together := self._connection.outgoing(time.monotonic()):
            self.socket.sendall(together)


class _Taken:
    """What the broker is asked for and told of only where it says no."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def done(self) -> bool:
        """Somebody always waits."""
        return False

    def set_result(self, result: Any, /) -> None:
        """Reason codes of what was asked for: from 128 on it was refused."""
        self._voice.refused += [f"reason {code}" for code in result or () if code >= 128]

    def set_exception(self, error: Exception, /) -> None:
        """The connection is over."""
        self._voice.refused.append(str(error))

    def exception(self) -> BaseException | None:
        """Nothing is kept."""
        return None


class _Said(_Taken):
    """A message on its way."""

    def set_result(self, result: Any, /) -> None:
        """The broker has it, or refused it."""
        self._voice.unacknowledged -= 1
        super().set_result([result])


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
                    voice.beat(now)
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
