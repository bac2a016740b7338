"""One connection to the broker as MQTT 5 sees it, with no I/O: what is under way, what may be said, and what is due.

`link` carries its bytes and tells it the time (in seconds, of any clock that only goes forward).
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from shared.broker import packets
from shared.broker.mqtt import IN_FLIGHT, Subscription
from shared.broker.packets import Fault
from shared.words.problem import HomeError

CONFIRMED_TOGETHER = 8
"""More confirmations than this do not wait for something that they could go with."""
_NUMBERS = 65535
"""What is under way bears numbers from 1 to this."""


class Delivery(msgspec.Struct, frozen=True):
    """One received message. With manual acknowledgement it is the receiver's to hand to `Bus.acknowledge`."""

    topic: str
    payload: bytes
    retained: bool
    connection: Any
    mid: int


class Promise(Protocol):
    """What one waits for; asyncio.Future is one."""

    def done(self) -> bool:
        """Whether it was kept or broken, or nobody waits any more."""

    def set_result(self, result: Any, /) -> None:
        """Keep it."""

    def set_exception(self, error: Exception, /) -> None:
        """Break it."""

    def exception(self) -> BaseException | None:
        """What broke it; asked, so that asyncio does not complain of one that nobody waits for."""


class LinkError(Exception):
    """The connection is over, and the words say why; `fault` is what the broker is to be told, where it is its own."""

    def __init__(self, words: str, fault: Fault | None = None) -> None:
        super().__init__(words)
        self.fault = fault


