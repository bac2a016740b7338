"""Who comes in by HTTPS, and what is said to those who cannot be understood: aiohttp's protocol behind our own door.

The door is before TLS: connections are counted and timed (`doors`) from their first moment, half-done handshakes too.
"""

import asyncio
import contextlib
import errno
import functools
import logging
import resource
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable
from typing import Any, Final, cast

from aiohttp import web

from shared.door.answering import CALLERS_OWN, TooSlowError, answer, note_request, problem_response, unread
from shared.door.arrival import ARRIVED, Arrivals
from shared.door.doors import Bounds, Doors, Stay
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

Strike = Callable[[str], Awaitable[None]]
"""Told of an address whose request could not be read; raises HomeError("rate-limited") when there were too many."""

_AT_ONCE: Final = 64
_LOOK_SECONDS: Final = 1.0
_LINGER_SECONDS: Final = 2.0
_SPARE_FILES: Final = 128
"""Descriptors that a service needs besides those of its callers: databases, logs, the broker, other services."""
_TOLD_SECONDS: Final = 60.0
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_WHY: Final = web.ResponseKey("why", HomeError)
"""Of the answer to what is no request."""


class Visit(web.RequestHandler):
    """One connection: aiohttp's own protocol, which tells `stay` how far it is, and says every error in our words."""

    def __init__(self, server: web.Server, stay: Stay, leave: Callable[[Stay], None], strike: Strike | None) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=stay.idle_seconds,
            lingering_time=_LINGER_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # as web.AppRunner takes it
        )
        self._stay = stay
        self._leave = leave
        self._strike = strike
        self._content: Any = None
        self._arrivals = Arrivals()
        self._newest_body: Any = None

    def data_received(self, data: bytes) -> None:
        """Bytes came in; none where aiohttp turns to what it kept back."""
        if data:
            in_body = self._newest_body is not None and not self._newest_body.is_eof()
            self._arrivals.hear(time.time(), in_body=in_body)
        before = self._request_count
        super().data_received(data)
        self._arrivals.complete(self._request_count - before)
        if self._messages:
            self._newest_body = self._messages[-1][1]

    def resume_reading(self, resume_parser: bool = True) -> None:
        """A body is taken. aiohttp says so of each; where it had not paused, there is nothing that it kept back."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def begin(self, request: web.BaseRequest) -> None:
        """A request's head is here, and its turn has come."""
        request[ARRIVED] = self._arrivals.next(time.time())
        self._content = request.content
        if request.content.is_eof():
            self._stay.has_asked()
        else:
            content = request.content
            self._stay.asks(time.monotonic())
            content.on_eof(lambda: self._stay.has_asked() if content is self._content else None)

    def expire(self) -> None:
        """Time is up: a request whose body is late gets its answer, everything else ends."""
        content, self._content = self._content, None
        if content is None or content.is_eof():
            self._stay.hang_up()
        else:
            self._stay.asks(time.monotonic())  # once more, for the answer
            content.set_exception(TooSlowError())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        self._stay.hang_up = cast("asyncio.Transport", transport).abort  # uvloop's is none by its class
        super().connection_made(transport)

    def connection_lost(self, error: BaseException | None) -> None:
        """It is over."""
        self._leave(self._stay)
        super().connection_lost(error)

    def pause_writing(self) -> None:
        """What we send is not taken up."""
        super().pause_writing()
        self._stay.is_full(time.monotonic())

    def resume_writing(self) -> None:
        """It is."""
        super().resume_writing()
        self._stay.takes_again()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - quotes the request
    ) -> web.StreamResponse:
        """What aiohttp could not parse, or what failed outside our own layers. Closes the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        if status == 400:
            response = web.Response()
            response[_WHY] = unread(exc)
        else:
            response = answer(exc if isinstance(exc, Exception) else HomeError("internal"))
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; one to what is no request is counted, and written down, first."""
        if _WHY in resp:
            resp = await self._refuse(request, resp[_WHY])
        done = await super().finish_response(request, resp, start_time)
        self._content = None
        self._stay.is_answered(time.monotonic())
        return done

    async def _refuse(self, request: web.BaseRequest, error: HomeError) -> web.Response:
        if self._strike is not None and request.remote is not None:
            try:
                await self._strike(request.remote)
            except HomeError as counted:
                error = counted
        note_request(user="-", address=request.remote, method="-", path="-", status=error.status, seconds=0.0)
        response = problem_response(error)
        response.force_close()
        return response

    def log_exception(self, *_quoting: Any, **kw: Any) -> None:
        """aiohttp's own words quote requests; what failed is told without. A caller's own fault has had its answer."""
        if isinstance(kw.get("exc_info"), CALLERS_OWN):
            return
        log.error("Connection failed", exc_info=kw.get("exc_info", True), extra={"quoting": False})


