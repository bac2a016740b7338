"""A service's place at the broker: connect, subscribe, say that we are there, publish with reason codes, start over.

Used by gateway, auth and alert service. Nothing is ever queued for a later connection: publishing while the
broker is away, or while the link is stalled, raises at once.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable

from shared.broker import mqtt, packets
from shared.broker.connection import Connection, Delivery
from shared.broker.link import GOODBYE_SECONDS, Link, in_time
from shared.running import backoff
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.trust import tls
from shared.trust.renewal import Credentials
from shared.words import messages, topics
from shared.words.problem import HomeError

__all__ = ["Bus", "Delivery"]
log = logging.getLogger(__name__)

STALLED_SECONDS = 2.0
"""A heartbeat that the broker has not confirmed for this long means that the link is stalled."""
STEADY_SECONDS = 10.0
"""A connection that lasts no longer counts as a failed attempt: two of one identity would throw each other out."""
CLOCK_STEP_SECONDS = 1.0
"""A hub whose clock was set by more than this starts a new life at the broker, from which agents learn it anew."""
_TICK_SECONDS = 1.0
_RESETS = (ConnectionResetError, BrokenPipeError)


class _Call:
    """What a connection promises, kept by a call: a future, and its turn on the loop, would be dearer."""

    __slots__ = ("_confirmed",)

    def __init__(self, confirmed: Callable[[int | None], None]) -> None:
        self._confirmed = confirmed

    def done(self) -> bool:
        return False  # nobody gives it up, and it is let go of once it is called

    def set_result(self, code: int, /) -> None:
        self._confirmed(code)

    def set_exception(self, _error: Exception, /) -> None:
        # In a turn of its own: one that fails takes the word from no other that was lost with it.
        asyncio.get_running_loop().call_soon(self._confirmed, None)

    def exception(self) -> None:
        return None


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
        self._connection: Connection | None = None
        self._born = False
        """Whether the broker has granted our subscriptions on this connection."""
        self._session = ""
        self._beat: asyncio.Future[int] | None = None
        self._beat_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether a command published now would go out: connected, born, and the link not stalled."""
        return self._born and self._connection is not None and self._connection.is_open and not self._stalled()

    async def run(self) -> None:
        """Keep the connection until cancelled; says goodbye on the way out."""
        attempt, wordless = 0, False
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._live()
            except (OSError, HomeError, ValueError, ConfigError) as error:
                wordless = not wordless and isinstance(error.__cause__ or error, _RESETS)
                if wordless:
                    continue  # a reset may overtake the reason for it, which the next attempt then hears
                if isinstance(error, ssl.SSLError | HomeError):  # reached, so it is about us
                    self._credentials.refused()
                reason = tls.why_refused(self._broker.tls, error, time.time())
                where = facts(host=self._broker.host, reason=reason, attempt=attempt)
                log.warning("Broker cannot be reached", extra=where)
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
        if not self._born or self._stalled():
            raise HomeError("broker-unreachable")
        return self._publish(topic, payload, retain=retain, expiry=expiry)

    def post(
        self, topic: str, payload: bytes, *, expiry: float | None, confirmed: Callable[[int | None], None]
    ) -> None:
        """As `send`, for many: `confirmed` is called with PUBACK's reason code, or None where the link was lost before.

        Raises HomeError("broker-unreachable") if nothing was sent; nothing is called then.
        """
        if not self._born or self._connection is None or self._stalled():
            raise HomeError("broker-unreachable")
        self._connection.publish(topic, payload, _Call(confirmed), retain=False, expiry=expiry)

    async def publish(self, topic: str, message: messages.Message) -> int:
        """Publish `message` as its type says and wait for PUBACK's reason code."""
        return await self.send(topic, messages.encode(message), retain=message.RETAIN, expiry=message.EXPIRY)

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that `delivery` is safe with us; nothing where its connection is gone."""
        # A kept session delivers before we are born; what is not acknowledged then fills the broker's window for good.
        if self._connection is not None and delivery.connection is self._connection:
            self._connection.acknowledge(delivery.mid)

    def beat(self) -> asyncio.Future[int] | None:
        """Say now that we are there and what our clock shows; regular heartbeats go on beside it. The broker's word."""
        if not self._born:
            return None
        beat = self._say_there(online=True)
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

    def _publish(self, topic: str, payload: bytes, *, retain: bool, expiry: float | None) -> asyncio.Future[int]:
        if self._connection is None:
            raise HomeError("broker-unreachable")
        confirmed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._connection.publish(topic, payload, confirmed, retain=retain, expiry=expiry)
        return confirmed

    def _say_there(self, *, online: bool) -> asyncio.Future[int]:
        return self._publish(
            topics.service(self.identity),
            messages.encode(mqtt.availability(online=online, session=self._session)),
            retain=True,
            expiry=messages.SERVICE_SILENCE_SECONDS,
        )

    async def _live(self) -> None:
        """One connection, from the handshake to its loss."""
        self._session = mqtt.new_session()
        link = await Link.to(self._broker, self._credentials.next(), self._on_message, manual_ack=self._manual_ack)
        self._connection = link.connection
        try:
            async with in_time():
                await self._enter(link)
            self._born = True
            self.beat()
            log.info("Broker reached", extra=facts(host=self._broker.host, port=self._broker.port))
            if self._on_up is not None:
                await self._on_up()
            await self._tick_until_lost(link)
            log.warning("Broker lost", extra=facts(reason=link.lost.result()))
        except asyncio.CancelledError:
            await self._goodbye(link)
            raise
        finally:
            self._down(link)

    async def _enter(self, link: Link) -> None:
        """Be let in, and be granted what we subscribe to."""
        await link.connect(self._first_word())  # under TLS 1.3 this is also where a certificate is refused
        self._credentials.taken()
        if self._subscriptions:
            granted: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
            link.connection.subscribe(self._subscriptions, granted)
            refused, missing = mqtt.refused(self._subscriptions, await link.unless_lost(granted))
            if missing:
                log.warning("Broker lets us hear less than we ask for", extra=facts(topics=missing))
            if refused:
                raise HomeError("broker-unreachable", f"may not subscribe to {refused}")

    def _first_word(self) -> bytes:
        will = mqtt.Will(
            topics.service(self.identity),
            messages.encode(mqtt.availability(online=False, session=self._session)),
        )
        return packets.connect(
            self.identity, will, will_expiry=messages.SERVICE_SILENCE_SECONDS, session_seconds=self._keep_session
        )

    async def _tick_until_lost(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        born = time.time() - loop.time()
        while not link.lost.done():
            await asyncio.wait({link.lost}, timeout=_TICK_SECONDS)
            link.tick()
            if abs(time.time() - loop.time() - born) > CLOCK_STEP_SECONDS:
                raise HomeError("broker-unreachable", "the clock was set: connecting anew")
            if not link.lost.done() and loop.time() - self._beat_at >= messages.SERVICE_HEARTBEAT_SECONDS:
                if self._beat is not None and not self._beat.done():
                    continue  # the last one is still under way: let `_stalled` see its age
                self.beat()

    async def _goodbye(self, link: Link) -> None:
        """A clean stop sends no will, so say `offline` ourselves, and give the broker a moment to hear it."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._say_there(online=False)
        except (TimeoutError, HomeError) as error:
            log.warning("Broker did not hear our goodbye", extra=facts(reason=error))
        link.connection.goodbye()
        await link.close()

    def _down(self, link: Link) -> None:
        was_up, self._born = self._born, False
        self._connection = self._beat = None
        link.abort()
        if was_up and self._on_down is not None:
            self._on_down()
