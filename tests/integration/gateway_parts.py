"""Around the real gateway: a room that answers as it is told, and small auth and alert services over mutual TLS."""

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import msgspec
import paho.mqtt.client as paho
from aiohttp import web

from deploy.folder import home as homes
from gateway.app import Gateway
from gateway.config import GatewayConfig, load_config
from gateway.pages.routes import add_pages
from shared.broker import mqtt, paho_client
from shared.door.web import allow, internal_app, json_response, read_json, serve_https
from shared.trust import tls
from shared.words import internal, internal_grants, messages, topics
from shared.words.internal import (
    LoginAnswer,
    LoginRequest,
    RegisteredRoom,
    Registry,
    RoomSeen,
    SessionInfo,
    SessionToken,
)
from shared.words.internal_alerts import AuditHead, AuditPage, AuditQuery, AuditRecord, ChainStatus
from shared.words.messages import Acknowledgement, Availability, Command, State
from shared.words.names import Outcome
from shared.words.problem import HomeError
from tests.house import DEADLINE, Broker
from tests.unit.gateway.parts import DEVICES, HALL, HALL_ENTRY, NOW, registered, state, with_lockout

PASSWORD = "violet engine of numbers"
CODE = "ABCD-EFGH"


class ScriptedRoom:
    """The room `hall` on its own connection: announces itself, keeps what it hears, answers what it is told to."""

    def __init__(self, broker: Broker) -> None:
        self._config = broker.config("hall")
        self.heard: list[Command] = []
        self.issuers: list[str] = []
        self.hub_heard_first: list[bool] = []
        self._hub_heard = False
        self.answer: Callable[[str, Command], Acknowledgement | None] = self.executed
        self._changed = threading.Condition()
        self._client: paho.Client | None = None
        self.session = ""

    def start(self) -> None:
        """Connect and announce."""
        self.session = mqtt.new_session()
        gone = Availability(status="offline", at=NOW, session=self.session)
        will = mqtt.Will(topics.availability("hall"), messages.encode(gone))
        client = self._client = paho_client.new_client(self._config, will)
        ready = threading.Event()
        wanted = [
            (topics.commands_for("hall"), paho_client.subscribe_options(mqtt.Subscription("", live_only=True))),
            (topics.ALL_SYSTEM, paho_client.subscribe_options(mqtt.Subscription(""))),
        ]

        def on_connect(*_: object) -> None:
            client.subscribe(wanted)

        def on_subscribe(*_: object) -> None:
            ready.set()

        client.on_connect, client.on_subscribe = on_connect, on_subscribe
        client.on_message = self._hear
        client.connect(self._config.host, self._config.port, properties=paho_client.connect_properties(0))
        client.loop_start()
        assert ready.wait(DEADLINE)
        self.announce()

    def announce(self) -> None:
        """Description, states, then online: as an agent does at its birth."""
        self.publish(topics.description("hall"), HALL)
        for device in DEVICES:
            self.publish(topics.state("hall", device.id), state("locked" if device.id == "front-door" else "off"))
        self.publish(topics.availability("hall"), Availability(status="online", at=NOW, session=self.session))

    def publish(self, topic: str, message: messages.Message) -> None:
        """Say something."""
        assert self._client is not None
        self._client.publish(topic, messages.encode(message), qos=1, retain=message.RETAIN)

    def executed(self, device: str, command: Command) -> Acknowledgement:
        """Do it: state, then acknowledgement."""
        assert command.id is not None
        values = {"lock": "locked", "unlock": "unlocked"}
        self.publish(topics.state("hall", device), state(values.get(command.action, command.action)))
        return Acknowledgement(id=command.id, outcome=Outcome.EXECUTED, at=NOW)

    def vanish(self) -> None:
        """Lose the connection without a goodbye: the broker sends the will."""
        client, self._client = self._client, None
        if client is not None:
            sock = client.socket()
            if isinstance(sock, socket.socket):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            client.loop_stop()

    def wait_for(self, count: int) -> None:
        """Wait until so many commands were heard."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.heard) >= count, DEADLINE)

    def _hear(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        topic = topics.parse(message.topic)
        assert topic is not None
        if topic.kind is topics.TopicKind.SERVICE:
            if topic.who == "gateway" and not message.retain:
                self._hub_heard = True
            return
        if topic.kind is not topics.TopicKind.SET:
            return
        command = messages.decode(Command, bytes(message.payload))
        with self._changed:
            self.heard.append(command)
            self.issuers.append(topic.who)
            self.hub_heard_first.append(self._hub_heard)
            answer = self.answer(topic.device, command)  # as it is to be when whoever waits for this goes on
            self._changed.notify_all()
        if answer is not None:
            self.publish(topics.acknowledgement("hall", topic.device), answer)


class FakeAuthService:
    """Knows users by e-mail and sessions by token; every call needs the gateway's certificate."""

    def __init__(self, home: homes.Home) -> None:
        self._home = home
        self.people: dict[str, SessionInfo] = {}
        self.sessions: dict[str, SessionInfo] = {}
        self.codes: set[tuple[str, str]] = set()
        self.callers: list[str] = []
        self.asked: list[internal.LoginCodeRequest] = []
        self.rooms: dict[str, RegisteredRoom] = {}
        self.enrolled = {"hall"}
        self.ended: list[str] = []
        self.locked_out: set[str] = set()
        self.lockouts: list[tuple[str, internal.LockoutChange]] = []
        self.granted: list[internal_grants.GrantsChange] = []
        self.lockdown = internal.LockdownState()
        self.lockdowns: list[internal.LockdownChange] = []
        self.verified = 0
        self.free = asyncio.Event()
        """Cleared, the service is frozen."""
        self.free.set()
        self._server: contextlib.AbstractAsyncContextManager[None] | None = None

    async def start(self) -> None:
        """Listen."""
        app = internal_app()
        for method, path, handler in (
            ("POST", internal.LOGIN_CODE, self._code),
            ("POST", internal.LOGIN, self._login),
            ("POST", internal.SESSION, self._session),
            ("POST", internal.SESSION_END, self._end),
            ("GET", internal.READY, self._ready),
            ("GET", internal.REGISTRY, self._registry),
            ("PUT", internal.ROOM_SEEN + "/{room}", self._seen),
            ("PUT", internal.DEVICE + "/{room}/{device}/lockout", self._lockout),
            ("POST", internal.LOCKDOWN_CODE, self._lockdown_code),
            ("PUT", internal.LOCKDOWN, self._lockdown),
            ("GET", internal.USERS, self._users),
            ("PUT", internal_grants.GRANTS, self._grants),
        ):
            app.router.add_route(method, path, allow("gateway")(handler))
        context = tls.server_context(server_identity(self._home, "auth-server"))
        self._server = serve_https(app, "127.0.0.1", self._home.settings.auth_port, context)
        await self._server.__aenter__()

    async def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.__aexit__(None, None, None)

    async def _ready(self, _request: web.Request) -> web.Response:
        await self.free.wait()
        return json_response({"status": "ready"})

    async def _code(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal.LoginCodeRequest)
        self.callers.append(asked.address)
        self.asked.append(asked)
        if asked.email in self.people and asked.password == PASSWORD:
            self.codes.add((asked.email, asked.browser))
        return web.Response(status=202)

    async def _login(self, request: web.Request) -> web.Response:
        asked = await read_json(request, LoginRequest)
        fits = asked.password == PASSWORD and asked.code == CODE and (asked.email, asked.browser) in self.codes
        if not fits:
            raise HomeError("sign-in-failed")
        token = f"token-{len(self.sessions)}-{asked.email}"
        self.sessions[token] = self.people[asked.email]
        return json_response(LoginAnswer(token=token, session=self.people[asked.email]))

    async def _session(self, request: web.Request) -> web.Response:
        self.verified += 1
        token = (await read_json(request, SessionToken)).token
        if token not in self.sessions:
            raise HomeError("sign-in-required")
        return json_response(self.sessions[token])

    async def _end(self, request: web.Request) -> web.Response:
        token = (await read_json(request, SessionToken)).token
        self.ended.append(token)
        self.sessions.pop(token, None)
        return web.Response(status=204)

    async def _registry(self, _request: web.Request) -> web.Response:
        return json_response(Registry(rooms=tuple(self.rooms.values()), lockdown=self.lockdown))

    async def _seen(self, request: web.Request) -> web.Response:
        room = request.match_info["room"]
        seen = await read_json(request, RoomSeen)
        if room not in self.enrolled:
            raise HomeError("not-found")
        devices = tuple(registered(d, locked_out=f"{room}/{d.id}" in self.locked_out) for d in seen.devices)
        self.rooms[room] = RegisteredRoom(id=room, name=seen.name, devices=devices)
        return json_response(self.rooms[room])

    async def _lockout(self, request: web.Request) -> web.Response:
        room, device = request.match_info["room"], request.match_info["device"]
        wanted = await read_json(request, internal.LockoutChange)
        self.lockouts.append((f"{room}/{device}", wanted))
        return json_response(self.lock_out(room, device, locked_out=wanted.locked_out))

    async def _lockdown_code(self, request: web.Request) -> web.Response:
        self.codes.add(("lockdown", (await read_json(request, internal.LockdownCodeRequest)).token))
        return web.Response(status=202)

    async def _lockdown(self, request: web.Request) -> web.Response:
        wanted = await read_json(request, internal.LockdownChange)
        self.lockdowns.append(wanted)
        if ("lockdown", wanted.token) not in self.codes or wanted.code != CODE:
            raise HomeError("confirmation-failed")
        if wanted.active:
            self.sessions.clear()
        self.lockdown = internal.LockdownState(active=wanted.active, at=datetime.now(UTC))
        return json_response(self.lockdown)

    async def _users(self, _request: web.Request) -> web.Response:
        return json_response(internal.UserRows(users=tuple(map(row_of, self.people.values()))))

    async def _grants(self, request: web.Request) -> web.Response:
        wanted = await read_json(request, internal_grants.GrantsChange)
        self.granted.append(wanted)
        return json_response(row_of(self.grant(request.match_info["user"], *wanted.grants)))

    def grant(self, user_id: str, *grants: internal.Grant) -> SessionInfo:
        """What another gateway had changed, or ours."""

        def changed(found: dict[str, SessionInfo]) -> dict[str, SessionInfo]:
            return {
                key: msgspec.structs.replace(info, grants=grants) if info.user.id == user_id else info
                for key, info in found.items()
            }

        self.people, self.sessions = changed(self.people), changed(self.sessions)
        return next(info for info in self.people.values() if info.user.id == user_id)

    def lock_out(self, room: str, device: str, *, locked_out: bool) -> RegisteredRoom:
        """What another gateway had changed, or ours."""
        (self.locked_out.add if locked_out else self.locked_out.discard)(f"{room}/{device}")
        self.rooms[room] = with_lockout(self.rooms[room], device, locked_out=locked_out)
        return self.rooms[room]


