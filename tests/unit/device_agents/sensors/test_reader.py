"""The threads that read sensors: each on its own, in turn on a shared wire, and silent after the end."""

import queue
import threading
from collections.abc import Callable

import pytest

from device_agents.sensors.reader import Probe, Reader
from device_agents.sensors.readings import Reading, SensorError
from tests.house import DEADLINE

FAST = 0.001


def say(value: float) -> Callable[[], float]:
    return lambda: value


def fail(error: Exception) -> Callable[[], float]:
    def read() -> float:
        raise error

    return read


def test_each_sensor_is_read_at_once_and_again_and_again() -> None:
    heard: queue.SimpleQueue[Reading] = queue.SimpleQueue()
    reader = Reader([Probe("warmth", "a", FAST, say(21.0)), Probe("damp", "a", FAST, say(48.0))])
    reader.start(heard.put)
    first = [heard.get(timeout=DEADLINE) for _ in range(10)]
    reader.close()
    assert set(first) == {Reading("warmth", 21.0), Reading("damp", 48.0)}


def test_the_pause_is_each_devices_own() -> None:
    heard: queue.SimpleQueue[Reading] = queue.SimpleQueue()
    reader = Reader([Probe("warmth", "a", FAST, say(21.0)), Probe("damp", "a", 3600.0, say(48.0))])
    reader.start(heard.put)
    devices = [heard.get(timeout=DEADLINE).device for _ in range(20)]
    reader.close()
    assert devices.count("damp") == 1


def test_a_failed_reading_is_heard_with_its_reason_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    heard: queue.SimpleQueue[Reading] = queue.SimpleQueue()
    reader = Reader(
        [
            Probe("warmth", "a", FAST, fail(SensorError("the wire is cut"))),
            Probe("damp", "b", FAST, fail(ZeroDivisionError("a fault of ours"))),
        ]
    )
    reader.start(heard.put)
    wanted = {Reading("warmth", None, "the wire is cut"), Reading("damp", None, "a fault of ours")}
    for expected in wanted:
        for _ in range(2):
            while heard.get(timeout=DEADLINE) != expected:
                pass
    reader.close()
    assert {record.message for record in caplog.records} == {"Reading a sensor failed"}


def test_a_sensor_that_hangs_stops_no_other_and_is_not_heard_after_the_end() -> None:
    heard: queue.SimpleQueue[Reading] = queue.SimpleQueue()
    reading, answer = threading.Event(), threading.Event()

    def hang() -> float:
        reading.set()
        answer.wait(20)
        return 99.0

    reader = Reader([Probe("stuck", "a", FAST, hang), Probe("warmth", "b", FAST, say(21.0))])
    reader.start(heard.put)
    assert reading.wait(DEADLINE)
    assert {heard.get(timeout=DEADLINE) for _ in range(5)} == {Reading("warmth", 21.0)}
    threads = [thread for thread in threading.enumerate() if thread.name in ("sensor a", "sensor b")]
    reader.close()
    while not heard.empty():
        heard.get()
    answer.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert heard.empty()


def test_what_was_never_started_can_be_closed() -> None:
    Reader([]).close()