class Entrance:
    """The listening sockets of one service. Use `open` once; what it took in ends with the server that it serves."""

    def __init__(
        self,
        server: web.Server,
        context: ssl.SSLContext,
        *,
        bounds: Bounds,
        trusted: Container[str] = (),
        strike: Strike | None = None,
    ) -> None:
        self._server = server
        self._tls = context
        self._strike = strike
        self._doors = Doors(bounds, trusted)
        self._visits: dict[Stay, Visit] = {}
        self._greeting: set[asyncio.Task[None]] = set()
        self._told = Seldom(_TOLD_SECONDS, most=4)
        self._answer = server.request_handler
        server.request_handler = self._visited

    @contextlib.asynccontextmanager
    async def open(self, listeners: Iterable[socket.socket]) -> AsyncIterator[None]:
        """Take in whoever comes, until the block is left; the sockets are closed then."""
        loop = asyncio.get_running_loop()
        listening = list(listeners)
        looking = asyncio.create_task(self._look_round(), name="doors")
        try:
            for listener in listening:
                loop.add_reader(listener, self._accept, listener)
            yield
        finally:
            looking.cancel()
            for listener in listening:
                loop.remove_reader(listener)
                listener.close()
            for task in self._greeting:
                task.cancel()
            await asyncio.gather(looking, *self._greeting, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                made, peer = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _OUT_OF_FILES:
                    self._rest(listener, error)
                    return
                continue  # whoever it was has gone already
            made.setblocking(False)  # noqa: FBT003 - the library's own
            stay = self._doors.admit(str(peer[0]), time.monotonic(), functools.partial(_shut, made))
            if stay is None:
                made.close()
                continue
            task = asyncio.get_running_loop().create_task(self._greet(made, stay), name="greeting")
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def _greet(self, made: socket.socket, stay: Stay) -> None:
        """TLS, and then the protocol."""
        visit = Visit(self._server, stay, self._forget, self._strike)
        self._visits[stay] = visit
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: visit, made, ssl=self._tls)
        except OSError:  # TLS that failed, or was not done in time, is the caller's affair
            self._give_up(made, stay)
        except BaseException:
            self._give_up(made, stay)
            raise

    def _give_up(self, made: socket.socket, stay: Stay) -> None:
        self._forget(stay)
        made.close()

    def _forget(self, stay: Stay) -> None:
        self._doors.leave(stay)
        self._visits.pop(stay, None)

    def _rest(self, listener: socket.socket, error: OSError) -> None:
        """No descriptors are left: come back in a moment, as nothing can be accepted before."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(
            _LOOK_SECONDS, lambda: listener.fileno() >= 0 and loop.add_reader(listener, self._accept, listener)
        )
        if self._told.is_due("files", loop.time()):
            self._told.said("files", loop.time())
            log.error("No more connections can be taken", extra=facts(reason=error.strerror))

    async def _look_round(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            for stay in self._doors.overdue(now):
                if (visit := self._visits.get(stay)) is not None:
                    visit.expire()
            if self._doors.refused and self._told.is_due("refused", now):
                self._told.said("refused", now)
                log.warning("Connections were refused", extra=facts(count=self._doors.refused, open=len(self._doors)))
                self._doors.refused = 0

    async def _visited(self, request: web.BaseRequest) -> web.StreamResponse:
        """Outermost of all, around even aiohttp's own routing."""
        visit = request.protocol
        assert isinstance(visit, Visit)
        visit.begin(request)
        try:
            return await self._answer(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return answer(error)


def within_files(bounds: Bounds) -> Bounds:
    """`bounds`, and no more than this process has descriptors for; takes as many as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = bounds.in_all + _SPARE_FILES
    if soft < wanted:
        soft_wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):  # its unit may forbid it, and has said how many
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft_wanted, hard))
            soft = soft_wanted
    in_all = min(bounds.in_all, max(16, soft - _SPARE_FILES))
    return Bounds(by_address=min(bounds.by_address, in_all), in_all=in_all)


def _shut(made: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        made.shutdown(socket.SHUT_RDWR)
