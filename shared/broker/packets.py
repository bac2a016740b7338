"""MQTT 5 in bytes: what we say is packed here, and what the broker says unpacked, by the I/O-free codec `mqtt5`.

Knows nothing of what was said before: that is `connection`'s. The only file that knows the codec.
"""

from typing import Final

import mqtt5

from shared.broker.mqtt import IN_FLIGHT, KEEPALIVE_SECONDS, Subscription, Will, whole

Packet = mqtt5.Packet
Welcome = mqtt5.ConnAckPacket
Published = mqtt5.PublishPacket
Confirmed = mqtt5.PubAckPacket
Subscribed = mqtt5.SubAckPacket
Alive = mqtt5.PingRespPacket
Farewell = mqtt5.DisconnectPacket
Fault = mqtt5.DisconnectReasonCode
AT_LEAST_ONCE: Final = mqtt5.QoS.AT_LEAST_ONCE

LARGEST_BYTES = 268_435_455
"""What MQTT 5 can count to, where a broker names no limit of its own."""
MOST_BYTES = 16 * 1024 * 1024
"""The largest packet that we take, and the broker is told so. Its word on every right of a large home is 1 MB."""
PING = mqtt5.PingReqPacket().write()
_QUALITIES = (mqtt5.QoS.AT_MOST_ONCE, mqtt5.QoS.AT_LEAST_ONCE, mqtt5.QoS.EXACTLY_ONCE)


class MalformedError(Exception):
    """What was read is no MQTT 5, or more than we take; `fault` is what the broker is told of it."""

    def __init__(self, words: str, fault: Fault = Fault.MALFORMED_PACKET) -> None:
        super().__init__(words)
        self.fault = fault


def connect(identity: str, will: Will, *, will_expiry: float, session_seconds: int) -> bytes:
    """Our first word, with what the broker says for us when we vanish. Above 0 seconds it keeps a session for us."""
    said = mqtt5.Will(
        will.topic, payload=will.payload, qos=AT_LEAST_ONCE, retain=True, message_expiry_interval=whole(will_expiry)
    )
    return mqtt5.ConnectPacket(
        identity,
        clean_start=session_seconds == 0,
        will=said,
        keep_alive=KEEPALIVE_SECONDS,
        session_expiry_interval=session_seconds,
        receive_max=IN_FLIGHT,
        max_packet_size=MOST_BYTES,
    ).write()


def subscribe(number: int, subscriptions: tuple[Subscription, ...]) -> bytes:
    """Ask for all of them at once; the answer has a reason code for each."""
    return mqtt5.SubscribePacket(number, [_filter(one) for one in subscriptions]).write()


def publish(number: int, topic: str, payload: bytes, *, retain: bool, expiry: float | None) -> bytes:
    """A message of quality of service 1. Raises ValueError on a topic with wildcards in it."""
    return mqtt5.PublishPacket(
        topic,
        payload,
        qos=AT_LEAST_ONCE,
        retain=retain,
        packet_id=number,
        message_expiry_interval=None if expiry is None else whole(expiry),
    ).write()


def confirm(number: int) -> bytes:
    """A message of the broker's is safe with us."""
    return mqtt5.PubAckPacket(number).write()


def farewell(fault: Fault = Fault.NORMAL_DISCONNECTION) -> bytes:
    """Our last word. After a normal one the broker says nothing for us; after a fault it says our will."""
    return mqtt5.DisconnectPacket(reason_code=fault).write()


def words(code: mqtt5.ConnAckReasonCode | Fault) -> str:
    """A reason code as one reads it: `Session taken over`."""
    return code.name.replace("_", " ").capitalize()


class Reader:
    """Cuts what comes into packets, wherever the network cut it."""

    def __init__(self) -> None:
        self._came: list[bytes] = []
        self._unread = memoryview(b"")
        self._at = 0
        self._left = 0
        self._wanted = 1
        """How many bytes there must be before it is worth looking at them again."""

    def feed(self, received: bytes) -> None:
        """Some more bytes."""
        self._came.append(received)
        self._left += len(received)

    def next(self) -> Packet | None:
        """The next packet, None until there is a whole one. Raises MalformedError; then nothing more can be read."""
        if self._left < self._wanted:
            return None
        if self._came:
            self._unread = memoryview(b"".join((self._unread[self._at :], *self._came)))
            self._at = 0
            self._came.clear()
        try:
            packet, size = mqtt5.read(self._unread[self._at :])
        except IndexError:
            self._wanted = self._announced()
            return None
        except BaseException as error:
            # Text that is no UTF-8 makes the codec panic, and its panic is no Exception.
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise MalformedError(f"what the broker sent is no MQTT 5: {error}") from error
            raise
        self._at += size
        self._left -= size
        self._wanted = 1
        return packet

    def _announced(self) -> int:
        """How many bytes the packet that is not whole yet has, as far as it says so already."""
        head = bytes(self._unread[self._at : self._at + 5])
        size = 0
        for place, byte in enumerate(head[1:]):
            size |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if size > MOST_BYTES:
                    raise MalformedError(f"the broker sends a packet of {size} bytes", Fault.PACKET_TOO_LARGE)
                return 2 + place + size
        return len(head) + 1


def _filter(subscription: Subscription) -> mqtt5.TopicFilter:
    live = subscription.live_only
    return mqtt5.TopicFilter(
        subscription.topic,
        max_qos=_QUALITIES[subscription.qos],
        retain_as_published=live,
        retain_handling=mqtt5.RetainHandling.SEND_NEVER if live else mqtt5.RetainHandling.SEND_ALWAYS,
    )
