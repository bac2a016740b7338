"""The auth service as it runs: its own process, mutual TLS, a real broker, a real mail server, a real database."""

import asyncio
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from auth_service import config as auth_config
from auth_service.config import AuthConfig
from auth_service.hub import accounts
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.pki import signers
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from shared.door.client import AuthAddress, ServiceClient
from shared.proof.spool import Spool
from shared.trust import tls
from shared.words import internal, internal_grants, internal_recipients, messages, topics
from shared.words.internal import (
    LockoutChange,
    LoginAnswer,
    LoginCodeRequest,
    LoginRequest,
    RoomSeen,
    SessionInfo,
    SessionToken,
)
from shared.words.internal_rehearsal import SIGN_IN_REHEARSAL, SignInRehearsal
from shared.words.messages import AuditEvent, DeviceDescription, Lockouts, Receipt, ReceiptLine, Revoked
from shared.words.names import Action, Kind, Role, Severity
from shared.words.problem import HomeError
from tests import warm
from tests.begun import begin_accounts
from tests.house import DEADLINE, Broker, SmtpSink, come_up, end, listens, until
from tests.integration.signer_parts import Signer, connected

EMAIL, PASSWORD = "ada@example.org", "violet engine of numbers"
NONE = type(None)


class Service:
    """The auth service of one home; may be killed and started again."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.sink = SmtpSink(home.settings.smtp_port)
        path = home.config("auth")
        homes.lay_out(home)
        # As cheap as the configuration lets it be: nothing here is about bcrypt's cost.
        path.write_text(path.read_text().replace("bcrypt_rounds = 12", "bcrypt_rounds = 10"))
        self.config: AuthConfig = auth_config.read(path)
        begin_accounts(home)
        self.signer = {"HOMESYSTEM_SIGNER": str(signers.socket(home.var, demo=True))}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Start it and wait until its port is taken."""
        command = [sys.executable, "-m", "auth_service", "--config", str(self.home.config("auth"))]
        with (self.home.var / "log" / "auth.err").open("ab") as err:
            self.process = warm.Popen(command, stderr=err, env=os.environ | self.signer | environment)
        come_up(self.process, lambda: listens(self.config.listen.port), "the auth service listens", said=self.log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)

    def client(self, name: str) -> ServiceClient:
        """Calls with the certificate of `name`."""
        return ServiceClient(
            AuthAddress(port=self.config.listen.port), self.identity(name), absent="auth-unreachable", seconds=DEADLINE
        )

    def identity(self, name: str) -> tls.Identity:
        """The files of one identity."""
        pki = self.home.pki
        return tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")

    def log(self) -> str:
        """Everything it logged."""
        return "".join(path.read_text() for path in (self.home.var / "log").glob("auth*"))


@pytest.fixture(scope="module")
def service(home: Home, broker: Broker) -> Iterator[Service]:
    """A running auth service with one master user, one guest and two enrolled rooms."""
    made = Service(home)

    async def found() -> None:
        async with accounts.opened(made.config) as book:
            await book.create_user(email=EMAIL, name="Ada Lovelace", password=PASSWORD, role=Role.MASTER)
            await book.create_user(
                email="guest@example.org",
                name="Guest",
                password=PASSWORD,
                role=Role.GUEST,
                grants=(internal.Grant(room="hall", device="lamp"),),
            )
            for room in ("hall", "kitchen"):
                await book.enrol_identity(room, "room")

    asyncio.run(found())
    made.sink.start()
    signer = Signer(home)
    signer.start()
    made.start()
    until(lambda: connected(signer), "the signer has reached the broker")
    yield made
    if made.process is not None:
        end([made.process])
    signer.stop()
    made.sink.stop()


@pytest.fixture
async def gateway(service: Service) -> AsyncIterator[ServiceClient]:
    """Calls as the gateway makes them."""
    async with service.client("gateway") as client:
        yield client


