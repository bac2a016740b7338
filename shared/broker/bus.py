"""paho on the asyncio loop: connect, subscribe, say that we are there, publish with reason codes, start over.

Used by gateway, auth and alert service. Nothing is ever queued for a later connection: publishing while the
broker is away, or while the link is stalled, raises at once.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import paho.mqtt.client as paho

from shared.broker import mqtt, mqtt_loop
from shared.running import backoff
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.trust import tls
from shared.trust.renewal import Credentials
from shared.words import messages, topics
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

STALLED_SECONDS = 2.0
"""A heartbeat that the broker has not confirmed for this long means that the link is stalled."""
STEADY_SECONDS = 10.0
"""A connection that lasts no longer counts as a failed attempt: two of one identity would throw each other out."""
CLOCK_STEP_SECONDS = 1.0
"""A hub whose clock was set by more than this starts a new life at the broker, from which agents learn it anew."""
_TICK_SECONDS = 1.0
_GOODBYE_SECONDS = 1.0


class Delivery(msgspec.Struct, frozen=True):
    """One received message. With manual acknowledgement it is the receiver's to hand to `Bus.acknowledge`."""

    topic: str
    payload: bytes
    retained: bool
    connection: Any
    mid: int


class Bus:
    """One identity's connection to the broker, renewed for as long as `run` runs.

    `on_message` is called on the loop for each message and must not block. `on_up` runs after every successful
    birth, `on_down` after every loss. `keep_session` (seconds) above 0 makes the broker hold messages for us.
    """

    def __init__(
        self,
        broker: mqtt.BrokerConfig,
        *,
        subscriptions: tuple[mqtt.Subscription, ...],
        on_message: Callable[[Delivery], None],
        on_up: Callable[[], Awaitable[None]] | None = None,
        on_down: Callable[[], None] | None = None,
        keep_session: int = 0,
        manual_ack: bool = False,
    ) -> None:
        self.identity = broker.identity
        self._broker = broker
        self._credentials = Credentials(broker.tls)
        self._subscriptions = subscriptions
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._keep_session = keep_session
        self._manual_ack = manual_ack
        self._client: paho.Client | None = None
        self._connection: paho.Client | None = None
        self._session = ""
        self._pending: dict[int, asyncio.Future[int]] = {}
        self._beat: asyncio.Future[int] | None = None
        self._beat_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether a command published now would go out: connected, born, and the link not stalled."""
        return self._client is not None and not self._stalled()

    async def run(self) -> None:
        """Keep the connection until cancelled; says goodbye on the way out."""
        attempt = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._live()
            except (OSError, HomeError, ValueError, ConfigError) as error:
                if isinstance(error, ssl.SSLError | HomeError):  # reached, so it is about us
                    self._credentials.refused()
                reason = tls.why_refused(self._broker.tls, error, time.time())
                log.warning("Broker cannot be reached", extra=facts(reason=reason, attempt=attempt))
            if asyncio.get_running_loop().time() - began >= STEADY_SECONDS:
                attempt = 0
            await asyncio.sleep(backoff.delay(attempt))
            attempt += 1

    def send(
        self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None
    ) -> asyncio.Future[int]:
        """Publish with quality of service 1; the future resolves to PUBACK's reason code.

        Raises HomeError("broker-unreachable") if nothing was sent; the future raises it when the link is lost
        before the broker's word came.
        """
        client = self._client
        if client is None or self._stalled():
            raise HomeError("broker-unreachable")
        return self._publish(client, topic, payload, retain=retain, expiry=expiry)

    async def publish(self, topic: str, message: messages.Message) -> int:
        """Publish `message` as its type says and wait for PUBACK's reason code."""
        return await self.send(topic, messages.encode(message), retain=message.RETAIN, expiry=message.EXPIRY)

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that `delivery` is safe with us; nothing where its connection is gone."""
        # A kept session delivers before we are born; what is not acknowledged then fills the broker's window for good.
        if self._connection is not None and delivery.connection is self._connection:
            self._connection.ack(delivery.mid, 1)

    def beat(self) -> asyncio.Future[int] | None:
        """Say now that we are there and what our clock shows; regular heartbeats go on beside it. The broker's word."""
        client = self._client
        if client is None:
            return None
        beat = self._publish_availability(client, online=True)
        beat.add_done_callback(_retrieve)
        if self._beat is None or self._beat.done():
            # The oldest one under way is watched: a later one must not make a stalled link look fresh.
            self._beat, self._beat_at = beat, asyncio.get_running_loop().time()
        return beat

    def _stalled(self) -> bool:
        return (
            self._beat is not None
            and not self._beat.done()
            and asyncio.get_running_loop().time() - self._beat_at > STALLED_SECONDS
        )

    def _publish_availability(self, client: paho.Client, *, online: bool) -> asyncio.Future[int]:
        payload = messages.encode(mqtt.availability(online=online, session=self._session))
        topic = topics.service(self.identity)
        return self._publish(client, topic, payload, retain=True, expiry=messages.SERVICE_SILENCE_SECONDS)

    def _publish(
        self, client: paho.Client, topic: str, payload: bytes, *, retain: bool, expiry: float | None
    ) -> asyncio.Future[int]:
        info = client.publish(topic, payload, qos=1, retain=retain, properties=mqtt.publish_properties(expiry))
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise HomeError("broker-unreachable")
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending[info.mid] = future
        return future

    async def _live(self) -> None:
        """One connection, from the handshake to its loss."""
        loop = asyncio.get_running_loop()
        self._session = mqtt.new_session()
        client = mqtt.new_client(
            self._broker,
            mqtt.Will(
                topics.service(self.identity),
                messages.encode(mqtt.availability(online=False, session=self._session)),
            ),
            context=self._credentials.next(),
            manual_ack=self._manual_ack,
            will_expiry=messages.SERVICE_SILENCE_SECONDS,
        )
        welcome: asyncio.Future[None] = loop.create_future()
        subscribed: asyncio.Future[None] = loop.create_future()
        lost: asyncio.Future[str] = loop.create_future()
        self._wire(client, welcome, subscribed, lost)
        self._connection = client
        await asyncio.to_thread(
            client.connect,
            self._broker.host,
            self._broker.port,
            mqtt.KEEPALIVE_SECONDS,
            clean_start=self._keep_session == 0,
            properties=mqtt.connect_properties(self._keep_session),
        )
        detach = mqtt_loop.attach(client, loop)
        try:
            async with asyncio.timeout(client.connect_timeout):
                await _first_of(welcome, lost)  # under TLS 1.3 this is also where a certificate is refused
                self._credentials.taken()
                if self._subscriptions:
                    client.subscribe([(s.topic, mqtt.subscribe_options(s)) for s in self._subscriptions])
                    await _first_of(subscribed, lost)
            self._client = client
            self.beat()
            log.info("Broker reached", extra=facts(host=self._broker.host, port=self._broker.port))
            if self._on_up is not None:
                await self._on_up()
            await self._tick_until(client, lost)
            log.warning("Broker lost", extra=facts(reason=lost.result()))
        except asyncio.CancelledError:
            await self._goodbye(client)
            raise
        finally:
            self._down(client)
            detach()

    async def _tick_until(self, client: paho.Client, lost: asyncio.Future[str]) -> None:
        loop = asyncio.get_running_loop()
        born = time.time() - loop.time()
        while not lost.done():
            await asyncio.wait({lost}, timeout=_TICK_SECONDS)
            client.loop_misc()
            if abs(time.time() - loop.time() - born) > CLOCK_STEP_SECONDS:
                raise HomeError("broker-unreachable", "the clock was set: connecting anew")
            if not lost.done() and loop.time() - self._beat_at >= messages.SERVICE_HEARTBEAT_SECONDS:
                if self._beat is not None and not self._beat.done():
                    continue  # the last one is still under way: let `_stalled` see its age
                self.beat()

    def _wire(  # noqa: C901 - five small callbacks, one place
        self,
        client: mqtt.Client,
        welcome: asyncio.Future[None],
        subscribed: asyncio.Future[None],
        lost: asyncio.Future[str],
    ) -> None:
        def on_connect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
            if not welcome.done():
                if reason.is_failure:
                    welcome.set_exception(HomeError("broker-unreachable", f"the broker refused us: {reason}"))
                else:
                    welcome.set_result(None)

        def on_subscribe(_c: Any, _u: Any, _mid: int, reasons: list[Any], _p: Any) -> None:
            refused, missing = mqtt.refused(self._subscriptions, reasons)
            if missing:
                log.warning("Broker lets us hear less than we ask for", extra=facts(topics=missing))
            if refused and not subscribed.done():
                subscribed.set_exception(HomeError("broker-unreachable", f"may not subscribe to {refused}"))
            elif not subscribed.done():
                subscribed.set_result(None)

        def on_publish(_c: Any, _u: Any, mid: int, reason: Any, _p: Any) -> None:
            future = self._pending.pop(mid, None)
            if future is not None and not future.done():
                future.set_result(reason.value)

        def on_message(_c: Any, _u: Any, message: paho.MQTTMessage) -> None:
            self._on_message(Delivery(message.topic, bytes(message.payload), message.retain, client, message.mid))

        def on_disconnect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
            if not lost.done():
                lost.set_result(client.refusal or str(reason))

        client.on_connect, client.on_subscribe, client.on_publish = on_connect, on_subscribe, on_publish
        client.on_message, client.on_disconnect = on_message, on_disconnect

    async def _goodbye(self, client: paho.Client) -> None:
        """A clean stop sends no will, so say `offline` ourselves, and give the broker a moment to hear it."""
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._publish_availability(client, online=False)
        except (TimeoutError, HomeError) as error:
            log.warning("Broker did not hear our goodbye", extra=facts(reason=error))
        client.disconnect()
        client.loop_write()

    def _down(self, client: paho.Client) -> None:
        was_up = self._client is client
        self._client = self._connection = None
        self._beat = None
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(HomeError("broker-unreachable", "the link was lost before the broker answered"))
                future.add_done_callback(_retrieve)
        if was_up and self._on_down is not None:
            self._on_down()


async def _first_of(wanted: asyncio.Future[None], lost: asyncio.Future[str]) -> None:
    waiting: set[asyncio.Future[Any]] = {wanted, lost}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if wanted.done():
        wanted.result()
    else:
        raise HomeError("broker-unreachable", f"the connection was lost: {lost.result()}")


def _retrieve(future: asyncio.Future[int]) -> None:
    if not future.cancelled():
        future.exception()
