"""Servers and the clients among them under certificates that change: new handshakes see the new, no request is lost."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from deploy.pki.pairs import Pki
from shared.door.client import AuthAddress, ServiceClient
from shared.door.web import allow, caller, internal_app, json_response, serve_https
from shared.trust import renewal, tls
from shared.words.problem import HomeError
from tests.claimed import free_port

HOSTS = ["localhost", "127.0.0.1"]


class Who(msgspec.Struct):
    name: str


async def tell(request: web.Request) -> web.StreamResponse:
    return json_response(Who(name=caller(request) or ""))


class House:
    """An internal server and a gateway that calls it, on certificates that may be replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.renew()

    def renew(self) -> None:
        """New pairs, whatever is due."""
        authority = Pki(self.folder, vault=self.folder / "ca", demo=True, now=dt.datetime.now(dt.UTC))
        authority.ensure_authorities(HOSTS)
        for name in ("auth-server", "gateway", "web"):
            (self.folder / f"{name}.crt").unlink(missing_ok=True)
        authority.ensure_server("auth-server", "auth", "service", HOSTS)
        authority.ensure_client("gateway", "service")
        authority.ensure_web(HOSTS)

    def files(self, name: str) -> tls.Identity:
        at = self.folder
        return tls.Identity(ca=at / "device-ca.crt", certificate=at / f"{name}.crt", key=at / f"{name}.key")

    def client(self) -> ServiceClient:
        return ServiceClient(AuthAddress(port=self.port), self.files("gateway"), absent="auth-unreachable")

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = internal_app()
        app.router.add_get("/who", allow("gateway")(tell))
        async with serve_https(app, "127.0.0.1", self.port, renewal.server_context(self.files("auth-server"))):
            yield

    def shown(self, *, identity: bool = True) -> int:
        """The serial number of the certificate that a new handshake gets."""
        context = tls.client_context(self.files("gateway")) if identity else ssl.create_default_context()
        if not identity:
            context.load_verify_locations(self.folder / "web-ca.crt")
        return serial(context, self.port)


def serial(context: ssl.SSLContext, port: int) -> int:
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        found = sock.getpeercert()
        assert found is not None
        return int(str(found["serialNumber"]), 16)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_calls_go_on_while_the_pairs_at_both_ends_are_replaced_a_file_at_a_time(house: House) -> None:
    """Both ends, in every state that a renewal passes through, and with a pair that stays unfit for a while."""
    names = ("auth-server", "gateway")
    async with house.serving(), house.client() as client:
        serials = {await asyncio.to_thread(house.shown)}
        for round_ in range(1, 4):
            old = {path: path.read_bytes() for name in names for path in house.folder.glob(f"{name}.*")}
            house.renew()
            new = {path: path.read_bytes() for path in old}
            for path, content in old.items():
                path.write_bytes(content)
            for path in sorted(new, reverse=bool(round_ % 2)):  # the key first, or the certificate
                path.write_bytes(new[path])
                assert await client.call("GET", "/who", Who) == Who(name="gateway")
                async with house.client() if fits(house) else contextlib.nullcontext(client) as another:
                    assert await another.call("GET", "/who", Who) == Who(name="gateway")
            serials.add(await asyncio.to_thread(house.shown))
        assert len(serials) == 4


def fits(house: House) -> bool:
    """Whether a client that starts now could use what lies there."""
    with contextlib.suppress(tls.UnfitPairError):
        tls.client_context(house.files("gateway"))
        return True
    return False


async def test_a_request_under_way_is_answered_under_the_old_certificate(house: House) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        entered.set()
        await go.wait()
        return json_response(Who(name="patience"))

    app = internal_app()
    app.router.add_get("/hang", hang)
    context = renewal.server_context(house.files("auth-server"))
    async with serve_https(app, "127.0.0.1", house.port, context), house.client() as client:
        call = asyncio.create_task(client.call("GET", "/hang", Who))
        await entered.wait()
        before = await asyncio.to_thread(house.shown)
        house.renew()
        assert await asyncio.to_thread(house.shown) != before
        go.set()
        assert await call == Who(name="patience")


async def test_an_authority_that_was_replaced_is_not_believed_any_more(house: House, tmp_path: Path) -> None:
    async with house.serving():
        async with house.client() as client:
            assert await client.call("GET", "/who", Who) == Who(name="gateway")
        old = tmp_path / "old"
        old.mkdir()
        for name in ("device-ca.crt", "gateway.crt", "gateway.key"):
            (old / name).write_bytes((house.folder / name).read_bytes())
        for path in (*house.folder.glob("device-ca.crt"), *(house.folder / "ca").glob("device-ca.*")):
            path.unlink()
        house.renew()
        async with house.client() as client:
            assert await client.call("GET", "/who", Who) == Who(name="gateway")
        former = tls.Identity(
            ca=house.folder / "device-ca.crt", certificate=old / "gateway.crt", key=old / "gateway.key"
        )
        async with ServiceClient(AuthAddress(port=house.port), former, absent="auth-unreachable") as client:
            with pytest.raises(HomeError):
                await client.call("GET", "/who", Who)


async def test_browsers_see_the_renewed_certificate_with_their_next_connection(house: House) -> None:
    app = web.Application()
    files = house.folder / "web.crt", house.folder / "web.key"
    async with serve_https(app, "127.0.0.1", house.port, renewal.web_context(*files)):
        before = await asyncio.to_thread(house.shown, identity=False)
        house.renew()
        assert await asyncio.to_thread(house.shown, identity=False) != before