class Ear:
    """What an identity hears on the broker; may be waited for."""

    def __init__(self, broker: Broker, name: str, *filters: str) -> None:
        self.heard: list[Delivery] = []
        self._came = asyncio.Condition()
        self.up = asyncio.Event()
        self.bus = Bus(
            broker.config(name),
            subscriptions=tuple(Subscription(topic) for topic in filters),
            on_message=self._take,
            on_up=self._on_up,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def wait_for(self, condition: Callable[[Delivery], bool]) -> Delivery:
        """The first delivery that fits."""

        def fitting() -> Delivery | None:
            return next((delivery for delivery in self.heard if condition(delivery)), None)

        async with asyncio.timeout(DEADLINE), self._came:
            await self._came.wait_for(lambda: fitting() is not None)
        found = fitting()
        assert found is not None
        return found

    def _take(self, delivery: Delivery) -> None:
        self.heard.append(delivery)
        task = asyncio.ensure_future(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()

    async def _on_up(self) -> None:
        self.up.set()


async def listening(broker: Broker, name: str, *filters: str) -> AsyncIterator[Ear]:
    """An ear on a live connection."""
    ear = Ear(broker, name, *filters)
    task = asyncio.create_task(ear.bus.run())
    async with asyncio.timeout(DEADLINE):
        await ear.up.wait()
    yield ear
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture
async def gateway_ear(broker: Broker) -> AsyncIterator[Ear]:
    """What gateways hear of ended sessions."""
    async for ear in listening(broker, "gateway", topics.REVOKED):
        yield ear


@pytest.fixture
async def alerts_ear(broker: Broker) -> AsyncIterator[Ear]:
    """What the alert service hears from auth."""
    async for ear in listening(broker, "alerts", topics.audit("auth")):
        yield ear


async def ask(
    service: Service, gateway: ServiceClient, email: str = EMAIL, password: str = PASSWORD, browser: str = "b1"
) -> None:
    """Step 1."""
    request = LoginCodeRequest(email=email, password=password, browser=browser, address="192.0.2.7")
    await gateway.call("POST", internal.LOGIN_CODE, NONE, request)


async def letter(service: Service, count: int, to: str = EMAIL) -> str:
    """The code in the letter with that number."""
    letters = await asyncio.to_thread(service.sink.wait_for, count, to=to)
    body = letters[count - 1].get_body(("plain",))
    assert body is not None
    (code,) = [line for line in body.get_content().splitlines() if len(line) == 9 and line[4] == "-"]
    return str(code)


async def enter(gateway: ServiceClient, code: str, email: str = EMAIL, password: str = PASSWORD) -> LoginAnswer:
    """Step 2."""
    request = LoginRequest(
        email=email, password=password, code=code, browser="b1", address="192.0.2.7", agent="Firefox"
    )
    return await gateway.call("POST", internal.LOGIN, LoginAnswer, request)


async def sign_in(service: Service, gateway: ServiceClient, email: str = EMAIL) -> LoginAnswer:
    """Both steps."""
    before = len([x for x in service.sink.letters if email in str(x["To"])])
    await ask(service, gateway, email)
    return await enter(gateway, await letter(service, before + 1, email), email)


async def verify(gateway: ServiceClient, token: str) -> SessionInfo:
    """Ask whether a session lives."""
    return await gateway.call("POST", internal.SESSION, SessionInfo, SessionToken(token=token))


async def test_mailed_code_signs_in(service: Service, gateway: ServiceClient) -> None:
    answer = await sign_in(service, gateway)
    assert answer.session.user.role is Role.MASTER
    assert (await verify(gateway, answer.token)).id == answer.session.id


async def test_guest_comes_with_the_grants(service: Service, gateway: ServiceClient) -> None:
    answer = await sign_in(service, gateway, "guest@example.org")
    assert [(grant.room, grant.device) for grant in answer.session.grants] == [("hall", "lamp")]


async def test_failures_are_alike_to_the_letter(service: Service, gateway: ServiceClient) -> None:
    said = set()
    for email, password in ((EMAIL, PASSWORD), (EMAIL, "wrong password"), ("nobody@example.org", PASSWORD)):
        with pytest.raises(HomeError) as refusal:
            await enter(gateway, "AAAA-2222", email, password)
        said.add((refusal.value.slug, refusal.value.detail, str(refusal.value.facts)))
    assert len(said) == 1
    assert said.pop()[0] == "sign-in-failed"


async def test_what_is_said_of_the_mail_is_the_mail_servers_own_answer(
    service: Service, gateway: ServiceClient
) -> None:
    async def told() -> str:
        return (await gateway.call("GET", internal.MAIL_PATH, internal.MailPath)).mail

    assert await told() == "works"
    await asyncio.to_thread(service.sink.stop)
    try:
        async with asyncio.timeout(DEADLINE):
            while await told() != "away":  # noqa: ASYNC110 - nobody is told of it: pages ask, as this does
                await asyncio.sleep(0.2)
    finally:
        await asyncio.to_thread(service.sink.start)


async def test_no_certificate_no_connection(service: Service) -> None:
    context = ssl.create_default_context(cafile=service.home.pki / "device-ca.crt")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"https://localhost:{service.config.listen.port}/internal/ready", ssl=context)


@pytest.mark.parametrize("name", ["hall", "phone", "broker", "auth"])
async def test_certificate_of_our_authority_is_not_enough(service: Service, name: str) -> None:
    async with service.client(name) as client:
        for method, path in (
            ("POST", internal.LOGIN_CODE),
            ("POST", internal.LOGIN),
            ("POST", internal.SESSION),
            ("POST", internal.SESSION_END),
            ("GET", internal.SESSIONS),
            ("DELETE", internal.SESSIONS + "/x"),
            ("GET", internal.USERS),
            ("PUT", internal_grants.GRANTS.format(user="x")),
            ("GET", internal.REGISTRY),
            ("PUT", internal.ROOM_SEEN + "/hall"),
            ("PUT", internal.DEVICE + "/hall/lamp/lockout"),
            ("POST", internal.LOCKDOWN_CODE),
            ("PUT", internal.LOCKDOWN),
            ("GET", internal_recipients.RECIPIENTS),
            ("GET", internal_recipients.ERASURES),
            ("DELETE", internal_recipients.ERASED.format(user="x")),
            ("GET", SIGN_IN_REHEARSAL),
            ("GET", internal.MAIL_PATH),
            ("GET", "/internal/ready"),
        ):
            with pytest.raises(HomeError) as refusal:
                await client.call(method, path, NONE)
            # The broker's certificate is for a server, and does not even get through the handshake.
            assert refusal.value.slug == ("auth-unreachable" if name == "broker" else "forbidden"), path


async def test_each_service_may_call_its_own_routes_only(service: Service, gateway: ServiceClient) -> None:
    async with service.client("alerts") as alerts:
        recipients = await alerts.call("GET", internal_recipients.RECIPIENTS, internal_recipients.Recipients)
        assert [one.email for one in recipients.people if one.master] == [EMAIL]
        with pytest.raises(HomeError, match="forbidden"):
            await alerts.call("GET", internal.USERS, internal.UserRows)
        erased = await alerts.call("GET", internal_recipients.ERASURES, internal_recipients.Erasures)
        assert erased.people == ()
        await alerts.call("DELETE", internal_recipients.ERASED.format(user="x"), NONE)  # done already
    for path in (internal_recipients.RECIPIENTS, internal_recipients.ERASURES, SIGN_IN_REHEARSAL):
        with pytest.raises(HomeError, match="forbidden"):
            await gateway.call("GET", path, internal_recipients.Recipients)
    with pytest.raises(HomeError, match="forbidden"):
        await gateway.call("DELETE", internal_recipients.ERASED.format(user="x"), NONE)
    async with service.client("admin") as admin:
        told = await admin.call("GET", SIGN_IN_REHEARSAL, SignInRehearsal)
    assert told == SignInRehearsal()
    async with service.client("gateway-2") as second:
        users = await second.call("GET", internal.USERS, internal.UserRows)
    assert {row.user.email for row in users.users} == {EMAIL, "guest@example.org"}


@pytest.mark.parametrize(
    ("method", "path", "body", "slug"),
    [
        ("POST", internal.LOGIN, b"{}", "invalid-value"),
        ("POST", internal.LOGIN, b"not json", "malformed"),
        ("POST", internal.LOGIN, b'{"x": "' + b"x" * 70000 + b'"}', "too-large"),
        ("GET", "/internal/nothing", b"", "not-found"),
        ("GET", internal.LOGIN, b"", "method-not-allowed"),
        ("GET", internal.SESSIONS, b"", "bad-request"),
    ],
)
async def test_bad_input_gets_its_problem(service: Service, method: str, path: str, body: bytes, slug: str) -> None:
    context = tls.client_context(service.identity("gateway"))
    url = f"https://localhost:{service.config.listen.port}{path}"
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=body, headers=headers, ssl=context) as response,
    ):
        assert response.content_type == "application/problem+json"
        assert str((await response.json(content_type=None))["type"]).endswith(slug)