class Connection:
    """From CONNECT to the end of one connection; nothing of it outlives it.

    `heard` is called for each message. `wake` is called when there is something to send where there was nothing, and
    `wake_later` when that is a confirmation, which may wait a moment for something to go with.
    """

    def __init__(
        self,
        *,
        heard: Callable[[Delivery], None],
        wake: Callable[[], None],
        wake_later: Callable[[], None],
        manual_ack: bool,
        keepalive: float,
        now: float,
    ) -> None:
        self._heard = heard
        self._wake = wake
        self._wake_later = wake_later
        self._is_awake = False
        """Whether somebody was told to send at once."""
        self._manual_ack = manual_ack
        self._keepalive = keepalive
        self._reader = packets.Reader()
        self._out: list[bytes] = []
        self._welcome: Promise | None = None
        self.is_open = False
        """Between the broker's welcome and the end."""
        self._subscribed: tuple[int, int, Promise] | None = None
        """The number of our SUBSCRIBE, how many it asked for, and who waits."""
        self._number = 0
        self._in_flight: dict[int, Promise] = {}
        self._waiting: OrderedDict[int, tuple[bytes, Promise]] = OrderedDict()
        """What goes when the broker has confirmed something: it takes no more than `_window` at a time."""
        self._window = 0
        self._most_bytes = packets.LARGEST_BYTES
        self._unconfirmed: dict[int, int] = {}
        """The broker's messages that we owe a confirmation. Mosquitto counts round and round, also over one in use."""
        self._owed = 0
        self._said_at = self._heard_at = now
        self._asked_at: float | None = None

    # --- what we say ---

    def connect(self, packet: bytes, welcome: Promise) -> None:
        """Say our first word; `welcome` is kept once the broker lets us in. A refusal is a LinkError of `step`."""
        self._welcome = welcome
        self._say(packet)

    def subscribe(self, subscriptions: tuple[Subscription, ...], subscribed: Promise) -> None:
        """Ask for these; the promise gets a reason code for each."""
        number = self._next_number()
        self._subscribed = number, len(subscriptions), subscribed
        self._say(packets.subscribe(number, subscriptions))

    def publish(self, topic: str, payload: bytes, promise: Promise, *, retain: bool, expiry: float | None) -> None:
        """Publish with quality of service 1; the promise gets PUBACK's reason code.

        What waits for its turn and is given up meanwhile is never sent. Raises HomeError("broker-unreachable"), and
        nothing is sent: the connection is not open, it is too large for the broker, or too much waits.
        """
        if not self.is_open:
            raise HomeError("broker-unreachable")
        if len(payload) > self._most_bytes:
            raise self._too_large(len(payload))
        number = self._next_number()
        packet = packets.publish(number, topic, payload, retain=retain, expiry=expiry)
        if len(packet) > self._most_bytes:
            raise self._too_large(len(packet))
        if len(self._in_flight) < self._window:
            self._in_flight[number] = promise
            self._say(packet)
        else:
            self._waiting[number] = packet, promise

    def acknowledge(self, mid: int) -> None:
        """Confirm a message that was heard; once only, and nothing where it has no number (quality of service 0)."""
        if (owed := self._unconfirmed.pop(mid, 0)) > 0:
            if owed > 1:
                self._unconfirmed[mid] = owed - 1
            self._owed -= 1
            self._out.append(packets.confirm(mid))
            if len(self._out) > CONFIRMED_TOGETHER:
                self._wake_once()
            elif len(self._out) == 1:
                self._wake_later()

    def goodbye(self) -> None:
        """Say our last word."""
        self._say(packets.farewell())

    def outgoing(self, now: float) -> bytes:
        """Everything that is to be sent now."""
        if self._out:
            self._said_at = now
        together = b"".join(self._out)
        self._out.clear()
        self._is_awake = False
        return together

    def tick(self, now: float) -> None:
        """To be called every second or so: asks whether the broker is there when it was silent, or we were, for long.

        Raises LinkError when it does not answer.
        """
        if self._asked_at is not None:
            if now - self._asked_at >= self._keepalive:
                raise LinkError(f"the broker did not answer for {self._keepalive:.0f} s")
        elif now - min(self._said_at, self._heard_at) >= self._keepalive:
            self._asked_at = now
            self._say(packets.PING)

    def close(self) -> None:
        """It is over: nothing is sent any more, and nothing that is under way will be confirmed."""
        self.is_open = False
        broken = [*self._in_flight.values(), *(promise for _, promise in self._waiting.values())]
        self._in_flight.clear()
        self._waiting.clear()
        self._unconfirmed.clear()
        self._out.clear()
        for promise in broken:
            if not promise.done():
                promise.set_exception(HomeError("broker-unreachable", "the link was lost before the broker answered"))
                promise.exception()

    # --- what the broker says ---

    def feed(self, received: bytes, now: float) -> None:
        """Some more bytes of the broker's; `step` takes them."""
        self._heard_at = now
        self._reader.feed(received)

    def step(self) -> bool:
        """Take the broker's next word; False when there is no whole one. Raises LinkError when it was the last."""
        try:
            packet = self._reader.next()
        except packets.MalformedError as error:
            raise LinkError(str(error), error.fault) from error
        if packet is None:
            return False
        if self.is_open and isinstance(packet, packets.Published):
            self._take_message(packet)
        elif self.is_open and isinstance(packet, packets.Confirmed):
            self._take_confirmation(packet)
        elif isinstance(packet, packets.Farewell):
            raise LinkError(f"the broker ended the connection: {packets.words(packet.reason_code)}")
        elif not self.is_open:
            self._take_welcome(packet)
        elif isinstance(packet, packets.Alive):
            self._asked_at = None
        elif isinstance(packet, packets.Subscribed):
            self._take_subscribed(packet)
        else:
            raise _out_of_turn(packet)
        return True

    def _take_welcome(self, packet: packets.Packet) -> None:
        if not isinstance(packet, packets.Welcome) or self._welcome is None:
            raise _out_of_turn(packet)
        if packet.reason_code != 0:
            raise LinkError(f"the broker refused us: {packets.words(packet.reason_code)}")
        self.is_open = True
        self._window = min(IN_FLIGHT, packet.receive_max)
        self._most_bytes = packet.max_packet_size or packets.LARGEST_BYTES
        self._keepalive = min(self._keepalive, packet.server_keep_alive or self._keepalive)
        if not self._welcome.done():
            self._welcome.set_result(None)

    def _take_message(self, packet: packets.Published) -> None:
        if packet.topic_alias is not None:
            raise LinkError("the broker sent a topic alias, and we take none", Fault.TOPIC_ALIAS_INVALID)
        mid = 0
        if packet.packet_id is not None:
            mid = packet.packet_id
            self._owe(mid, packet)
        try:
            self._heard(Delivery(packet.topic, packet.payload, packet.retain, self, mid))
        finally:
            if not self._manual_ack:
                self.acknowledge(mid)

    def _owe(self, mid: int, packet: packets.Published) -> None:
        if packet.qos != packets.AT_LEAST_ONCE:
            raise LinkError("the broker sent a quality of service that we did not ask for", Fault.PROTOCOL_ERROR)
        if mid == 0:
            raise LinkError("the broker sent a message without a number", Fault.PROTOCOL_ERROR)
        if self._owed >= IN_FLIGHT:
            raise LinkError(f"the broker sent more than {IN_FLIGHT} messages at a time", Fault.RECEIVE_MAX_EXCEEDED)
        self._unconfirmed[mid] = self._unconfirmed.get(mid, 0) + 1
        self._owed += 1

    def _take_confirmation(self, packet: packets.Confirmed) -> None:
        promise = self._in_flight.pop(packet.packet_id, None)
        if promise is None:
            return  # nothing waits for it: MQTT 5 calls that no error
        while self._waiting and len(self._in_flight) < self._window:
            number, (waiting, next_promise) = self._waiting.popitem(last=False)
            if not next_promise.done():
                self._in_flight[number] = next_promise
                self._say(waiting)
        if not promise.done():
            promise.set_result(int(packet.reason_code))

    def _take_subscribed(self, packet: packets.Subscribed) -> None:
        asked, self._subscribed = self._subscribed, None
        if asked is None or asked[:2] != (packet.packet_id, len(packet.reason_codes)):
            raise LinkError("the broker answers a subscription that we did not ask for", Fault.PROTOCOL_ERROR)
        if not asked[2].done():
            asked[2].set_result([int(code) for code in packet.reason_codes])

    # --- both ---

    def _say(self, packet: bytes) -> None:
        self._wake_once()
        self._out.append(packet)

    def _wake_once(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            self._wake()

    def _next_number(self) -> int:
        """One that nothing under way bears."""
        if len(self._in_flight) + len(self._waiting) >= _NUMBERS - 1:  # one is a subscription's
            raise HomeError("broker-unreachable", "too much waits for the broker")
        taken = self._subscribed[0] if self._subscribed is not None else 0
        while True:
            self._number = self._number % _NUMBERS + 1
            if self._number not in self._in_flight and self._number not in self._waiting and self._number != taken:
                return self._number

    def _too_large(self, size: int) -> HomeError:
        return HomeError("broker-unreachable", f"{size} bytes are more than the broker takes ({self._most_bytes})")


def _out_of_turn(packet: packets.Packet) -> LinkError:
    return LinkError(f"the broker may not send a {type(packet).__name__} now", Fault.PROTOCOL_ERROR)
