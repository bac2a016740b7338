"""What every connection to the broker has in common: MQTT 5, mutual TLS, no delay, and a will.

Used by the bus of the services and by the link of the agents; both take a fresh client for each connection,
so that nothing queued in the old one can act late.
"""

import functools
import math
import secrets
import socket
import ssl
import time
from typing import Annotated, Any, Literal

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from shared.broker.mqtt_ahead import published
from shared.broker.mqtt_socket import BufferedSocket
from shared.running.config import Config, env
from shared.trust import tls
from shared.trust.tls import Identity
from shared.words import messages

KEEPALIVE_SECONDS = 10
NO_MATCHING_SUBSCRIBERS = 16
"""PUBACK's reason code when nobody listens (MQTT 5, 3.4.2.1): the fast hint that a room is away."""
NOT_AUTHORIZED = 135
REFUSED_FROM = 128
"""Reason codes from here on are refusals (MQTT 5, 2.4)."""
_BARE_PUBACK_BYTES = 2
"""One with reason 0 and no properties is a packet's number alone (MQTT 5, 3.4.2.1)."""
_TAKEN, _NOTHING_MORE = ReasonCode(PacketTypes.PUBACK), Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]
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


class Client(paho.Client):
    """The client of one connection, which knows how the broker refused it."""

    opened: BufferedSocket | None = None

    @property
    def refusal(self) -> str | None:
        """The broker's TLS alert, where it sent one: our certificate or its own list is not as it should be."""
        return self.opened.refusal if self.opened is not None else None

    def ack(self, mid: int, qos: int = 1) -> MQTTErrorCode:
        """Confirm a message that was heard, whatever its quality of service.

        With 0 it has no number (paho gives 0) and takes no confirmation; the broker ends a connection that sends one.
        """
        return super().ack(mid, qos) if mid else MQTTErrorCode.MQTT_ERR_SUCCESS

    # What follows takes the place of paho's own methods of these names, for what comes with every command. A paho that
    # calls them otherwise would use its own again: nothing but that time would be lost.

    def _packet_read(self) -> MQTTErrorCode:
        """As paho's own, which asks for one byte after the other, but for a packet that was read ahead as a whole."""
        under_way = self._in_packet
        ahead = self.opened.packet() if self.opened is not None and under_way["command"] == 0 else None
        if ahead is None:
            return super()._packet_read()
        body = bytearray(ahead.body)
        under_way["command"], under_way["packet"], under_way["remaining_length"] = ahead.header, body, len(body)
        try:
            return self._packet_handle()
        except MalformedPacket:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        finally:
            under_way["command"], under_way["packet"], under_way["remaining_length"] = 0, bytearray(), 0
            self._last_bytes_received = time.monotonic()

    def _handle_publish(self) -> MQTTErrorCode:
        """As paho's own, without the properties, for which nobody here asks."""
        said = published(self._in_packet["command"], self._in_packet["packet"])
        if said is None:
            return super()._handle_publish()
        message = paho.MQTTMessage(said.mid, said.topic)
        message.qos, message.payload, message.retain, message.dup = 1, said.payload, said.retain, said.dup
        self._handle_on_message(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS if self._manual_ack else self._send_puback(said.mid)

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        """As paho's own, without objects for the reason and the properties of a PUBACK that has neither, as most."""
        packet = self._in_packet["packet"]
        if cmd != "PUBACK" or len(packet) != _BARE_PUBACK_BYTES:
            return super()._handle_pubackcomp(cmd)
        mid = int.from_bytes(packet, "big")
        with self._out_message_mutex:
            if mid in self._out_messages:
                return self._do_on_publish(mid, _TAKEN, _NOTHING_MORE)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def new_client(
    broker: BrokerConfig,
    will: Will,
    *,
    context: ssl.SSLContext | None = None,
    manual_ack: bool = False,
    will_expiry: float | None = None,
) -> Client:
    """A client for one connection; the caller sets its callbacks, connects it and throws it away.

    Without `context` it is made of the identity's files. Raises ConfigError where they cannot be used.
    """
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=broker.identity,
        protocol=paho.MQTTv5,
        manual_ack=manual_ack,
        reconnect_on_failure=False,
    )
    context = context or tls.client_context(broker.tls)
    context.sslsocket_class = BufferedSocket
    client.tls_set_context(context)
    client.connect_timeout = 5.0
    client.max_inflight_messages_set(IN_FLIGHT)
    client.will_set(
        will.topic,
        will.payload,
        qos=1,
        retain=True,
        properties=publish_properties(will_expiry, PacketTypes.WILLMESSAGE),
    )
    client.on_socket_open = _opened
    return client


@functools.cache
def publish_properties(expiry: float | None, packet: int = PacketTypes.PUBLISH) -> Properties | None:
    """MQTT 5 properties with an expiry (seconds, rounded up), or None. Made once for each: paho only reads them."""
    if expiry is None:
        return None
    properties = _Packed(packet)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.MessageExpiryInterval = whole(expiry)
    return properties


class _Packed(Properties):
    """Properties that never change, packed once and not with every publish."""

    @functools.cached_property
    def _bytes(self) -> bytes:
        packed: bytes = super().pack()  # type: ignore[no-untyped-call]  # paho leaves it untyped
        return packed

    def pack(self) -> bytes:
        """As they go over the wire."""
        return self._bytes


def connect_properties(session_seconds: int) -> Properties:
    """How long the broker keeps our session after we are gone; 0 forgets it at once."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.SessionExpiryInterval = session_seconds
    return properties


def subscribe_options(subscription: Subscription) -> SubscribeOptions:
    """As `subscription` says."""
    if subscription.live_only:
        return SubscribeOptions(
            qos=subscription.qos, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND
        )
    return SubscribeOptions(qos=subscription.qos)


def _opened(client: paho.Client, _userdata: Any, sock: Any) -> None:
    if isinstance(client, Client):
        client.opened = sock
    # Nagle's buffer at one end holds a command back for 40 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
