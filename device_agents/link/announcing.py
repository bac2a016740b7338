"""What the room says of itself: its description, every state, that it is there; and that a device is gone."""

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from device_agents.devices.input import Happening
from device_agents.ledger.ledger import Ledger
from device_agents.link.link import Link
from device_agents.room.device import Device
from device_agents.room.room import Room
from shared.running import backoff
from shared.running.log import facts
from shared.trust import tls
from shared.words import messages, topics
from shared.words.messages import (
    ROOM_HEARTBEAT_SECONDS,
    ROOM_SILENCE_SECONDS,
    Availability,
    Description,
    InputEvent,
    State,
    utc,
)
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.5
"""So soon what was refused is said again at first: by then the hub has usually read our description."""


class Announcer:
    """Speaks while there is a link. `now` is monotonic seconds, `wall` seconds since 1970.

    `certificate` is the file of what the link shows to the broker.
    """

    def __init__(
        self, room: Room, ledger: Ledger, link: Link, wall: Callable[[], float], certificate: Path | None = None
    ) -> None:
        self._room = room
        self._ledger = ledger
        self._link = link
        self._wall = wall
        self._certificate = certificate
        self._beat_at: float | None = None
        self._again_at: float | None = None
        self._refusals = 0
        self._cleared: frozenset[str] = frozenset()

    def deadline(self) -> float | None:
        """When the next heartbeat is due, or what was refused is said again; None without a link."""
        return min((at for at in (self._beat_at, self._again_at) if at is not None), default=None)

    def born(self, now: float) -> None:
        """A link has come about: say what there is, what is gone, how all stands, and last that we are there."""
        self._again_at, self._refusals = None, 0
        told = msgspec.structs.replace(self._room.description, certificate=self._shown())
        description = messages.encode(told)
        self._link.publish(topics.description(self._room.name), description, retain=Description.RETAIN)
        self._cleared = self._gone()
        for device in self._cleared:
            self._link.publish(topics.state(self._room.name, device), b"", retain=State.RETAIN)
        self.announce()
        self._beat_at = now + ROOM_HEARTBEAT_SECONDS

    def announce(self) -> None:
        """Every state, and that we are there: for whoever was not there when it was said."""
        for device in self._room.devices.values():
            self.tell(device)
        self._say_online()

    def lost(self) -> None:
        """The link is gone."""
        self._beat_at = self._again_at = None

    def refused(self, now: float) -> None:
        """The broker did not take something. A room may speak of a device once the hub has read its description."""
        if self._again_at is None:
            pause = backoff.delay(self._refusals, first=_AGAIN_SECONDS, most=ROOM_HEARTBEAT_SECONDS)
            self._again_at = now + pause
            self._refusals += 1

    def tick(self, now: float) -> None:
        """A heartbeat, where it is due. By then the broker has what was said at birth: what is gone is forgotten."""
        if self._again_at is not None and now >= self._again_at:
            self._again_at = None
            self.announce()
        if self._beat_at is None or now < self._beat_at:
            return
        self._beat_at = now + ROOM_HEARTBEAT_SECONDS
        self._say_online()
        try:
            for device in self._cleared:
                self._ledger.forget(device)
            self._cleared = frozenset()
        except HomeError as error:  # cleared once more at the next birth
            log.warning("Former device is not forgotten yet", extra=facts(reason=error.detail))

    def tell(self, device: Device) -> None:
        """One device's state."""
        self._link.publish(device.state_topic, messages.encode(device.state), retain=State.RETAIN)

    def happened(self, device: Device, event: Happening) -> None:
        """Something happened at an input."""
        told = messages.encode(InputEvent(event=event, at=utc(self._wall())))
        self._link.publish(device.event_topic, told, expiry=InputEvent.EXPIRY)

    def _shown(self) -> str | None:
        """The serial number of the certificate on this connection, as far as it is the one on disk."""
        if self._certificate is None or self._link.newest != "taken":
            return None
        return tls.serial_number(self._certificate)

    def _gone(self) -> frozenset[str]:
        try:
            return self._ledger.known() - self._room.devices.keys()
        except HomeError as error:
            log.warning("Former devices cannot be read", extra=facts(reason=error.detail))
            return frozenset()

    def _say_online(self) -> None:
        here = Availability(status="online", at=utc(self._wall()), session=self._link.session)
        topic = topics.availability(self._room.name)
        self._link.publish(topic, messages.encode(here), retain=Availability.RETAIN, expiry=ROOM_SILENCE_SECONDS)