async def test_room_describes_itself_through_a_gateway_and_may_speak_of_that_alone(
    service: Service, gateway: ServiceClient, broker: Broker
) -> None:
    door = DeviceDescription(
        id="front-door",
        name="Front door",
        kind=Kind.LOCK,
        critical=True,
        confirm=True,
        actions=(Action.LOCK, Action.UNLOCK),
        safe_actions=(Action.LOCK,),
    )
    seen = RoomSeen(name="Entrance", devices=(door,))
    room = await gateway.call("PUT", internal.ROOM_SEEN + "/hall", internal.RegisteredRoom, seen)
    assert [(device.id, device.critical) for device in room.devices] == [("front-door", True)]
    assert "Not authorized" not in broker.publish("hall", "-t", "home/hall/front-door/state", "-m", "x").stderr
    for invented in ("home/hall/invented/state", "home/hall/invented/ack", "home/hall/invented/event"):
        assert "Not authorized" in broker.publish("hall", "-r", "-t", invented, "-m", "x").stderr
    known = await gateway.call("GET", internal.REGISTRY, internal.Registry)
    assert [(registered.id, registered.name) for registered in known.rooms] == [
        ("hall", "Entrance"),
        ("kitchen", "Kitchen"),
    ]
    with pytest.raises(HomeError, match="not-found"):
        await gateway.call("PUT", internal.ROOM_SEEN + "/attic", internal.RegisteredRoom, seen)


