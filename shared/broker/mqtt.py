"""What every connection to the broker has in common, whichever library speaks: who and where, a will, subscriptions.

Used by the bus of the services (over `link`) and by the link of the agents (over `paho_client`); both make a connection
anew each time, so that nothing queued in the old one can act late.
"""

import math
import secrets
import time
from typing import Annotated

import msgspec

from shared.running.config import Config, env
from shared.trust.tls import Identity
from shared.words import messages

KEEPALIVE_SECONDS = 10
NO_MATCHING_SUBSCRIBERS = 16
"""PUBACK's reason code when nobody listens (MQTT 5, 3.4.2.1): the fast hint that a room is away."""
NOT_AUTHORIZED = 135
REFUSED_FROM = 128
"""Reason codes from here on are refusals (MQTT 5, 2.4)."""
IN_FLIGHT = 200
"""As `max_inflight_messages` in mosquitto.conf, which the broker announces as its receive maximum."""


class BrokerConfig(Config, frozen=True):
    """How to reach the broker, and as whom: the certificate's common name must be `identity`."""

    identity: str
    tls: Identity
    host: str = "127.0.0.1"
    port: Annotated[int, env("HOMESYSTEM_MQTT_PORT"), msgspec.Meta(ge=1, le=65535)] = 8883


class Subscription(msgspec.Struct, frozen=True):
    """A topic filter. `live_only` refuses retained messages: none on subscribing, and the flag kept on live ones.

    With quality of service 0 the broker keeps nothing for us while we are away. What is `optional` may be refused, as
    by a broker whose rights are of an older version.
    """

    topic: str
    live_only: bool = False
    qos: int = 1
    optional: bool = False


def refused(wanted: tuple[Subscription, ...], codes: list[int]) -> tuple[list[str], list[str]]:
    """Of what was subscribed to, what SUBACK's reason codes refuse: what we cannot be without, and what we can."""
    lost = [subscription for subscription, code in zip(wanted, codes, strict=True) if code >= REFUSED_FROM]
    return [s.topic for s in lost if not s.optional], [s.topic for s in lost if s.optional]


class Will(msgspec.Struct, frozen=True):
    """What the broker says for us when we vanish."""

    topic: str
    payload: bytes


def whole(expiry: float) -> int:
    """An expiry in whole seconds. Mosquitto takes 0 for "never": a part of a second must not become that."""
    return max(1, math.ceil(expiry))


def new_session() -> str:
    """A random name for one birth, so that an older connection's will is not taken for ours."""
    return secrets.token_hex(8)


def availability(*, online: bool, session: str) -> messages.Availability:
    """Our own presence, with our own clock's time."""
    return messages.Availability(
        status="online" if online else "offline", at=messages.utc(time.time()), session=session
    )
