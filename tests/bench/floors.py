"""The two floors, taken in the same run: raw TLS MQTT echo through the same broker, and a bare HTTPS handler."""

import asyncio
import contextlib
import itertools
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import paho.mqtt.client as paho

from deploy.folder.home import Home
from deploy.live_broker import broker
from tests.bench import echo, load, paho_loop
from tests.claimed import free_port
from tests.house import end

Call = Callable[[], Awaitable[None]]


@contextlib.contextmanager
def spawned(*arguments: str) -> Iterator[int]:
    """A process of the bench, up when it says so; its pid."""
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n", arguments
        yield process.pid
    finally:
        end([process])


def admit(home: Home) -> None:
    """Give the echo's two ends certificates and rights in a home that does not run."""
    allow(home, "bench-near", (echo.PING,), (echo.PONG,))
    allow(home, "bench-far", (echo.PONG,), (echo.PING,))


def allow(home: Home, name: str, sends: Iterable[str], hears: Iterable[str]) -> None:
    """Give one process of the bench a certificate, and the right to say and to hear this, in a home that does not run.

    In one that does, the signer gives the rights, and only such as rooms and trusted clients have.
    """
    assert not broker.runs(home)
    home.authority().ensure_client(name, "client")
    wanted = [("publishClientSend", topic) for topic in sends]
    for topic in hears:
        wanted += [("subscribeLiteral", topic), ("publishClientReceive", topic)]
    acls = [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in wanted]
    broker.grant(home, {"rolename": name, "acls": acls})


async def mqtt_echo(home: Home, clients: int, seconds: float) -> load.Figures:
    """`clients` round trips at a time over one connection, quality of service 1 both ways."""
    port = home.settings.mqtt_port
    with spawned("tests.bench.echo", str(home.pki), str(port)):
        loop = asyncio.get_running_loop()
        near = echo.client(home.pki, "bench-near", port)
        waiting: dict[bytes, asyncio.Future[None]] = {}
        up: asyncio.Future[None] = loop.create_future()

        def on_message(_c: object, _u: object, message: paho.MQTTMessage) -> None:
            waiting.pop(bytes(message.payload)).set_result(None)

        def on_connect(*_: object) -> None:
            near.subscribe(echo.PONG, qos=1)

        def on_subscribe(*_: object) -> None:
            up.set_result(None)

        near.on_connect, near.on_subscribe, near.on_message = on_connect, on_subscribe, on_message
        await asyncio.to_thread(near.connect, "localhost", port)
        detach = paho_loop.attach(near, loop)
        await up
        numbers = itertools.count()

        async def make(_: int) -> Call:
            async def call() -> None:
                key = b'{"action":"on","id":"%032d"}' % next(numbers)
                future = waiting[key] = loop.create_future()
                near.publish(echo.PING, key, qos=1)
                await future

            return call

        try:
            return await load.run(clients, seconds, make)
        finally:
            near.disconnect()
            near.loop_write()
            detach()


async def bare_https(home: Home, clients: int, seconds: float, context: ssl.SSLContext) -> load.Figures:
    """`clients` connections that post a command's body to a handler that does nothing."""
    port = free_port()
    certificate, key = home.pki / "web.crt", home.pki / "web.key"
    with spawned("tests.bench.bare", str(certificate), str(key), str(port)):
        return await posting(port, context, clients, seconds, {}, lambda _: ("/", b'{"action":"on"}'))


async def posting(
    port: int,
    context: ssl.SSLContext,
    clients: int,
    seconds: float,
    headers: dict[str, str],
    what: Callable[[int], tuple[str, bytes]],
) -> load.Figures:
    """`clients` connections that post what `what(turn)` says; fails on anything but 200."""
    connections: list[load.Connection] = []

    async def make(number: int) -> Call:
        connection = load.Connection(port, context, headers)
        await connection.open()
        connections.append(connection)
        turns = itertools.count(number)

        async def call() -> None:
            status, body = await connection.post(*what(next(turns)))
            assert status == 200, body

        return call

    try:
        return await load.run(clients, seconds, make)
    finally:
        for connection in connections:
            await connection.close()


def trusting(path: Path) -> ssl.SSLContext:
    """A client context that believes one authority."""
    return ssl.create_default_context(cafile=str(path))
