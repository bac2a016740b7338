"""Carries one connection's bytes over TLS on the asyncio loop, uvloop as well: what is said in one turn goes together.

What comes is taken some at a time, so that a flood of messages leaves turns to others.
"""

import asyncio
import contextlib
import logging
import select
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, Self, TypeVar, cast

from shared.broker import packets
from shared.broker.connection import Connection, Delivery, LinkError
from shared.broker.mqtt import KEEPALIVE_SECONDS, BrokerConfig
from shared.words.problem import HomeError

T = TypeVar("T")
log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
PACKETS_A_TURN = 64
"""So many of the broker's words are taken before others have their turn."""
GOODBYE_SECONDS = 1.0
CONFIRM_SECONDS = 0.005
"""So long a confirmation waits for something to go with: each write is a TLS record, and a turn of the broker's."""


@contextlib.asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """What is awaited in here takes no longer than reaching a broker may. Raises TimeoutError."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            yield
    except TimeoutError:
        raise TimeoutError(f"no answer within {CONNECT_SECONDS:.0f} s") from None


class Link(asyncio.Protocol):
    """The loop's end of one connection. `lost` gets the words why, once it is."""

    def __init__(self, heard: Callable[[Delivery], None], *, manual_ack: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.connection = Connection(
            heard=heard,
            wake=self._flush_soon,
            wake_later=self._flush_later,
            manual_ack=manual_ack,
            keepalive=KEEPALIVE_SECONDS,
            now=self._loop.time(),
        )
        self._transport: asyncio.Transport | None = None
        self._gone = asyncio.Event()
        self._last_words: str | None = None
        """Why the transport ended; what came before is still to be taken."""
        self._broken: Exception | None = None
        """What broke the transport, where it did not just end."""
        self._later: asyncio.TimerHandle | None = None
        self._held_back = False
        self._behind = False
        """More came than one turn takes; nothing is read meanwhile."""

    @classmethod
    async def to(
        cls,
        broker: BrokerConfig,
        context: ssl.SSLContext,
        heard: Callable[[Delivery], None],
        *,
        manual_ack: bool,
    ) -> Self:
        """One to the broker, TLS and all, before any word of MQTT. Raises OSError."""
        link = cls(heard, manual_ack=manual_ack)
        async with in_time():
            await link._loop.create_connection(
                lambda: link, broker.host, broker.port, ssl=context, ssl_shutdown_timeout=GOODBYE_SECONDS
            )
        return link

    async def connect(self, first_word: bytes) -> None:
        """Say our first word, and wait to be let in. Raises HomeError("broker-unreachable") with the reason."""
        welcome: asyncio.Future[None] = self._loop.create_future()
        self.pause_writing()
        self.connection.connect(first_word, welcome)
        await self._hear_first()
        self.resume_writing()
        await self.unless_lost(welcome)

    async def unless_lost(self, wanted: asyncio.Future[T]) -> T:
        """What the broker answers. Raises HomeError("broker-unreachable"), and why, where the link ends before."""
        waiting: set[asyncio.Future[Any]] = {wanted, self.lost}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self.lost.done():
            raise HomeError("broker-unreachable", self.lost.result()) from self._broken
        return wanted.result()

    async def _hear_first(self) -> None:
        """Let the loop read what is there already, before anything is sent.

        Under TLS 1.3 that may be a refusal, with a reset behind it: whoever writes then is told of the reset alone.
        """
        assert self._transport is not None
        there = select.poll()
        there.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        while not self.lost.done() and there.poll(0):  # noqa: ASYNC110 - it is the loop that reads
            await asyncio.sleep(0)

    def tick(self) -> None:
        """To be called every second or so: notices a broker that does not answer."""
        try:
            self.connection.tick(self._loop.time())
        except LinkError as error:
            self._end(error)

    async def close(self) -> None:
        """Hang up; what was just said still goes out, where the other side takes it within a second."""
        self._flush()
        if self._transport is not None:
            self._transport.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._gone.wait()
        self.abort()

    def abort(self) -> None:
        """Hang up at once, if nobody did yet; whatever is under way will not be confirmed."""
        self.connection.close()
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hands were shaken. Under TLS 1.3 the broker has not looked at our certificate yet."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        # Nagle's buffer at one end holds a command back for 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self.connection.feed(data, self._loop.time())
        if not self._behind:
            self._take()

    def pause_writing(self) -> None:
        """The network takes no more for now: what is to be sent waits in the connection, which bounds it."""
        self._held_back = True

    def resume_writing(self) -> None:
        """It does again."""
        self._held_back = False
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over. What came before that is still taken: it may say why."""
        self._gone.set()
        self._broken = exc
        self._last_words = str(exc or "the broker hung up")
        if not self._behind:
            self._end(LinkError(self._last_words))

    # --- what comes ---

    def _take(self) -> None:
        try:
            for _ in range(PACKETS_A_TURN):
                if self.lost.done() or not self._step():
                    self._caught_up()
                    return
        except LinkError as error:
            self._end(error)
            return
        self._fall_behind()

    def _step(self) -> bool:
        try:
            return self.connection.step()
        except LinkError:
            raise
        except Exception:  # a fault of whoever hears it, which costs nobody else the connection
            log.exception("Message could not be taken")
            return True

    def _fall_behind(self) -> None:
        if not self._behind:
            self._behind = True
            if self._transport is not None and not self._transport.is_closing():
                self._transport.pause_reading()
        self._loop.call_soon(self._take)

    def _caught_up(self) -> None:
        if not self._behind:
            return
        self._behind = False
        if self._last_words is not None:
            self._end(LinkError(self._last_words))
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # --- what goes ---

    def _flush_soon(self) -> None:
        self._loop.call_soon(self._flush)

    def _flush_later(self) -> None:
        self._later = self._loop.call_later(CONFIRM_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._held_back or self._transport is None or self._transport.is_closing():
            return
        if together := self.connection.outgoing(self._loop.time()):
            self._transport.write(together)

    # --- the end ---

    def _end(self, error: LinkError) -> None:
        if self.lost.done():
            return
        self.lost.set_result(str(error))
        self._flush()
        self.connection.close()
        if self._transport is not None and not self._transport.is_closing():
            if error.fault is not None:
                self._transport.write(packets.farewell(error.fault))
            self._transport.close()