class FakeAlertService:
    """Answers the history from `events`, keeps what it was asked, and tells of news when the test does."""

    def __init__(self, home: homes.Home) -> None:
        self._home = home
        self.queries: list[AuditQuery] = []
        self.when_asked: Callable[[], object] = lambda: None
        self.events: tuple[AuditRecord, ...] = ()
        self.chain = ChainStatus(row=0, hash="")
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen."""
        app = internal_app()
        app.router.add_post(internal.AUDIT, allow("gateway")(self._audit))
        app.router.add_get(internal.HEAD, allow("gateway")(self._head))
        app.router.add_get(internal.AUDIT_CHAIN, allow("gateway")(self._chain))
        context = tls.server_context(server_identity(self._home, "alerts-server"))
        async with serve_https(app, "127.0.0.1", self._home.settings.alerts_port, context):
            yield

    async def record(self, *events: AuditRecord) -> None:
        """Newest first."""
        async with self._changed:
            self.events = (*events, *self.events)
            self._changed.notify_all()

    @property
    def row(self) -> int:
        """The newest."""
        return self.events[0].row if self.events else 0

    async def _audit(self, request: web.Request) -> web.Response:
        query = await read_json(request, AuditQuery)
        self.queries.append(query)
        self.when_asked()
        older = [one for one in self.events if query.after is None or one.row < int(query.after)]
        page = tuple(older[: query.limit])
        more = str(page[-1].row) if len(older) > query.limit else None
        return json_response(AuditPage(events=page, next=more, head=self.row))

    async def _head(self, request: web.Request) -> web.Response:
        async with self._changed:
            await self._changed.wait_for(lambda: self.row > int(request.query["after"]))
        return json_response(AuditHead(row=self.row))

    async def _chain(self, _request: web.Request) -> web.Response:
        return json_response(self.chain)


class Reached(Protocol):
    """A gateway, and by which authority it is known."""

    url: str
    trusted: ssl.SSLContext


class Visitor:
    """A browser or a program at the gateway, with cookies, token and origin."""

    def __init__(self, house: Reached, *, url: str | None = None, address: str = "127.0.0.1") -> None:
        """`url` where it is not the gateway itself that is called, `address` where it is called from."""
        self.url = url or house.url
        self.csrf = ""
        self.http = aiohttp.ClientSession(
            base_url=self.url,
            connector=aiohttp.TCPConnector(ssl=house.trusted, local_addr=(address, 0)),
            cookie_jar=aiohttp.CookieJar(),
            timeout=aiohttp.ClientTimeout(total=DEADLINE),
        )

    async def get(self, path: str, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Status, JSON body (or text) and the response."""
        return await self._call("GET", path, **more)

    async def post(self, path: str, body: object = None, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """As a page of ours would post."""
        headers = {"X-CSRF-Token": self.csrf, "Origin": self.url} | more.pop("headers", {})
        if "data" not in more:
            more["json"] = body if body is not None else {}
        return await self._call("POST", path, headers={k: v for k, v in headers.items() if v}, **more)

    async def put(self, path: str, body: object, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """As a program would."""
        headers = {"X-CSRF-Token": self.csrf, "Origin": self.url} | more.pop("headers", {})
        return await self._call("PUT", path, json=body, headers=headers)

    async def delete(self, path: str) -> tuple[int, Any, aiohttp.ClientResponse]:
        """As a program would."""
        return await self._call("DELETE", path, headers={"X-CSRF-Token": self.csrf, "Origin": self.url})

    async def fetch_token(self) -> str:
        """GET /api/v1/csrf."""
        _, body, _ = await self.get("/api/v1/csrf")
        self.csrf = body["csrf_token"]
        return self.csrf

    async def sign_in(self, email: str) -> None:
        """Both steps."""
        await self.fetch_token()
        status, body, _ = await self.post("/api/v1/login/code", {"email": email, "password": PASSWORD})
        assert status == 202, body
        status, body, _ = await self.post("/api/v1/login", {"email": email, "password": PASSWORD, "code": CODE})
        assert status == 200, body
        self.csrf = body["csrf_token"]

    async def lock_out(
        self, device: str, *, locked_out: object = True, **more: Any
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Have a device of the hall locked out, or that lifted."""
        return await self.put(f"/api/v1/devices/hall/{device}/lockout", {"locked_out": locked_out}, **more)

    async def command(self, device: str, action: str, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Ask a device of the hall."""
        return await self.post(f"/api/v1/devices/hall/{device}/commands", {"action": action, **more})

    async def _call(self, method: str, path: str, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        async with self.http.request(method, path, allow_redirects=False, **more) as response:
            is_json = response.content_type.endswith("json")  # one document, not lines of them
            content = await response.read()
            return response.status, await response.json(content_type=None) if is_json and content else content, response


class GatewayHouse:
    """A running gateway between a real broker, a scripted room and small services; an async context manager."""

    def __init__(self, broker: Broker, *, edit: Callable[[str], str] = lambda text: text) -> None:
        self.home = broker.home
        self.room = ScriptedRoom(broker)
        self.auth = FakeAuthService(self.home)
        self.alerts = FakeAlertService(self.home)
        self.url = f"https://localhost:{self.home.settings.https_port}"
        self.trusted = ssl.create_default_context(cafile=str(self.home.pki / "web-ca.crt"))
        path = self.home.config("gateway")
        path.unlink(missing_ok=True)
        homes.lay_out(self.home)
        path.write_text(edit(path.read_text()))
        self.config: GatewayConfig = load_config(path)
        self.gateway = Gateway(self.config, add_pages=add_pages)
        self._stack = contextlib.AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.auth.start()
        self._stack.push_async_callback(self.auth.stop)
        await self._stack.enter_async_context(self.alerts.running())
        self.room.start()
        self._stack.callback(self.room.vanish)
        self._task = asyncio.create_task(self.gateway.run(), name="gateway")
        await self.until(lambda: self.gateway.bus.connected, "the gateway is connected")
        self.room.announce()
        await self.until(lambda: self.gateway.home.state("hall", "lamp") is not None, "the room is online")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        await self._stack.aclose()

    async def stop(self) -> None:
        """Stop the gateway as a signal does."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def visitor(
        self, info: SessionInfo | None = None, *, url: str | None = None, address: str = "127.0.0.1"
    ) -> Visitor:
        """Somebody at the door; signed in where told who."""
        visitor = Visitor(self, url=url, address=address)
        self._stack.push_async_callback(visitor.http.close)
        if info is not None:
            self.auth.people[info.user.email] = info
            await visitor.sign_in(info.user.email)
        return visitor

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Look again and again until `condition` holds: for what sends no event."""
        loop = asyncio.get_running_loop()
        end = loop.time() + DEADLINE
        pause = asyncio.Event()
        while not condition():
            assert self._task is None or not self._task.done(), f"the gateway ended: {self._task}"
            assert loop.time() < end, f"never happened: {what}"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pause.wait(), 0.01)


def row_of(info: SessionInfo) -> internal.UserRow:
    """A user in the master user's list."""
    return internal.UserRow(user=info.user, grants=info.grants, created_at=NOW, signed_in_at=NOW)


def server_identity(home: homes.Home, name: str) -> tls.Identity:
    """The server certificate of an internal service."""
    return tls.Identity(
        ca=home.pki / "device-ca.crt", certificate=home.pki / f"{name}.crt", key=home.pki / f"{name}.key"
    )


__all__ = ["CODE", "HALL_ENTRY", "PASSWORD", "GatewayHouse", "ScriptedRoom", "State", "Visitor"]


async def stream_events(
    visitor: Visitor, path: str = "/api/v1/events"
) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """The named events of one stream, until it ends."""
    async with visitor.http.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        name = ""
        async for line in response.content:
            text = line.decode().rstrip("\r\n")
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                yield name, json.loads(text.removeprefix("data: "))


async def next_event(events: AsyncIterator[tuple[str, dict[str, Any]]], name: str) -> dict[str, Any]:
    """The next event of that name."""
    async with asyncio.timeout(DEADLINE):
        async for found, body in events:
            if found == name:
                return body
    raise AssertionError(f"the stream ended before {name}")
