"""Two whole gateways of one home, as processes: with one auth service over PostgreSQL, one Redis and one broker."""

import asyncio
import contextlib
import os
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from auth_service import config as auth_config
from auth_service.hub import accounts
from auth_service.hub.accounts import Accounts
from deploy.folder import home as homes
from deploy.pki import signers
from shared.words.names import Role
from tests import warm
from tests.claimed import free_port
from tests.demo import CODE, text_of
from tests.house import DEADLINE, Broker, SmtpSink, come_up, end, listens, until
from tests.integration.gateway_parts import PASSWORD, ScriptedRoom, Visitor
from tests.integration.redis_parts import Redis
from tests.integration.signer_parts import Signer, connected

MASTER = "ada@example.org"
WRONG_HEARD = 5
"""Wrong passwords of an account in an hour, from strangers; fewer than usual, so that a test need not type fifty."""
ROUNDS = ("bcrypt_rounds = 12", "bcrypt_rounds = 10")
"""As cheap as the configuration lets it be: nothing here is about bcrypt's cost."""


class Gate:
    """One of the two, as visitors reach it."""

    def __init__(self, url: str, trusted: ssl.SSLContext) -> None:
        self.url = url
        self.trusted = trusted


class Person(Visitor):
    """Somebody at one of the gateways, who may go over to the other with what their browser holds."""

    def __init__(self, town: "TwoGateways", gate: Gate, address: str) -> None:
        super().__init__(gate, address=address)
        self.town = town
        self.address = address

    async def ask_code(self, email: str, password: str = PASSWORD) -> str:
        """Step 1: the code of the letter."""
        await self.fetch_token()
        before = len([letter for letter in self.town.sink.letters if email in str(letter["To"])])
        status, body, _ = await self.post("/api/v1/login/code", {"email": email, "password": password})
        assert status == 202, body
        letters = await asyncio.to_thread(self.town.sink.wait_for, before + 1, to=email)
        found = CODE.search(text_of(letters[before]))
        assert found is not None
        return found[1]

    async def enter(self, email: str, code: str, password: str = PASSWORD) -> int:
        """Step 2; its status."""
        status, body, _ = await self.post("/api/v1/login", {"email": email, "password": password, "code": code})
        if status == 200:
            self.csrf = body["csrf_token"]
        return status

    async def over(self, gate: Gate) -> "Person":
        """The same browser at the other gateway: of cookies the host alone counts, no port."""
        there = await self.town.person(gate, self.address)
        there.http.cookie_jar.update_cookies({one.key: one.value for one in self.http.cookie_jar})
        there.csrf = self.csrf
        return there

    async def page(self, path: str = "/") -> tuple[int, str]:
        """How a page answers a browser, and where it sends it."""
        status, _, response = await self.get(path, headers={"Accept": "text/html"})
        return status, response.headers.get("Location", "")