async def lock_out(gateway: ServiceClient, user_id: str, *, locked_out: bool) -> internal.RegisteredRoom:
    """Lock the kitchen's kettle out, or lift that, as a gateway asks for it."""
    wanted = LockoutChange(locked_out=locked_out, by=user_id, address="192.0.2.7")
    path = internal.DEVICE + "/kitchen/kettle/lockout"
    return await gateway.call("PUT", path, internal.RegisteredRoom, wanted)


def lists(*devices: str) -> Callable[[Delivery], bool]:
    """Whether a delivery is the list of exactly these."""
    return lambda delivery: messages.decode(Lockouts, delivery.payload).devices == devices


async def test_lock_out_is_told_to_every_room_and_kept_by_the_broker(
    service: Service, gateway: ServiceClient, broker: Broker, alerts_ear: Ear
) -> None:
    kettle = DeviceDescription(
        id="kettle",
        name="Kettle",
        kind=Kind.SWITCH,
        critical=False,
        confirm=False,
        actions=(Action.ON, Action.OFF),
        safe_actions=(Action.OFF,),
    )
    seen = RoomSeen(name="Kitchen", devices=(kettle,))
    await gateway.call("PUT", internal.ROOM_SEEN + "/kitchen", internal.RegisteredRoom, seen)
    users = (await gateway.call("GET", internal.USERS, internal.UserRows)).users
    ids = {row.user.role: row.user.id for row in users}
    async for room in listening(broker, "hall", topics.LOCKOUTS):
        await room.wait_for(lists())
        with pytest.raises(HomeError, match="forbidden"):
            await lock_out(gateway, ids[Role.GUEST], locked_out=True)
        answer = await lock_out(gateway, ids[Role.MASTER], locked_out=True)
        assert [device.locked_out for device in answer.devices] == [True]
        heard = await room.wait_for(lists("kitchen/kettle"))
        assert not heard.retained, "it comes by itself"
    told = await alerts_ear.wait_for(lambda d: b"device:locked-out" in d.payload)
    event = messages.decode(AuditEvent, told.payload)
    assert (event.where, event.severity, event.who.issuer, event.who.address) == (
        "kitchen/kettle",
        Severity.CRITICAL,
        "gateway",
        "192.0.2.7",
    )

    # A broker that lost all that it kept is told again, and so is whoever comes later.
    broker.kill()
    (service.home.mosquitto / "mosquitto.db").unlink(missing_ok=True)
    broker.start()
    async for room in listening(broker, "kitchen", topics.LOCKOUTS):
        await room.wait_for(lists("kitchen/kettle"))
    async for room in listening(broker, "garage", topics.LOCKOUTS):
        assert (await room.wait_for(lists("kitchen/kettle"))).retained
        await lock_out(gateway, ids[Role.MASTER], locked_out=False)
        await room.wait_for(lists())


