"""The alert service as it runs: its own process, mutual TLS, a real broker, a real mail server, a real database."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from alert_service.chain import chain
from alert_service.chain.arrivals import Arrival
from alert_service.record import records
from alert_service.store import open_store
from alert_service.tables import events
from deploy.folder import home as homes
from deploy.folder.home import Home
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from shared.door.client import AlertsAddress, ServiceClient
from shared.door.web import allow, internal_app, json_response, serve_https
from shared.proof import together
from shared.proof.courier import Courier
from shared.proof.spool import Spool
from shared.running.config import EX_CONFIG
from shared.trust import tls
from shared.words import internal, internal_recipients, messages, topics
from shared.words.internal_alerts import AuditFilter, AuditHead, AuditPage, AuditQuery, AuditScope
from shared.words.internal_recipients import Recipient, Recipients
from shared.words.messages import AuditEvent, UserRef, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError
from tests import house, warm
from tests.house import DEADLINE, Broker, SmtpSink, come_up, end, listens, until
from tests.unit.alert_service.parts import HOUSE

MASTER = "ada@example.org"
ADA = UserRef(id="u1", name="Ada")


def event(
    *,
    outcome: Outcome,
    command_id: str | None,
    issuer: str = "gateway",
    what: str = "device:unlock",
    severity: Severity = Severity.CRITICAL,
    where: str = "hall/front-door",
) -> AuditEvent:
    return AuditEvent(
        id=uuid.uuid4().hex,
        at=messages.utc(1_700_000_000),
        what=what,
        where=where,
        who=Who(issuer=issuer, user=ADA, address="192.0.2.7"),
        command_id=command_id,
        outcome=outcome,
        severity=severity,
    )


class Service:
    """The alert service of one home, with a database of its own; may be killed and started again."""

    def __init__(self, home: Home, folder: Path, smtp_port: int) -> None:
        homes.lay_out(home)
        self.home = home
        self.port = home.settings.alerts_port
        self.database = folder / "alerts.sqlite3"
        self.config = folder / "alerts.toml"
        rendered = home.config("alerts").read_text()
        rendered = rendered.replace(f"{home.var}/data/alerts.sqlite3", str(self.database))
        # Tests count letters: one that runs at seven in the morning must not find one more.
        self.config.write_text(rendered.replace('daily_at = "07:00"', 'daily_at = "never"'))
        self.environment = os.environ | {"HOMESYSTEM_SMTP_PORT": str(smtp_port)}
        self.err = folder / "alerts.err"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, module: str = "alert_service") -> None:
        """Start it and wait until its port is taken."""
        with self.err.open("ab") as err:
            self.process = warm.Popen(
                [sys.executable, "-m", module, "--config", str(self.config)], stderr=err, env=self.environment
            )
        come_up(self.process, lambda: listens(self.port), "the alert service listens", said=lambda: self.log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)

    def identity(self, name: str) -> tls.Identity:
        pki = self.home.pki
        return tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")

    def client(self, name: str) -> ServiceClient:
        """Calls with the certificate of `name`."""
        return ServiceClient(
            AlertsAddress(port=self.port), self.identity(name), absent="alerts-unreachable", seconds=DEADLINE
        )

    async def hears(self) -> None:
        """Wait until it has its subscriptions for the first time: from then on nothing overtakes."""
        await eventually(lambda: "Broker reached" in self.log, "the alert service hears")

    @property
    def log(self) -> str:
        return self.err.read_text()

    def rows(self) -> list[tuple[str, str, str]]:
        """Source, id and outcome of every row."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT source, id, outcome FROM events ORDER BY row").fetchall()

    async def verdict(self) -> chain.Verdict:
        """What the chain's own check says of the whole table."""
        store = await open_store(f"sqlite+aiosqlite:///{self.database}")
        try:
            async with store.read() as connection:
                found = (await connection.execute(events.select().order_by(events.c.row))).all()
        finally:
            await store.close()
        return chain.verify(records.as_row(one) for one in found)


