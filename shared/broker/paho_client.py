"""paho as this house uses it: MQTT 5, mutual TLS, no delay, manual acknowledgement, a fresh client each connection.

For rooms' agents, the hub's commands and tests. The hub's services do not load it: they speak by `link`.
"""

import functools
import socket
import ssl
import threading
import time
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MessageState, MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from shared.broker.mqtt import IN_FLIGHT, BrokerConfig, Subscription, Will, whole
from shared.broker.mqtt_ahead import published
from shared.broker.mqtt_socket import BufferedSocket
from shared.trust import tls

_BARE_PUBACK_BYTES = 2
"""One with reason 0 and no properties is a packet's number alone (MQTT 5, 3.4.2.1)."""
_PUBLISH_QOS_1, _NO_PROPERTIES = 0x32, b"\0"
_TAKEN, _NOTHING_MORE = ReasonCode(PacketTypes.PUBACK), Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]


class _Unwatched(paho.MQTTMessageInfo):
    """What paho tells of a message for which no thread waits: nothing."""

    def _set_as_published(self) -> None:
        """Nobody asks."""


def _posted() -> paho.MQTTMessage:
    message = paho.MQTTMessage()
    message.qos, message.state, message.info = 1, MessageState.MQTT_MS_WAIT_FOR_PUBACK, _Unwatched(0)
    return message


_POSTED = _posted()
"""Stands in paho's books for each message that was posted: it was sent, and a confirmation is awaited."""


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

    def loop_stop(self) -> MQTTErrorCode:
        """Wait for the network thread's end; MQTT_ERR_INVAL where there is none.

        As paho's own (2.2), which asks for its thread twice and falls over where that one, after a goodbye, ends by
        itself in between (its issue 872).
        """
        thread = self._thread
        if thread is None:
            return MQTTErrorCode.MQTT_ERR_INVAL
        self._thread_terminate = True
        if threading.current_thread() is not thread:
            thread.join()
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def post(self, topic: str, payload: bytes, *, retain: bool, properties: Properties | None = None) -> int | None:
        """Publish with quality of service 1 for whoever waits for no confirmation but `on_publish`'s; its number.

        As paho's own `publish`, without the message and the lock that it makes for each in case that a thread waits.
        None where nothing was, or will be, sent on this connection.
        """
        if self._inflight_messages >= self._max_inflight_messages:  # paho's own queues it until the broker takes more
            info = self.publish(topic, payload, qos=1, retain=retain, properties=properties)
            return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None
        if self._sock is None:
            return None
        mid = self._mid_generate()
        if mid in self._out_messages:
            return None
        name, told = topic.encode(), _NO_PROPERTIES if properties is None else properties.pack()  # type: ignore[no-untyped-call]  # paho leaves it untyped
        packet = bytearray((_PUBLISH_QOS_1 | retain,))
        self._pack_remaining_length(packet, 4 + len(name) + len(told) + len(payload))
        packet += b"%b%b%b%b%b" % (len(name).to_bytes(2, "big"), name, mid.to_bytes(2, "big"), told, payload)
        self._out_messages[mid] = _POSTED
        self._inflight_messages += 1
        self._packet_queue(paho.PUBLISH, packet, mid, 1)
        return mid

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
        if self._out_messages.get(mid) is _POSTED and self._inflight_messages < self._max_inflight_messages:
            del self._out_messages[mid]  # nothing waits for its place
            self._inflight_messages -= 1
            told: Any = self.on_publish  # which of paho's versions of it is known by `new_client` alone
            if told is not None:
                told(self, self._userdata, mid, _TAKEN, _NOTHING_MORE)
            return MQTTErrorCode.MQTT_ERR_SUCCESS
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
