"""What the bus promises of delivery, on each real broker and on the loop that services run on.

Crashes at either end, links that are half open, windows that are full, floods, and brokers that talk nonsense.
"""

import asyncio
import contextlib
import functools
import importlib.util
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import mqtt5
import pytest

from alert_service.intake.inbox import HELD_MOST
from shared.broker import link, packets
from shared.broker.connection import Connection, Delivery
from shared.broker.link import PACKETS_A_TURN, Link
from shared.broker.mqtt import IN_FLIGHT
from shared.trust import tls
from shared.words import messages, topics
from shared.words.problem import HomeError
from tests import house
from tests.house import DEADLINE, Broker
from tests.integration import mqtt_parts
from tests.integration.bus_parts import Line
from tests.proxy import HoldingProxy

AUDIT = topics.audit("auth")
KEPT = {"keep_session": 60, "manual_ack": True}


def as_services_run(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """On uvloop, where there is one."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        factory = None
        if importlib.util.find_spec("uvloop") is not None:
            import uvloop

            factory = uvloop.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(test(**fixtures))  # type: ignore[arg-type]  # a coroutine: it is an async function

    return run


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeats, a broker that takes us for gone after four and a half seconds, and a question every second."""
    monkeypatch.setattr(messages, "SERVICE_HEARTBEAT_SECONDS", 3600.0)
    monkeypatch.setattr(packets, "KEEPALIVE_SECONDS", 3)
    monkeypatch.setattr(link, "KEEPALIVE_SECONDS", 1)


def told(caplog: pytest.LogCaptureFixture, message: str) -> list[str]:
    """The reasons that went with this message."""
    return [str(record.__dict__["facts"]["reason"]) for record in caplog.records if record.getMessage() == message]


# --- the broker is killed ---


@as_services_run
async def test_what_is_under_way_when_the_broker_is_killed_is_told_and_never_sent_later(each_broker: Broker) -> None:
    async with (
        Line(each_broker.config("alerts"), AUDIT).up() as alerts,
        Line(each_broker.config("auth")).up() as auth,
    ):
        each_broker.freeze()
        under_way = [auth.bus.send(AUDIT, b"old") for _ in range(IN_FLIGHT + 20)]
        await asyncio.to_thread(each_broker.kill)
        ends = await asyncio.wait_for(asyncio.gather(*under_way, return_exceptions=True), DEADLINE)
        assert {end.slug for end in ends if isinstance(end, HomeError)} == {"broker-unreachable"}
        assert [end for end in ends if not isinstance(end, HomeError)] == []
        await asyncio.to_thread(each_broker.start)
        await alerts.until(lambda: alerts.bus.connected)
        await auth.until(lambda: auth.bus.connected)
        assert await auth.bus.send(AUDIT, b"new") == 0
        await alerts.until(lambda: alerts.heard)
        assert [delivery.payload for delivery in alerts.heard] == [b"new"]


# --- we are killed ---

CRASHING = """
import asyncio, sys
from pathlib import Path
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import BrokerConfig, Subscription
from shared.trust.tls import Identity
pki, port, topic, after = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]

def say(word: object) -> None:
    print(word, flush=True)

def hear(delivery: Delivery) -> None:
    if delivery.payload == b"0":
        bus.acknowledge(delivery)
        bus.send(after, b"{}").add_done_callback(lambda code: say(f"0 and {code.result()}"))
    else:
        say(delivery.payload.decode())

async def up() -> None:
    say("up")

files = Identity(ca=pki / "device-ca.crt", certificate=pki / "alerts.crt", key=pki / "alerts.key")
bus = Bus(BrokerConfig(identity="alerts", tls=files, port=port), subscriptions=(Subscription(topic),),
          on_message=hear, on_up=up, keep_session=60, manual_ack=True)
asyncio.run(bus.run())
"""
"""A service that confirms the first message, and dies before it could confirm another.

It speaks of the first one once the broker has taken what was said after the confirmation, and so the confirmation.
"""


@contextlib.contextmanager
def crashing(broker: Broker) -> Iterator["subprocess.Popen[str]"]:
    arguments = [str(broker.home.pki), str(broker.port), AUDIT, topics.receipt("auth")]
    process = subprocess.Popen([sys.executable, "-c", CRASHING, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
    finally:
        process.kill()
        process.wait(DEADLINE)
        assert process.stdout is not None
        process.stdout.close()


@as_services_run
async def test_what_a_crash_left_unconfirmed_comes_again_in_order(each_broker: Broker) -> None:
    count = IN_FLIGHT + 50
    with crashing(each_broker) as process:
        assert process.stdout is not None
        async with Line(each_broker.config("auth")).up() as auth:
            await auth.bus.send(AUDIT, b"0")
            assert await asyncio.to_thread(process.stdout.readline) == "0 and 16\n"
            for number in range(1, count):
                await auth.bus.send(AUDIT, str(number).encode())
            heard = [await asyncio.to_thread(process.stdout.readline) for _ in range(IN_FLIGHT)]
        assert [int(line) for line in heard] == list(range(1, IN_FLIGHT + 1)), "one was confirmed, so one more may come"
    line = Line(each_broker.config("alerts"), AUDIT, **KEPT)
    async with line.running():
        await line.until(lambda: len(line.heard) == IN_FLIGHT)
        async with Line(each_broker.config("auth")).up() as auth:
            await auth.bus.send(topics.audit("auth"), str(count).encode())
        # the broker has been through it: what it holds back, it holds back until we confirm
        assert [int(delivery.payload) for delivery in line.heard] == list(range(1, IN_FLIGHT + 1))
        for number in range(count):
            await line.until(lambda n=number: len(line.heard) > n)  # type: ignore[misc]  # the number is bound
            line.bus.acknowledge(line.heard[number])
        assert [int(delivery.payload) for delivery in line.heard] == list(range(1, count + 1))
        assert line.downs == 0


# --- windows that are full ---


def with_window(tmp_path: Path, pki: Path, window: int) -> Broker:
    """A broker that lets so many messages be under way, each way."""
    home = house.make_home(tmp_path)
    house.share_pki(home, pki)
    made = Broker(home)
    config = home.var / "mosquitto.conf"
    setting = "max_inflight_messages"
    config.write_text(config.read_text().replace(f"{setting} {IN_FLIGHT}\n", f"{setting} {window}\n"))
    assert f"{setting} {window}\n" in config.read_text()
    made.start()
    return made


@pytest.fixture
def narrow_broker(tmp_path: Path, pki: Path) -> Iterator[Broker]:
    made = with_window(tmp_path, pki, 3)
    yield made
    made.stop()


@pytest.fixture
def wide_broker(tmp_path: Path, pki: Path) -> Iterator[Broker]:
    made = with_window(tmp_path, pki, 5 * IN_FLIGHT)
    yield made
    made.stop()


def published(said: list[bytes]) -> list[bytes]:
    """The payloads of what was published with these words."""
    wire, found = memoryview(b"".join(said)), []
    while wire:
        packet, size = mqtt5.read(wire)
        found += [packet.payload] if isinstance(packet, mqtt5.PublishPacket) else []
        wire = wire[size:]
    return found


@pytest.mark.usefixtures("quiet")
@as_services_run
async def test_no_more_is_under_way_than_a_broker_takes(narrow_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = HoldingProxy("127.0.0.1", 0, narrow_broker.port)
    said: list[bytes] = []
    outgoing = Connection.outgoing

    def overheard(self: Connection, now: float) -> bytes:
        said.append(outgoing(self, now))
        return said[-1]

    async with (
        Line(narrow_broker.config("alerts"), AUDIT).up() as alerts,
        Line(narrow_broker.config("auth", port=proxy.port)).up() as auth,
    ):
        assert await auth.bus.send(AUDIT, b"0") == 0
        proxy.hold()
        monkeypatch.setattr(Connection, "outgoing", overheard)
        sent = [auth.bus.send(AUDIT, str(number).encode()) for number in range(1, 100)]
        await auth.until(lambda: published(said))
        assert published(said) == [b"1", b"2", b"3"]
        proxy.release()
        assert set(await asyncio.wait_for(asyncio.gather(*sent), DEADLINE)) == {0}
        await alerts.until(lambda: len(alerts.heard) == 100)
        assert [int(delivery.payload) for delivery in alerts.heard] == list(range(100))
        assert auth.downs == 0
    proxy.close()


@as_services_run
async def test_a_broker_keeps_to_what_we_take_though_it_would_send_more(wide_broker: Broker) -> None:
    count = 2 * IN_FLIGHT
    async with (
        Line(wide_broker.config("alerts"), AUDIT, **KEPT).up() as alerts,
        Line(wide_broker.config("auth")).up() as auth,
    ):
        await asyncio.gather(*(auth.bus.send(AUDIT, str(number).encode()) for number in range(count)))
        await alerts.until(lambda: len(alerts.heard) >= IN_FLIGHT)
        assert await auth.bus.send(AUDIT, str(count).encode()) == 0
        assert await alerts.bus.send(topics.receipt("auth"), b"{}") == 16  # by now it would have sent more
        assert [int(delivery.payload) for delivery in alerts.heard] == list(range(IN_FLIGHT))
        for number in range(count + 1):
            await alerts.until(lambda n=number: len(alerts.heard) > n)  # type: ignore[misc]  # the number is bound
            alerts.bus.acknowledge(alerts.heard[number])
        assert [int(delivery.payload) for delivery in alerts.heard] == list(range(count + 1))
        assert (alerts.ups, alerts.downs) == (1, 0)


@as_services_run
async def test_one_confirmation_too_late_has_an_older_broker_send_all_that_waits(
    each_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        Line(each_broker.config("alerts"), AUDIT, manual_ack=True).up() as alerts,
        Line(each_broker.config("auth")).up() as auth,
    ):
        await asyncio.gather(*(auth.bus.send(AUDIT, b"") for _ in range(IN_FLIGHT + 50)))
        await alerts.until(lambda: len(alerts.heard) == IN_FLIGHT)
        alerts.bus.acknowledge(alerts.heard[0])
        if mqtt_parts.version_of(each_broker) == (2, 0, 11):
            await alerts.until(lambda: alerts.downs)
            assert told(caplog, "Broker lost") == [f"the broker sent more than {IN_FLIGHT} messages at a time"]
        else:
            await alerts.until(lambda: len(alerts.heard) == IN_FLIGHT + 1)
            assert await alerts.bus.send(topics.receipt("auth"), b"{}") == 16  # by now it would have sent more
            assert (len(alerts.heard), alerts.downs) == (IN_FLIGHT + 1, 0)


@as_services_run
async def test_who_holds_as_few_as_the_alert_service_is_sent_all_by_every_broker(each_broker: Broker) -> None:
    count = 5 * IN_FLIGHT
    held: deque[Delivery] = deque()
    alerts = Line(each_broker.config("alerts"), AUDIT, manual_ack=True)
    hear = alerts.bus._on_message

    def hear_and_hold(delivery: Delivery) -> None:
        hear(delivery)
        held.append(delivery)
        if len(held) > HELD_MOST:
            alerts.bus.acknowledge(held.popleft())

    alerts.bus._on_message = hear_and_hold
    async with alerts.up(), Line(each_broker.config("auth")).up() as auth:
        await asyncio.gather(*(auth.bus.send(AUDIT, str(number).encode()) for number in range(count)))
        await alerts.until(lambda: len(alerts.heard) == count)
        assert [int(delivery.payload) for delivery in alerts.heard] == list(range(count))
        assert (alerts.ups, alerts.downs) == (1, 0)


@pytest.fixture
def proxy(each_broker: Broker) -> Iterator[HoldingProxy]:
    made = HoldingProxy("127.0.0.1", 0, each_broker.port)
    yield made
    made.close()


@as_services_run
async def test_what_the_network_does_not_take_waits_and_goes_in_order(
    each_broker: Broker, proxy: HoldingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back = 0
    pause = Link.pause_writing

    def count(self: Link) -> None:
        nonlocal held_back
        held_back += 1
        pause(self)

    async with (
        Line(each_broker.config("alerts"), AUDIT).up() as alerts,
        Line(each_broker.config("auth", port=proxy.port)).up() as auth,
    ):
        monkeypatch.setattr(Link, "pause_writing", count)
        proxy.hold()
        sent = []
        for number in range(IN_FLIGHT + 20):
            sent.append(auth.bus.send(AUDIT, b"%d " % number + bytes(60_000)))
            await asyncio.sleep(0)  # a turn of its own, and so a write
        assert held_back
        proxy.release()
        assert set(await asyncio.wait_for(asyncio.gather(*sent), DEADLINE)) == {0}
        await alerts.until(lambda: len(alerts.heard) == len(sent))
        assert [int(delivery.payload.split()[0]) for delivery in alerts.heard] == list(range(len(sent)))


@as_services_run
async def test_what_is_larger_than_the_broker_takes_costs_nobody_the_connection(each_broker: Broker) -> None:
    async with Line(each_broker.config("auth")).up() as auth:
        with pytest.raises(HomeError, match="more than the broker takes"):
            auth.bus.send(AUDIT, bytes(70_000))
        assert await auth.bus.send(topics.REVOKED, bytes(65_000)) == 16
        assert (auth.ups, auth.downs) == (1, 0)


@as_services_run
async def test_a_flood_leaves_turns_to_others(each_broker: Broker) -> None:
    count = 5_000
    loop, turns = asyncio.get_running_loop(), [0]
    async with Line(each_broker.config("auth")).up() as auth:
        line = Line(each_broker.config("alerts"), AUDIT, **KEPT)
        async with line.up():
            pass
        for first in range(0, count, IN_FLIGHT):
            await asyncio.gather(*(auth.bus.send(AUDIT, str(first + n).encode()) for n in range(IN_FLIGHT)))
        hear = line.bus._on_message

        def hear_and_confirm(delivery: Any) -> None:
            turns[-1] += 1
            hear(delivery)
            line.bus.acknowledge(delivery)

        def next_turn() -> None:
            turns.append(0)
            if len(line.heard) < count:
                loop.call_soon(next_turn)

        line.bus._on_message = hear_and_confirm
        async with line.running():
            next_turn()
            await line.until(lambda: len(line.heard) == count)
    assert [int(delivery.payload) for delivery in line.heard] == list(range(count))
    # what was left of the last turn, and what came in this one
    assert max(turns) <= 2 * PACKETS_A_TURN


# --- whether the other end is there ---


@pytest.mark.usefixtures("quiet")
@as_services_run
async def test_who_has_nothing_to_say_is_kept_by_the_broker(broker: Broker) -> None:
    async with Line(broker.config("auth")).up() as auth:
        end = asyncio.get_running_loop().time() + 6
        await auth.until(lambda: asyncio.get_running_loop().time() > end)
        assert await auth.bus.send(topics.REVOKED, b"{}") == 16
        assert (auth.ups, auth.downs) == (1, 0)


@pytest.mark.usefixtures("quiet")
@as_services_run
async def test_a_broker_that_does_not_answer_is_left_and_found_again(
    each_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with Line(each_broker.config("auth")).up() as auth:
        each_broker.freeze()
        try:
            await auth.until(lambda: auth.downs)
        finally:
            each_broker.thaw()
        assert told(caplog, "Broker lost") == ["the broker did not answer for 1 s"]
        await auth.until(lambda: auth.bus.connected)


@as_services_run
async def test_one_that_is_thrown_out_by_another_of_its_name_says_so(
    each_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with Line(each_broker.config("auth")).up() as auth:
        other = await asyncio.to_thread(mqtt_parts.Client, each_broker, "auth")
        await auth.until(lambda: auth.downs)
        (reason,) = told(caplog, "Broker lost")
        silent = mqtt_parts.version_of(each_broker) == (2, 0, 11)  # it closes without a word
        assert reason == ("the broker hung up" if silent else "the broker ended the connection: Session taken over")
        await auth.until(lambda: auth.bus.connected)
        await asyncio.to_thread(other.close)


# --- what is no broker ---

WELCOME = b"\x20\x03\x00\x00\x00"
NONSENSE = {
    bytes(10): "no MQTT 5",
    WELCOME + b"\x30\x05\x00\x02\xff\xfe\x00": "no MQTT 5",
    WELCOME + WELCOME: "may not send a ConnAckPacket now",
    b"\x20\x03\x00\x87\x00": "the broker refused us: Not authorized",
    b"\x30\xff\xff\xff\x7f": "a packet of 268435455 bytes",
    b"": "the broker hung up",
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the codec's, of its own panic
@pytest.mark.parametrize("said", NONSENSE, ids=NONSENSE.values())
@as_services_run
async def test_what_talks_nonsense_is_left_in_words_and_tried_again(
    broker: Broker, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    connections: asyncio.Queue[bytes] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connections.put(await reader.read(100))
        writer.write(said)
        with contextlib.suppress(OSError):
            if said:
                await reader.read()
            writer.close()
            await writer.wait_closed()

    async with serving(broker, answer) as port, Line(broker.config("auth", port=port)).running():
        for _ in range(2):
            assert (await asyncio.wait_for(connections.get(), DEADLINE))[:1] == b"\x10"
    assert NONSENSE[said] in told(caplog, "Broker cannot be reached")[0]


@contextlib.asynccontextmanager
async def serving(broker: Broker, answer: Any) -> AsyncIterator[int]:
    """Something that has the broker's certificate."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls.server_context(broker.identity("broker")))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