async def test_ended_session_is_dead_and_every_gateway_hears_it(
    service: Service, gateway: ServiceClient, gateway_ear: Ear
) -> None:
    answer = await sign_in(service, gateway)
    await gateway.call("POST", internal.SESSION_END, NONE, SessionToken(token=answer.token))
    with pytest.raises(HomeError, match="sign-in-required"):
        await verify(gateway, answer.token)
    await gateway_ear.wait_for(lambda d: answer.session.id in messages.decode(Revoked, d.payload).sessions)


async def test_session_is_listed_and_ended_by_its_public_id(
    service: Service, gateway: ServiceClient, gateway_ear: Ear
) -> None:
    answer = await sign_in(service, gateway)
    user = answer.session.user.id
    rows = await gateway.call("GET", internal.SESSIONS, internal.SessionRows, query={"user": user})
    assert answer.session.id in [row.id for row in rows.sessions]
    path = f"{internal.SESSIONS}/{answer.session.id}"
    with pytest.raises(HomeError, match="not-found"):
        await gateway.call("DELETE", path, NONE, query={"user": "another", "by": "another", "address": ""})
    await gateway.call("DELETE", path, NONE, query={"user": user, "by": user, "address": "192.0.2.7"})
    await gateway_ear.wait_for(lambda d: answer.session.id in messages.decode(Revoked, d.payload).sessions)
    with pytest.raises(HomeError, match="sign-in-required"):
        await verify(gateway, answer.token)


async def test_user_disabled_by_the_command_is_out_and_gateways_hear_it(
    service: Service, gateway: ServiceClient, gateway_ear: Ear
) -> None:
    async with accounts.opened(service.config) as book:
        await book.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MEMBER)
        answer = await sign_in(service, gateway, "b@example.org")
        await book.disable_user("b@example.org")
    with pytest.raises(HomeError, match="sign-in-required"):
        await verify(gateway, answer.token)
    await gateway_ear.wait_for(lambda d: answer.session.id in messages.decode(Revoked, d.payload).sessions)


async def test_changed_grants_are_the_next_word_on_a_session_and_every_gateway_hears_it(
    service: Service, gateway: ServiceClient, gateway_ear: Ear, alerts_ear: Ear
) -> None:
    async with accounts.opened(service.config) as book:
        await book.create_user(
            email="c@example.org",
            name="Grace",
            password=PASSWORD,
            role=Role.GUEST,
            grants=(internal.Grant(room="hall", device="lamp"),),
        )
    answer = await sign_in(service, gateway, "c@example.org")
    assert len(answer.session.grants) == 1
    guest = answer.session.user.id
    master = next(
        row.user.id
        for row in (await gateway.call("GET", internal.USERS, internal.UserRows)).users
        if row.user.role is Role.MASTER
    )
    path = internal_grants.GRANTS.format(user=guest)
    wanted = internal_grants.GrantsChange(grants=(), by=master, address="192.0.2.7")
    row = await gateway.call("PUT", path, internal.UserRow, wanted)
    assert row.grants == (await verify(gateway, answer.token)).grants == ()
    await gateway_ear.wait_for(lambda d: guest in messages.decode(Revoked, d.payload).users)
    told = await alerts_ear.wait_for(lambda d: b"account:grants-changed" in d.payload)
    event = messages.decode(AuditEvent, told.payload)
    assert (event.where, event.who.user and event.who.user.id, event.detail["grants"]) == (f"user/{guest}", master, "0")
    again = msgspec.structs.replace(wanted, grants=(internal.Grant(room="attic", device="lamp"),))
    with pytest.raises(HomeError, match="There is no room attic"):
        await gateway.call("PUT", path, internal.UserRow, again)


