"""The door of every HTTPS port, from raw bytes up: what cannot be read, what comes too slowly, and too many at once."""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from shared.door import doors
from shared.door.doors import Bounds
from shared.door.web import internal_app, json_response, read_json, serve_https
from shared.running.log import Formatter
from shared.trust import tls
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.claimed import free_port
from tests.house import DEADLINE, Broker, until
from tests.integration.gateway_parts import GatewayHouse, stream_events
from tests.unit.gateway.parts import session

CANARY = "CaNaRy-7f3a"
MANY = 5000


class Body(msgspec.Struct):
    number: int


async def take(request: web.Request) -> web.StreamResponse:
    return json_response(await read_json(request, Body))


async def give_much(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 20_000_000)


class Site:
    """A small service behind the door, and raw connections to it."""

    def __init__(self, pki: Path) -> None:
        self._pki = pki
        self.port = free_port()
        self.app = internal_app()
        self.app.router.add_post("/take", take)
        self.app.router.add_get("/much", give_much)
        self.strikes: list[str] = []
        self.most_strikes = 1000

    def files(self, name: str) -> tls.Identity:
        pki = self._pki
        return tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")

    async def strike(self, address: str) -> None:
        self.strikes.append(address)
        if len(self.strikes) > self.most_strikes:
            raise HomeError("rate-limited", retry_after=9)

    async def open(self, address: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = tls.client_context(self.files("gateway"))
        return await asyncio.open_connection(
            "localhost", self.port, ssl=context, local_addr=(address, 0), family=socket.AF_INET
        )

    async def say(self, sent: bytes) -> bytes:
        """Everything that is answered until the other side hangs up."""
        reader, writer = await self.open()
        writer.write(sent)
        try:
            async with asyncio.timeout(DEADLINE):
                return await reader.read()
        finally:
            writer.transport.abort()


@pytest.fixture
async def site(pki: Path) -> AsyncIterator[Site]:
    made = Site(pki)
    context = tls.server_context(made.files("auth-server"))
    bounds = Bounds(by_address=8, in_all=16)
    async with serve_https(made.app, "127.0.0.1", made.port, context, bounds=bounds, strike=made.strike):
        yield made


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line as our own formatter writes it."""
    caplog.set_level(logging.DEBUG)
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(Formatter().format(record))

    keeper = Keeper()
    logging.getLogger().addHandler(keeper)
    yield lines
    logging.getLogger().removeHandler(keeper)


# --- what cannot be read ------------------------------------------------------------------------------------------

CLOSE = b"Host: localhost\r\nConnection: close\r\n"
UNREADABLE = {
    "no HTTP": b"%s\r\n\r\n" % CANARY.encode(),
    "no method": b"G@T /%s HTTP/1.1\r\n\r\n" % CANARY.encode(),
    "no version": b"GET /%s HTTP/9.x\r\n\r\n" % CANARY.encode(),
    "a broken header": b"GET / HTTP/1.1\r\nHost: localhost\r\n%s\xff\x01: x\r\n\r\n" % CANARY.encode(),
    "a long line": b"GET /" + CANARY.encode() * 2000 + b" HTTP/1.1\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n"
    + b"".join(b"X-%d: %s\r\n" % (n, CANARY.encode()) for n in range(500))
    + b"\r\n",
    "two lengths": b"POST /take HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n%s" % CANARY.encode(),
    "no length": b"POST /take HTTP/1.1\r\nContent-Length: -%s\r\n\r\n" % CANARY.encode(),
    "length and chunks": b"POST /take HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_what_is_no_request_is_a_problem_counted_and_not_quoted(
    site: Site, written: list[str], what: str
) -> None:
    answer = await site.say(UNREADABLE[what])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.")
    assert b" 400 " in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert msgspec.json.decode(body)["type"] == "/problems/bad-request"
    assert CANARY not in answer.decode()
    assert site.strikes == ["127.0.0.1"]
    assert [line for line in written if CANARY in line or "Traceback" in line] == []
    assert any("Request user=- address=127.0.0.1 method=- path=- status=400" in line for line in written)


async def test_who_cannot_be_read_too_often_is_told_to_wait(site: Site) -> None:
    site.most_strikes = 2
    answers = [await site.say(UNREADABLE["no HTTP"]) for _ in range(3)]
    assert [answer.split()[1] for answer in answers] == [b"400", b"400", b"429"]
    assert b"Retry-After: 9" in answers[2]


ODD = {
    "gzip that is none": (b"Content-Encoding: gzip\r\nContent-Length: 11\r\n", CANARY.encode(), 400),
    "deflate that is none": (b"Content-Encoding: deflate\r\nContent-Length: 11\r\n", CANARY.encode(), 400),
    "an encoding nobody knows": (
        b"Content-Encoding: %s\r\nContent-Length: 11\r\n" % CANARY.encode(),
        b"not-json-at",
        415,
    ),
    "chunks that are none": (b"Transfer-Encoding: chunked\r\n", b"zz%s\r\n" % CANARY.encode(), 400),
    "a cookie that is no text": (b"Cookie: a=\xff\xfe%s\r\nContent-Length: 2\r\n" % CANARY.encode(), b"{}", 422),
    "an expectation": (b"Expect: %s\r\nContent-Length: 2\r\n" % CANARY.encode(), b"{}", 417),
}


@pytest.mark.parametrize("what", ODD)
async def test_odd_bytes_are_a_problem_and_never_ours(site: Site, written: list[str], what: str) -> None:
    headers, body, status = ODD[what]
    sent = b"POST /take HTTP/1.1\r\nContent-Type: application/json\r\n" + CLOSE + headers + b"\r\n" + body
    answer = await site.say(sent)
    assert answer.split()[1] == str(status).encode(), answer
    assert b"application/problem+json" in answer
    assert [line for line in written if CANARY in line] == []


# --- what comes too slowly ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"GET /much HTTP/1.1\r\nHost: loc", b"GET /much"])
async def test_a_head_that_does_not_come_ends(site: Site, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(doors, "HEAD_SECONDS", 0.2)
    assert await site.say(sent) == b""


async def test_a_handshake_that_does_not_come_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(b"\x16\x03\x01\x02\x00\x01")
    async with asyncio.timeout(DEADLINE):
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("framing", [b"Content-Length: 13\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
async def test_a_body_that_does_not_come_is_told_and_ends(
    site: Site, monkeypatch: pytest.MonkeyPatch, written: list[str], framing: bytes
) -> None:
    monkeypatch.setattr(doors, "BODY_SECONDS", 0.2)
    answer = await site.say(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + framing)
    assert answer.split()[1] == b"408", answer
    assert msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])["type"] == "/problems/too-slow"
    assert [line for line in written if "ERROR" in line] == []


async def test_a_connection_that_nobody_uses_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "IDLE_SECONDS", 0.2)
    answer = await site.say(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.split()[1] == b"404"


async def test_an_answer_that_nobody_takes_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "TAKE_SECONDS", 0.2)
    reader, writer = await site.open()
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a transport for both directions
    writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
    places = [await site.open() for _ in range(7)]  # ours is the eighth of this address
    await until_free(site, 1)
    writer.transport.abort()
    for _, one in places:
        one.transport.abort()
    del reader


async def until_free(site: Site, count: int) -> None:
    """Wait until so many more fit in, though those before them wait for nothing."""
    for _ in range(count):
        while True:
            try:
                _, writer = await site.open()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.transport.abort()
                break


# --- too many at once ---------------------------------------------------------------------------------------------


def files_for(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        if hard not in (-1, resource.RLIM_INFINITY) and hard < count:
            pytest.skip(f"needs {count} open files, and may have {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


class Flood:
    """Connections from one address that say a little and then nothing, held as long as the block lasts."""

    def __init__(self, address: str, port: int) -> None:
        self._address = address
        self._port = port
        self._held: list[socket.socket] = []

    def __enter__(self) -> "Flood":
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._held:
            one.close()

    def open(self, count: int) -> None:
        """From a thread, as a stranger is."""
        for number in range(count):
            one = socket.socket()
            one.bind((self._address, 0))
            one.settimeout(DEADLINE)
            one.connect(("127.0.0.1", self._port))
            with contextlib.suppress(OSError):  # ended already
                if number % 2:
                    one.send(b"\x16\x03\x01\x02\x00\x01\x00")  # TLS that begins, and goes no further
            one.settimeout(0)
            self._held.append(one)

    def cut(self) -> int:
        """How many of them the other side has ended."""
        ended = 0
        for one in self._held:
            try:
                ended += one.recv(1) == b""
            except BlockingIOError:
                continue
            except OSError:
                ended += 1
        return ended


async def test_five_thousand_slow_connections_of_one_address_keep_nobody_else_out(broker: Broker) -> None:
    files_for(MANY * 2)
    async with GatewayHouse(broker) as house:
        ada = await house.visitor(session(Role.MEMBER))
        events = stream_events(ada)
        assert (await anext(events))[0]
        settings = house.home.settings
        with Flood("127.0.0.66", settings.https_port) as flood, Flood("127.0.0.66", settings.auth_port) as inner:
            await asyncio.to_thread(flood.open, MANY)
            await asyncio.to_thread(inner.open, 500)
            assert (await ada.command("lamp", "on"))[0] == 200
            assert (await ada.get("/readyz"))[0] == 200
            eve = await house.visitor(session(Role.GUEST), address="127.0.0.3")
            assert (await eve.get("/api/v1/me"))[0] == 200
            async with asyncio.timeout(DEADLINE):
                while (await anext(events))[0] != "state":
                    pass
            most = Bounds().by_address
            await asyncio.to_thread(until, lambda: flood.cut() >= MANY - most, "the rest is turned away")
            await asyncio.to_thread(until, lambda: inner.cut() >= 500 - most, "by the auth service, too")


async def test_tls_that_is_done_and_says_no_more_is_slow_as_well(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "PATIENCE_SECONDS", 1e9)
    held = [await site.open("127.0.0.66") for _ in range(8)]
    for _, writer in held:
        writer.write(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    with pytest.raises(OSError, match=r".*"):
        await site.open("127.0.0.66")
    answer = await site.say(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] == b"404"
    for _, writer in held:
        writer.transport.abort()