class TwoGateways:
    """The whole; an async context manager of its own loop's visitors, around processes that outlive it."""

    def __init__(self, broker: Broker, cluster: str, redis: Redis) -> None:
        self.home = home = broker.home
        self.sink = SmtpSink(home.settings.smtp_port)
        self.redis = redis
        self.room = ScriptedRoom(broker)
        self.signer = Signer(home)
        homes.lay_out(home)
        database = cluster + "two_gateways"
        asyncio.run(_create(cluster, "two_gateways"))
        auth = home.config("auth")
        written = re.sub(r'(?m)^database = ".*"$', f'database = "{database}"', auth.read_text())
        auth.write_text(written.replace(*ROUNDS))
        self.auth = auth_config.read(auth)
        trusted = ssl.create_default_context(cafile=str(home.pki / "web-ca.crt"))
        ports = {"gateway": home.settings.https_port, "gateway-2": free_port()}
        self.gates = tuple(Gate(f"https://localhost:{port}", trusted) for port in ports.values())
        first = home.config("gateway").read_text() + f'\n[counts]\nredis = "{redis.url}"\n'
        assert first.count('wrong_passwords = "50/hour"') == 1
        first = first.replace('wrong_passwords = "50/hour"', f'wrong_passwords = "{WRONG_HEARD}/hour"')
        home.config("gateway").write_text(first)
        second = first.replace(f"port = {ports['gateway']}", f"port = {ports['gateway-2']}")
        for of_its_own in ('identity = "gateway"', "pki/gateway.crt", "pki/gateway.key", "gateway-spool"):
            assert second.count(of_its_own) == 1
            second = second.replace(of_its_own, of_its_own.replace("gateway", "gateway-2"))
        (home.var / "log-2").mkdir()
        second = second.replace(f'log_dir = "{home.var}/log"', f'log_dir = "{home.var}/log-2"')
        home.config("gateway-2").write_text(second)
        self._ports = ports
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stack = contextlib.AsyncExitStack()
        self._addresses = (f"127.{net}.{host}.1" for net in range(1, 250) for host in range(1, 250))

    def start(self) -> None:
        """Everything, one after the other; each is waited for."""
        self.sink.start()
        asyncio.run(self._found())
        self.signer.start()
        self._run("auth_service", "auth", self.auth.listen.port)
        until(lambda: connected(self.signer), "the signer has reached the broker")
        for name, port in self._ports.items():
            self._run("gateway", name, port)
        self.room.start()
        asyncio.run(self._both_hear())

    def stop(self) -> None:
        """All of it."""
        self.room.vanish()
        end(self._processes)
        self.signer.stop()
        self.sink.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def person(self, gate: Gate, address: str | None = None) -> Person:
        """Somebody at the door, from an address and a network of their own, by which limits count."""
        made = Person(self, gate, address or next(self._addresses))
        self._stack.push_async_callback(made.http.close)
        return made

    async def signed_in(self, email: str, gate: Gate, password: str = PASSWORD) -> Person:
        """Both steps."""
        made = await self.person(gate)
        code = await made.ask_code(email, password)
        assert await made.enter(email, code, password) == 200
        return made

    async def told(self, key: str, count: int) -> None:
        """Wait until Redis knows of so many."""
        async with asyncio.timeout(DEADLINE):
            while await asyncio.to_thread(self.redis.counted, key) < count:  # noqa: ASYNC110 - nobody is told of it
                await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def book(self) -> AsyncIterator[Accounts]:
        """As `homesystem user` opens the accounts, beside the service that runs."""
        async with accounts.opened(self.auth) as book:
            yield book

    async def user(self, email: str, role: Role = Role.MEMBER) -> str:
        """A new one; their id."""
        async with self.book() as book:
            return (await book.create_user(email=email, name=email.partition("@")[0], password=PASSWORD, role=role)).id

    async def _found(self) -> None:
        async with accounts.opened(self.auth, founding=True) as book:
            await book.create_user(email=MASTER, name="Ada Lovelace", password=PASSWORD, role=Role.MASTER)
            await book.enrol_identity("hall", "room")

    async def _both_hear(self) -> None:
        """Wait until both show the room, which says it anew until they do: they then hear as well what ends."""
        async with self:
            ada = await self.signed_in(MASTER, self.gates[0])
            for gate in self.gates:
                there = await ada.over(gate)
                async with asyncio.timeout(DEADLINE):
                    while (await there.get("/api/v1/devices/hall/lamp"))[1].get("available") is not True:
                        self.room.announce()
                        await asyncio.sleep(0.1)  # nobody is told of it: who asks finds it

    def _run(self, module: str, name: str, port: int) -> None:
        command = [sys.executable, "-m", module, "--config", str(self.home.config(name))]
        environment = os.environ | {"HOMESYSTEM_SIGNER": str(signers.socket(self.home.var, demo=True))}
        log = self.home.var / "log" / f"{name}.console"
        with log.open("ab") as file:
            made = warm.Popen(command, stderr=file, env=environment)
        self._processes.append(made)
        come_up(made, lambda: listens(port), f"{name} listens", said=log.read_text)


async def _create(cluster: str, name: str) -> None:
    engine = create_async_engine(cluster + "postgres", isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()


@contextlib.contextmanager
def begun(broker: Broker, cluster: str, folder: Path) -> Iterator[TwoGateways]:
    """Both, with a Redis of their own that keeps its files there; ended afterwards."""
    redis = Redis(folder)
    redis.start()
    made = TwoGateways(broker, cluster, redis)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        redis.close()