async def test_events_reach_the_alert_service_and_end_with_its_receipt(
    service: Service, gateway: ServiceClient, alerts_ear: Ear
) -> None:
    answer = await sign_in(service, gateway)

    def started(delivery: Delivery) -> bool:
        return messages.decode(AuditEvent, delivery.payload).where == f"session/{answer.session.id}"

    event = messages.decode(AuditEvent, (await alerts_ear.wait_for(started)).payload)
    assert (event.what, event.who.issuer) == ("session:started", "gateway")
    assert event.seq > 0
    made = await alerts_ear.wait_for(lambda d: b"account:created" in d.payload)
    assert messages.decode(AuditEvent, made.payload).who.issuer == "admin"

    spool = Spool(service.config.spool)
    pending = spool.pending(1000)
    lines = tuple(ReceiptLine(id=one.id, row=one.seq, hash="0") for one in pending)
    await alerts_ear.bus.publish(topics.receipt("auth"), Receipt(events=lines))
    await asyncio.to_thread(until, lambda: spool.count_pending() == 0, "the spool is empty")
    spool.close()


async def test_ended_sessions_wait_for_a_broker_that_is_away(
    service: Service, gateway: ServiceClient, broker: Broker
) -> None:
    answer = await sign_in(service, gateway)
    broker.kill()
    try:
        await gateway.call("POST", internal.SESSION_END, NONE, SessionToken(token=answer.token))
        with pytest.raises(HomeError, match="sign-in-required"):
            await verify(gateway, answer.token)
    finally:
        broker.start()
    async for ear in listening(broker, "gateway", topics.REVOKED):
        await ear.wait_for(lambda d: answer.session.id in messages.decode(Revoked, d.payload).sessions)


async def test_mail_server_that_is_away_neither_fails_nor_slows_step_one(
    service: Service, gateway: ServiceClient
) -> None:
    before = len([x for x in service.sink.letters if EMAIL in str(x["To"])])
    service.sink.stop()
    await ask(service, gateway)
    await asyncio.to_thread(until, lambda: "Code letter not taken" in service.log(), "the mail server was missed")
    service.sink.start()
    await enter(gateway, await letter(service, before + 1))


async def test_kill_and_start_keep_sessions_and_users(service: Service, gateway: ServiceClient) -> None:
    answer = await sign_in(service, gateway)
    assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    service.start()
    async with service.client("gateway") as again:
        assert (await verify(again, answer.token)).id == answer.session.id
    assert service.stop() == 0
    service.start()


def test_port_in_use_is_said_and_ends_with_78(service: Service) -> None:
    command = [sys.executable, "-m", "auth_service", "--config", str(service.home.config("auth"))]
    second = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert second.returncode == 78
    assert f"port {service.config.listen.port} on 127.0.0.1 cannot be taken" in second.stderr


def test_missing_certificate_is_said_and_ends_with_78(service: Service, tmp_path: Path) -> None:
    text = service.home.config("auth").read_text().replace("auth-server.crt", "none.crt")
    (tmp_path / "auth.toml").write_text(text)
    command = [sys.executable, "-m", "auth_service", "--config", str(tmp_path / "auth.toml")]
    second = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert second.returncode == 78
    assert "none.crt: there is no such file" in second.stderr


def test_accounts_that_are_gone_are_said_and_not_begun_anew(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "auth.sqlite3"
    text = re.sub(
        r"(?m)^database = .*$", f'database = "sqlite+aiosqlite:///{path}"', service.home.config("auth").read_text()
    )
    (tmp_path / "auth.toml").write_text(text)
    command = [sys.executable, "-m", "auth_service", "--config", str(tmp_path / "auth.toml")]
    second = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert second.returncode == 78
    assert f"{path}: the accounts are not there" in second.stderr
    assert not path.exists()


async def test_log_holds_requests_and_no_secret(service: Service, gateway: ServiceClient) -> None:
    before = len([x for x in service.sink.letters if EMAIL in str(x["To"])])
    await ask(service, gateway)
    code = await letter(service, before + 1)
    answer = await enter(gateway, code)
    await gateway.call("POST", internal.SESSION_END, NONE, SessionToken(token=answer.token))
    with pytest.raises(HomeError, match="sign-in-failed"):
        await enter(gateway, code)
    log = service.log()
    assert f"path={internal.LOGIN}" in log
    assert "sign_in_failed" in log
    for secret in (PASSWORD, code, code.replace("-", ""), answer.token):
        assert secret not in log
