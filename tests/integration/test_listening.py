"""Listening on both families: who calls over IPv4 is seen as such, and a taken address is named."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from shared.broker import mqtt
from shared.broker.bus import Bus, Delivery
from shared.door.listening import Hosts
from shared.door.web import serve_https
from shared.running.config import ConfigError
from shared.trust import tls
from tests import brokers, house
from tests.claimed import free_port
from tests.house import DEADLINE, Broker


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def identity(pki: Path, name: str) -> tls.Identity:
    return tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")


@contextlib.asynccontextmanager
async def serving(pki: Path, hosts: Hosts, port: int) -> AsyncIterator[None]:
    async def seen(request: web.Request) -> web.Response:
        return web.Response(text=request.remote)

    app = web.Application()
    app.router.add_get("/", seen)
    async with serve_https(app, hosts, port, tls.server_context(identity(pki, "auth-server"))):
        yield


async def seen_from(pki: Path, host: str, port: int) -> str:
    context = tls.client_context(identity(pki, "gateway"))
    async with aiohttp.ClientSession() as session, session.get(f"https://{host}:{port}/", ssl=context) as response:
        return await response.text()


@needs_ipv6
@pytest.mark.parametrize("hosts", ["::", ("127.0.0.1", "::1")])
async def test_each_family_is_served_and_seen_under_its_own_address(pki: Path, hosts: Hosts) -> None:
    port = free_port()
    async with serving(pki, hosts, port):
        assert await seen_from(pki, "127.0.0.1", port) == "127.0.0.1"
        assert await seen_from(pki, "[::1]", port) == "::1"


async def test_a_port_that_is_taken_on_one_of_several_addresses_is_named(pki: Path) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", port))
        taken.listen()
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.2 cannot be taken"):
            async with serving(pki, ("127.0.0.1", "127.0.0.2"), port):
                pass
    async with serving(pki, "127.0.0.1", port):  # the other one was given back
        assert await seen_from(pki, "127.0.0.1", port) == "127.0.0.1"


@pytest.fixture(params=["::", ("::1",)], ids=["everywhere", "one, and the hub's own"])
def hosts(request: pytest.FixtureRequest) -> Hosts:
    given: Hosts = request.param
    return given


@pytest.fixture(params=[brokers.INSTALLED, *brokers.SUITES])
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pki: Path, hosts: Hosts
) -> Iterator[Broker]:
    release = brokers.find(request.param)
    if release is None:
        pytest.skip(f"Mosquitto of {request.param} is not here: python -m tests.brokers {request.param}")
    home = house.make_home(tmp_path_factory.mktemp("home"), host=hosts)
    house.share_pki(home, pki)
    made = Broker(home, release)
    made.start()
    yield made
    made.stop()


@needs_ipv6
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_broker_is_reached_over_both_families(broker: Broker, host: str) -> None:
    up = asyncio.Event()

    async def on_up() -> None:
        up.set()

    def ignore(_: Delivery) -> None:
        pass

    config = mqtt.BrokerConfig(identity="gateway", tls=broker.identity("gateway"), host=host, port=broker.port)
    bus = Bus(config, subscriptions=(), on_message=ignore, on_up=on_up)
    task = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await up.wait()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
