"""The recorder as it runs: its own process, mutual TLS, a real broker, a real database; stopped, killed and flooded."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.folder import home as homes
from shared.door.client import ReadingsAddress, ServiceClient
from shared.running.config import EX_CONFIG
from shared.words import internal, messages, topics
from shared.words.internal_readings import ReadingsPage, ReadingsQuery, ReadingsReady
from shared.words.messages import Availability, By, Description, DeviceDescription, State
from shared.words.names import Kind
from shared.words.problem import HomeError
from tests import warm
from tests.house import DEADLINE, Broker, come_up, end, listens
from tests.integration.mqtt_parts import Client


class Recorder:
    """The service of the broker's home, with a database of its own; may be killed and started again."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        homes.lay_out(broker.home)
        self.broker = broker
        self.port = broker.home.settings.readings_port
        self.database = folder / "readings.sqlite3"
        self.config = folder / "readings.toml"
        rendered = broker.home.config("readings").read_text()
        self.config.write_text(rendered.replace(f"{broker.home.var}/data/readings.sqlite3", str(self.database)))
        self.err = folder / "readings.err"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until its port is taken."""
        command = [sys.executable, "-m", "alert_service.readings", "--config", str(self.config)]
        with self.err.open("ab") as err:
            self.process = warm.Popen(command, stderr=err, env=os.environ)
        come_up(self.process, lambda: listens(self.port), "the recorder listens", said=self.err.read_text)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)

    async def ask(self, who: str = "gateway", *, kind: Kind = Kind.SWITCH, device: str = "lamp") -> ReadingsPage:
        """What it says of the last hour, with the certificate of `who`."""
        now = int(time.time())
        query = ReadingsQuery(room="hall", device=device, kind=kind, since=now - 3600, until=now + 1, step=10)
        address = ReadingsAddress(port=self.port)
        client = ServiceClient(address, self.broker.identity(who), absent="readings-unreachable", seconds=DEADLINE)
        async with client:
            return await client.call("POST", internal.READINGS, ReadingsPage, query)

    async def ready(self) -> ReadingsReady:
        """How it fares, by its own word."""
        address = ReadingsAddress(port=self.port)
        client = ServiceClient(address, self.broker.identity("admin"), absent="readings-unreachable", seconds=DEADLINE)
        async with client:
            return await client.call("GET", internal.READY, ReadingsReady)

    def rows(self) -> list[tuple[float | None, str | None]]:
        """What was written, in order."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT value, fault FROM readings ORDER BY device, at").fetchall()


class Hall:
    """The hall, as its agent speaks."""

    def __init__(self, broker: Broker) -> None:
        self._client = Client(broker, "hall")
        devices = tuple(
            DeviceDescription(id=name, name=name, kind=kind, critical=False, confirm=False, actions=(), safe_actions=())
            for name, kind in (("lamp", Kind.SWITCH), ("air", Kind.TEMPERATURE))
        )
        said = Description(room="hall", name="Hall", agent_version="1", devices=devices)
        self._client.publish(topics.description("hall"), messages.encode(said), retain=True)
        self.beat()

    def beat(self) -> None:
        there = Availability(status="online", at=messages.utc(time.time()), session="s1")
        self._client.publish(topics.availability("hall"), messages.encode(there), retain=True)

    def say(self, device: str, value: str | float, *, since: float | None = None) -> None:
        said = State(value=value, since=messages.utc(since or time.time()), by=By(source="input"))
        self._client.publish(topics.state("hall", device), messages.encode(said), retain=True)

    def confirmed(self, messages_sent: int) -> None:
        """Wait until the broker has confirmed so many."""
        for _ in range(messages_sent):
            assert self._client.pubacks.get(timeout=DEADLINE) < 128

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def recorder(broker: Broker, tmp_path: Path) -> Iterator[Recorder]:
    """A running one."""
    made = Recorder(broker, tmp_path)
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        end([made.process])


@pytest.fixture
def hall(broker: Broker) -> Iterator[Hall]:
    made = Hall(broker)
    yield made
    made.close()


async def eventually_on(recorder: Recorder) -> ReadingsPage:
    """Until it knows that the lamp is on."""
    async with asyncio.timeout(DEADLINE):
        page = await recorder.ask()
        while not any(point.on > 0 for point in page.points):
            await asyncio.sleep(0.05)
            page = await recorder.ask()
        return page


async def test_what_a_room_says_is_answered_to_gateways_and_to_nobody_else(recorder: Recorder, hall: Hall) -> None:
    hall.say("lamp", "on")
    page = await eventually_on(recorder)
    assert len(page.points) == 361
    assert page.begun is not None
    assert (await recorder.ready()).devices == 1
    for who in ("hall", "phone", "alerts"):
        with pytest.raises(HomeError) as refused:
            await recorder.ask(who)
        assert refused.value.slug == "forbidden"


async def test_a_stop_and_a_start_neither_lose_nor_repeat_anything(recorder: Recorder, hall: Hall) -> None:
    hall.say("lamp", "off", since=time.time() - 5)
    hall.say("lamp", "on")
    await eventually_on(recorder)
    assert recorder.stop() == 0
    assert recorder.rows()[-1] == (1.0, None)
    before = recorder.rows()
    recorder.start()
    hall.beat()
    await eventually_on(recorder)
    assert recorder.stop() == 0
    assert recorder.rows() == before


async def test_after_kill_9_the_room_says_how_it_went_on(recorder: Recorder, hall: Hall) -> None:
    hall.say("lamp", "off", since=time.time() - 5)
    hall.say("lamp", "on")
    await eventually_on(recorder)
    recorder.stop(signal.SIGKILL)
    recorder.start()
    hall.beat()
    await eventually_on(recorder)
    assert recorder.stop() == 0
    assert recorder.rows()[-1] == (1.0, None)


async def test_a_flood_is_thinned_and_the_last_word_stands(recorder: Recorder, hall: Hall) -> None:
    for number in range(3000):
        hall.say("air", float(number % 500))
    hall.say("air", 21.5)
    hall.confirmed(3003)
    async with asyncio.timeout(DEADLINE):
        while await _last(recorder) != 21.5:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    assert recorder.stop() == 0
    assert len(recorder.rows()) <= 240  # 60 a minute, however long a busy machine takes over it
    assert recorder.rows()[-1] == (21.5, None)


async def _last(recorder: Recorder) -> float | None:
    """The value that holds now: of a second in which nothing new came."""
    page = await recorder.ask(kind=Kind.TEMPERATURE, device="air")
    quiet = [point for point in page.points if point.known]
    return quiet[-1].mean if quiet and quiet[-1].count == 0 else None


def test_a_configuration_that_cannot_be_names_everything_wrong(recorder: Recorder) -> None:
    text = recorder.config.read_text().replace("raw_days = 10", "raw_days = 100").replace("off = []", 'off = ["lamp"]')
    wrong = recorder.config.with_name("wrong.toml")
    wrong.write_text(text)
    command = [sys.executable, "-m", "alert_service.readings", "--check-config", "--config", str(wrong)]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode == EX_CONFIG
    assert "raw_days may not be more than five_minute_days" in tried.stderr
    assert '"lamp" names no device' in tried.stderr


async def test_a_broker_that_goes_away_and_comes_back_is_no_end(recorder: Recorder, broker: Broker, hall: Hall) -> None:
    hall.close()
    broker.kill()
    broker.start()
    back = Hall(broker)
    try:
        back.say("lamp", "on")
        await eventually_on(recorder)
        assert (await recorder.ready()).broker
    finally:
        back.close()