async def nobody_is_erased(_request: web.Request) -> web.StreamResponse:
    """What the auth service answers who asks whom the record is to lose."""
    return json_response(internal_recipients.Erasures(people=()))


class Auth:
    """Names the recipients as the auth service does, over mutual TLS; may be away."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.emails: tuple[str, ...] = (MASTER,)

    @contextlib.asynccontextmanager
    async def there(self) -> AsyncIterator[None]:
        """Answer until the block is left."""

        async def recipients(_request: web.Request) -> web.StreamResponse:
            people = tuple(Recipient(id=email, email=email, master=True) for email in self.emails)
            return json_response(Recipients(people=people))

        app = internal_app()
        app.router.add_get(internal_recipients.RECIPIENTS, allow("alerts")(recipients))
        app.router.add_get(internal_recipients.ERASURES, allow("alerts")(nobody_is_erased))
        pki = self._home.pki
        files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / "auth-server.crt", key=pki / "auth-server.key")
        async with serve_https(app, "127.0.0.1", self._home.settings.auth_port, tls.server_context(files)):
            yield


class Producer:
    """A source of audit events with its spool, courier and connection, as gateway and rooms have them."""

    def __init__(self, broker: Broker, name: str, folder: Path) -> None:
        self.name = name
        self.spool = Spool(folder / f"{name}-spool.sqlite3")
        self.bus = Bus(
            broker.config(name),
            subscriptions=(Subscription(topics.receipt(name)),),
            on_message=self._hear,
            on_up=self._up,
        )
        self.courier = Courier(self.spool, self.bus)
        self.said: list[tuple[str, str]] = []

    async def say(self, *told: AuditEvent) -> None:
        self.said += [(self.name, one.id) for one in told]
        await asyncio.to_thread(lambda: self.spool.append(*told, durable=True))
        self.courier.wake()

    async def receipted(self) -> None:
        """Wait until everything is receipted."""
        await eventually(lambda: self.spool.count_pending() == 0, f"{self.name}'s events are receipted")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = {asyncio.create_task(self.bus.run()), asyncio.create_task(self.courier.run())}
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self.spool.close()

    def _hear(self, delivery: Delivery) -> None:
        self.courier.hear(delivery)

    async def _up(self) -> None:
        self.courier.link_up()


async def eventually(condition: Callable[[], object], what: str) -> None:
    await asyncio.to_thread(until, lambda: condition() or None, what)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, pki: Path) -> Home:
    """A home of each test's own: the broker keeps the service's session, also through kill -9, and what an earlier
    test left in it would be recorded in this one's database.
    """
    made = house.make_home(tmp_path_factory.mktemp("home"))
    house.share_pki(made, pki)
    return made


@pytest.fixture
def broker(home: Home) -> Iterator[Broker]:
    made = Broker(home)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def service(home: Home, broker: Broker, smtp_sink: SmtpSink, tmp_path: Path) -> Iterator[Service]:
    made = Service(home, tmp_path, smtp_sink.port)
    yield made
    if made.process is not None:
        end([made.process])


@pytest.fixture
def auth(home: Home) -> Auth:
    return Auth(home)


@pytest.fixture
async def gateway(broker: Broker, tmp_path: Path) -> AsyncIterator[Producer]:
    producer = Producer(broker, "gateway", tmp_path)
    async with producer.running():
        yield producer


@pytest.fixture
async def hall(broker: Broker, tmp_path: Path) -> AsyncIterator[Producer]:
    producer = Producer(broker, "hall", tmp_path)
    async with producer.running():
        yield producer


async def letters(sink: SmtpSink, count: int = 1) -> list[str]:
    """The subjects of all letters, once there are `count`."""
    await asyncio.to_thread(sink.wait_for, count)
    return [str(letter["Subject"]) for letter in sink.letters]


async def exactly(service: Service, sink: SmtpSink, count: int, gateway: Producer, *others: Producer) -> None:
    """Exactly `count` letters came in all, and every event that was said is one row, and nothing else is, but for
    incidents of the service's own. One more event's letter comes last, so that a late double would be here before it.
    """
    await gateway.say(event(outcome=Outcome.EXECUTED, command_id=None, what="account:created"))
    await gateway.receipted()
    await asyncio.to_thread(
        until, lambda: any("Account created" in str(x["Subject"]) for x in sink.letters), "the last letter comes"
    )
    subjects = [str(letter["Subject"]) for letter in sink.letters]
    assert len(subjects) == count + 1, subjects
    assert len({letter["Message-ID"] for letter in sink.letters}) == count + 1
    rows = [(source, id_) for source, id_, _ in service.rows() if source != "alerts"]
    assert sorted(rows) == sorted(said for producer in (gateway, *others) for said in producer.said)
    assert (await service.verdict()).broken is None


async def test_a_critical_command_is_recorded_receipted_and_told_once(
    service: Service, auth: Auth, gateway: Producer, hall: Producer, smtp_sink: SmtpSink
) -> None:
    async with auth.there():
        service.start()
        await gateway.say(event(outcome=Outcome.ASKED, command_id="c1"))
        await hall.say(event(outcome=Outcome.EXECUTED, command_id="c1"))
        await gateway.receipted()
        await hall.receipted()
        subjects = await letters(smtp_sink)
        assert subjects[0].startswith("Front door (hall) unlocked — Ada, ")
        letter = smtp_sink.letters[0]
        assert letter["To"] == MASTER
        assert letter["Auto-Submitted"] == "auto-generated"
        body = letter.get_body(("plain",))
        assert body is not None
        proof = re.findall(
            r"^row (\d) \((\w+)\)\n  [0-9a-f]{64}$", "\n".join(body.get_content().splitlines()), re.MULTILINE
        )
        assert sorted(row for row, _ in proof) == ["1", "2"]  # in whichever order the two arrived
        assert sorted(source for _, source in proof) == ["gateway", "hall"]
        await exactly(service, smtp_sink, 1, gateway, hall)
        assert (await service.verdict()).broken is None


async def test_kill_9_between_commit_and_acknowledgement_costs_nothing_and_repeats_nothing(
    service: Service, auth: Auth, gateway: Producer, hall: Producer, smtp_sink: SmtpSink
) -> None:
    async with auth.there():
        service.start("tests.crash_alerts")
        asked = event(outcome=Outcome.ASKED, command_id="c1")
        await gateway.say(asked)
        assert service.process is not None
        assert await asyncio.to_thread(service.process.wait, DEADLINE) == -signal.SIGKILL
        assert service.rows() == [("gateway", asked.id, "asked")]
        assert gateway.spool.count_pending() == 1
        service.start()
        await hall.say(event(outcome=Outcome.EXECUTED, command_id="c1"))
        await gateway.receipted()
        await hall.receipted()
        await letters(smtp_sink)
        await exactly(service, smtp_sink, 1, gateway, hall)


@pytest.mark.parametrize(("crash_at", "is_kept"), [("acknowledgement", False), ("receipt", True)])
async def test_kill_9_before_or_behind_a_happenings_commit_keeps_it_once(
    service: Service, auth: Auth, hall: Producer, crash_at: str, *, is_kept: bool
) -> None:
    opened = msgspec.structs.replace(
        event(outcome=Outcome.EXECUTED, command_id=None, issuer="hall", what="device:opened", severity=Severity.INFO),
        who=Who(issuer="hall"),
    )

    def kept() -> list[tuple[str, str]]:
        with contextlib.closing(sqlite3.connect(f"file:{service.database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT source, id FROM happenings ORDER BY number").fetchall()

    async with auth.there():
        service.environment |= {"CRASH_AT": crash_at}
        service.start("tests.crash_alerts")
        await hall.say(opened)
        assert service.process is not None
        assert await asyncio.to_thread(service.process.wait, DEADLINE) == -signal.SIGKILL
        assert kept() == ([("hall", opened.id)] if is_kept else [])
        assert hall.spool.count_pending() == 1
        service.start()
        await hall.receipted()
        assert kept() == [("hall", opened.id)]
        assert service.rows() == []


async def test_kill_9_between_a_message_of_many_and_its_commit_loses_none_and_records_none_twice(
    service: Service, auth: Auth, gateway: Producer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    send = gateway.bus.send

    def counted(topic: str, payload: bytes) -> asyncio.Future[int]:
        sizes.append(len(together.opened(payload)))
        return send(topic, payload)

    monkeypatch.setattr(gateway.bus, "send", counted)

    def ordinary() -> AuditEvent:
        return event(outcome=Outcome.EXECUTED, command_id=uuid.uuid4().hex, severity=Severity.INFO)

    async with auth.there():
        service.start()
        await gateway.say(ordinary())
        await gateway.receipted()
        alone = len(sizes)
        with contextlib.closing(sqlite3.connect(service.database, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")  # nothing is committed while this one writes
            await gateway.say(*(ordinary() for _ in range(100)))
            await eventually(lambda: "Events cannot be recorded yet" in service.log, "the service has them")
            service.stop(signal.SIGKILL)
        assert len(service.rows()) == 1
        assert sizes[alone : alone + 2] == [64, 36]
        service.start()
        await gateway.receipted()
        await exactly(service, smtp_sink, 0, gateway)
        assert (await service.verdict()).broken is None


async def test_a_broker_killed_while_the_service_is_away_costs_no_letter_and_doubles_none(
    service: Service, auth: Auth, gateway: Producer, hall: Producer, smtp_sink: SmtpSink, broker: Broker
) -> None:
    async with auth.there():
        service.start()
        await eventually(lambda: "Broker reached" in service.log, "the service is connected")
        service.stop(signal.SIGKILL)
        await gateway.say(event(outcome=Outcome.ASKED, command_id="c1"))
        await hall.say(event(outcome=Outcome.EXECUTED, command_id="c1"))
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        service.start()
        await gateway.receipted()
        await hall.receipted()
        await letters(smtp_sink)
        await exactly(service, smtp_sink, 1, gateway, hall)


async def test_a_broker_killed_under_the_running_service_is_found_again(
    service: Service, auth: Auth, gateway: Producer, smtp_sink: SmtpSink, broker: Broker
) -> None:
    async with auth.there():
        service.start()
        for number in range(3):
            await gateway.say(event(outcome=Outcome.FAILED, command_id=f"c{number}", where=f"hall/door-{number}"))
            await gateway.receipted()
            await letters(smtp_sink, number + 1)
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
        await exactly(service, smtp_sink, 3, gateway)


async def test_letters_wait_for_an_absent_mail_server_and_come_once(
    service: Service, auth: Auth, gateway: Producer, smtp_sink: SmtpSink
) -> None:
    async with auth.there(), service.client("gateway") as client:
        smtp_sink.stop()
        service.start()
        await gateway.say(event(outcome=Outcome.FAILED, command_id="c1"))
        await gateway.receipted()
        await eventually(lambda: "Letters are not taken" in service.log, "a letter was tried")
        ready = await client.call("GET", "/internal/ready", dict)
        assert ready["mail"]["letters_waiting"] == 1
        assert ready["mail"]["failing_since"] is not None
        smtp_sink.start()
        await letters(smtp_sink)
        await exactly(service, smtp_sink, 1, gateway)


async def test_letters_wait_until_the_auth_service_names_somebody(
    service: Service, auth: Auth, gateway: Producer, smtp_sink: SmtpSink
) -> None:
    service.start()
    await gateway.say(event(outcome=Outcome.FAILED, command_id="c1"))
    await gateway.receipted()
    await eventually(lambda: "Recipients are not known anew" in service.log, "the auth service was asked")
    async with auth.there():
        assert len(await letters(smtp_sink)) == 1
    # and now it is remembered: the auth service may go
    service.stop()
    service.start()
    await gateway.say(event(outcome=Outcome.FAILED, command_id="c2", where="hall/back-door"))
    assert len(await letters(smtp_sink, 2)) == 2


async def test_rubbish_is_told_once_and_stops_nothing(
    service: Service, auth: Auth, gateway: Producer, smtp_sink: SmtpSink, broker: Broker, tmp_path: Path
) -> None:
    async with auth.there():
        service.start()
        big = tmp_path / "big"
        big.write_bytes(b'{"x":' + b"[" * 60_000)
        for arguments in (["-m", "no json"], ["-m", "{}"], ["-n"], ["-f", str(big)], ["-m", "\u202e<script>"]):
            for _ in range(2):
                await asyncio.to_thread(broker.publish, "garage", "-t", "audit/garage", *arguments)
        await gateway.say(event(outcome=Outcome.FAILED, command_id="c1"))
        await gateway.receipted()
        subjects = await letters(smtp_sink, 3)
        assert sorted(subject.partition(" — ")[0] for subject in subjects) == [
            "Front door (hall): unlock failed",
            "Security: Oversized audit event: garage",
            "Security: Unreadable audit event: garage",
        ]
        await exactly(service, smtp_sink, 3, gateway)
        assert (await service.verdict()).broken is None


async def test_nobody_can_tell_an_event_in_anothers_name(service: Service, broker: Broker) -> None:
    for who, source in (("garage", "hall"), ("phone", "phone"), ("phone", "hall"), ("gateway", "alerts")):
        refused = await asyncio.to_thread(broker.publish, who, "-t", f"audit/{source}", "-m", "{}")
        assert "Not authorized" in refused.stderr


class Unscoped(msgspec.Struct):
    """A question that leaves out what it may see."""

    limit: int = 5


async def test_the_history_is_for_gateways_alone(service: Service, auth: Auth, gateway: Producer) -> None:
    async with auth.there():
        service.start()
        await service.hears()
        told = [event(outcome=Outcome.REJECTED, command_id=f"c{n}") for n in range(5)]
        await gateway.say(*told)
        await gateway.receipted()
        async with service.client("gateway") as client:

            async def ask(**query: Any) -> AuditPage:
                return await client.call("POST", internal.AUDIT, AuditPage, AuditQuery(**query))

            first = await ask(scope=None, limit=2)
            assert first.next is not None
            rest = await ask(scope=None, after=int(first.next))
            assert [one.id for one in (*first.events, *rest.events)] == [one.id for one in told[::-1]]
            assert {one.source for one in rest.events} == {"gateway"}
            assert (await ask(scope=AuditScope(user="u2"))).events == ()
            for scope in (AuditScope(user="u2", rooms=True), AuditScope(user="u2", places=("garage/door", "hall/*"))):
                assert len((await ask(scope=scope)).events) == 5
                assert (await ask(scope=scope, filter=AuditFilter(outcome=Outcome.FAILED))).events == ()
            out_of_range: tuple[dict[str, int], ...] = ({"limit": 0}, {"limit": 501}, {"after": 0})
            for bad in out_of_range:
                with pytest.raises(HomeError) as caught:
                    await ask(scope=None, **bad)
                assert caught.value.slug == "invalid-value"
            with pytest.raises(HomeError, match="scope"):  # the whole history has to be asked for
                await client.call("POST", internal.AUDIT, AuditPage, Unscoped())
            assert await client.call("GET", internal.HEAD, AuditHead, query={"after": "3"}) == AuditHead(row=5)
            with pytest.raises(HomeError, match="after: write a whole number"):
                await client.call("GET", internal.HEAD, AuditHead, query={"after": "x"})
            ready = await client.call("GET", "/internal/ready", dict)
            assert (ready["broker"], ready["recording"]) == (True, True)
        for stranger in ("hall", "phone", "auth"):
            async with service.client(stranger) as client:
                for method, path in (("POST", internal.AUDIT), ("GET", internal.HEAD)):
                    with pytest.raises(HomeError) as refused:
                        await client.call(method, path, AuditPage)
                    assert refused.value.slug == "forbidden"
        context = tls.client_context(service.identity("gateway"))
        bare = type(context)(context.protocol)
        bare.load_verify_locations(service.home.pki / "device-ca.crt")
        url = f"https://localhost:{service.port}{internal.AUDIT}"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.post(url, ssl=bare)


async def test_whoever_waits_for_news_of_the_record_hears_of_them_and_holds_no_stop_up(
    service: Service, auth: Auth, gateway: Producer
) -> None:
    async with auth.there():
        service.start()
        async with service.client("gateway") as client:
            waiting = asyncio.create_task(client.call("GET", internal.HEAD, AuditHead, query={"after": "0"}))
            await gateway.say(event(outcome=Outcome.REJECTED, command_id=None))
            assert (await waiting).row >= 1
            again = asyncio.create_task(client.call("GET", internal.HEAD, AuditHead, query={"after": "99"}))
            await client.call(
                "POST", internal.AUDIT, AuditPage, AuditQuery(scope=None)
            )  # that one is being held by now
            assert await asyncio.to_thread(service.stop) == 0
            with contextlib.suppress(HomeError):  # answered, or cut off: in any case not waited for
                assert (await again).row >= 1


async def test_it_ends_cleanly_and_keeps_everything(service: Service, auth: Auth, gateway: Producer) -> None:
    async with auth.there():
        service.start()
        await gateway.say(event(outcome=Outcome.ASKED, command_id="c1"))
        await gateway.receipted()
        assert service.stop() == 0
        service.start()
        assert len(service.rows()) == 1
        assert service.stop(signal.SIGINT) == 0
    assert "Traceback" not in service.log


async def test_it_starts_again_after_days_in_which_only_itself_had_something_to_record(
    service: Service, auth: Auth
) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{service.database}")
    today = time.time()
    async with store.write() as connection:
        told = event(outcome=Outcome.EXECUTED, command_id=None, issuer="hall")
        await records.record(
            connection, [Arrival("hall", msgspec.structs.replace(told, seq=7))], today - 20 * 86_400, HOUSE
        )
        for ago in range(9, 0, -1):
            own = event(outcome=Outcome.EXECUTED, command_id=None, issuer="alerts", what="audit:day-removed")
            await records.record(connection, [Arrival("alerts", own)], today - ago * 86_400, HOUSE)
    await store.close()
    async with auth.there():
        await asyncio.to_thread(service.start)
        await eventually(lambda: "Asked for events" in service.log, "it has read what it knows")
        assert service.process is not None
        assert service.process.poll() is None
        assert await asyncio.to_thread(service.stop) == 0
    assert "Traceback" not in service.log


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("per_minute", "per_minit", "did you mean `per_minute`?"),
        ('timezone = "', 'timezone = "Moon/', "is not known here"),
        ('host = "127.0.0.1"\nport', 'host = "mail.example.org"\nport', "for a server on this machine"),
        ("sqlite+aiosqlite", "mysql", "write sqlite+aiosqlite"),
        ("alerts.crt", "nobody.crt", "there is no such file"),
    ],
)
async def test_a_configuration_that_cannot_be_used_is_told_and_ends_with_78(
    service: Service, old: str, new: str, told: str
) -> None:
    service.config.write_text(service.config.read_text().replace(old, new))
    command = [sys.executable, "-m", "alert_service", "--config", str(service.config)]
    ended = await asyncio.to_thread(
        lambda: subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    )
    assert ended.returncode == EX_CONFIG, ended.stderr
    assert told in ended.stderr


async def test_a_pair_that_does_not_fit_is_told_and_tried_again(service: Service) -> None:
    """It may be in the middle of being renewed: systemd starts a service that ends with 75 again."""
    service.config.write_text(service.config.read_text().replace("alerts-server.key", "alerts.key"))
    command = [sys.executable, "-m", "alert_service", "--config", str(service.config)]
    ended = await asyncio.to_thread(
        lambda: subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    )
    assert ended.returncode == os.EX_TEMPFAIL, ended.stderr
    assert "cannot be used" in ended.stderr


async def test_a_port_in_use_is_told_and_ends_with_78(service: Service) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier test's connections still linger
        taken.bind(("127.0.0.1", service.port))
        taken.listen()
        command = [sys.executable, "-m", "alert_service", "--config", str(service.config)]
        ended = await asyncio.to_thread(
            lambda: subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        )
    assert ended.returncode == EX_CONFIG, ended.stderr
    assert "cannot be taken" in ended.stderr
