"""The watchdog of a Pi as Debian's own driver runs it, on registers in memory that count what would be a reset."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device_agents import complaints
from device_agents.watchdog import MAGIC, Watchdog
from shared.running.config import ConfigError
from tests.house import DEADLINE, until
from tests.pins.inside.loading import load, unload

DEVICE = Path("/dev/watchdog")
SHOWN = Path("/sys/class/watchdog/watchdog0")
SAID = Path("/tmp/fed")
RESETS = Path("/sys/module/pm_memory/parameters/resets")
ROOM = """
room = "hall"
name = "Hall"
pins = "rpi"
data = "/tmp/data"
watchdog = "/dev/watchdog"
watchdog_seconds = {seconds}
[broker]
identity = "hall"
[broker.tls]
ca = "/a"
certificate = "/b"
key = "/c"
[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = 17
"""
MINUTE = 60

Saw = Callable[[str], None]


@pytest.fixture
def pi() -> Iterator[None]:
    """A Pi's timer, stopped and taken out again at the end."""
    load("pm-memory")
    RESETS.write_text("0")
    load("bcm2835-wdt")
    until(DEVICE.exists, "the device")
    yield
    DEVICE.write_bytes(MAGIC)
    unload("bcm2835_wdt")


def resets() -> int:
    return int(RESETS.read_text())


def state() -> str:
    return (SHOWN / "state").read_text().strip()


@contextmanager
def fed(device: Path = DEVICE) -> Iterator[subprocess.Popen[bytes]]:
    """A loop that feeds the device; killed at the end where it still lives."""
    words = [sys.executable, "-m", "tests.pins.inside.fed", str(device), "15"]
    with SAID.open("w") as said, subprocess.Popen(words, stdout=said) as process:
        try:
            until(lambda: "fed\n" in SAID.read_text(), "a loop that turns")
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[bytes]) -> str:
    """All that it said, to its clean end."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0
    return SAID.read_text()


def lived(file: Path, saw: Saw) -> None:
    """A room's agent with such a file, as far as its watchdog goes: fed by a loop that turns all the time."""
    room = complaints.read(file)
    with Watchdog(room.watchdog, room.watchdog_seconds) as watchdog:
        end = time.monotonic() + room.watchdog_seconds
        while time.monotonic() < end and resets() == 0:
            watchdog.feed(time.monotonic())
            time.sleep(0.05)
    saw(f"watchdog_seconds = {room.watchdog_seconds} is taken; fed in time; resets of the board: {resets()}")


@pytest.mark.usefixtures("pi")
@pytest.mark.parametrize("seconds", [16, 20, 24, 60])
def test_more_than_a_pi_can_count_is_refused_before_its_timer_starts(tmp_path: Path, seconds: int, saw: Saw) -> None:
    (tmp_path / "hall.toml").write_text(ROOM.format(seconds=seconds))
    with pytest.raises(ConfigError) as told:
        lived(tmp_path / "hall.toml", saw)
    assert (resets(), state()) == (0, "inactive")
    saw(f"{str(told.value).partition(': ')[2]}; resets: 0")


@pytest.mark.usefixtures("pi")
@pytest.mark.parametrize("seconds", [17, 20, 30])
def test_a_driver_that_counts_otherwise_than_it_says_is_refused_and_stopped(seconds: int, saw: Saw) -> None:
    with pytest.raises(ConfigError, match=f"says {seconds} .* counts") as told:
        Watchdog(DEVICE, seconds)
    assert (resets(), state()) == (0, "inactive")
    saw(f"asked for {seconds}: {told.value}")


@pytest.mark.usefixtures("pi")
def test_a_loop_that_is_well_is_never_reset_and_a_clean_end_stops_the_timer(saw: Saw) -> None:
    with fed() as process:
        lowest, end = 15, time.monotonic() + MINUTE
        while time.monotonic() < end:
            assert (resets(), state()) == (0, "active")
            lowest = min(lowest, int((SHOWN / "timeleft").read_text()))
            time.sleep(0.25)
        ended(process)
    assert (resets(), state(), lowest > 1) == (0, "inactive", True)
    saw(f"15 s, fed by a loop that is well for a minute: never less than {lowest} s left, 0 resets; then stopped")


@pytest.mark.usefixtures("pi")
def test_a_loop_that_is_frozen_is_reset(saw: Saw) -> None:
    with fed() as process:
        process.send_signal(signal.SIGSTOP)
        frozen = time.monotonic()
        until(was_reset, "a reset")
        saw(f"15 s, frozen with SIGSTOP: the board is reset after {time.monotonic() - frozen:.0f} s")


@pytest.mark.usefixtures("pi")
def test_a_loop_that_is_killed_is_reset_unless_another_takes_over(saw: Saw) -> None:
    with fed() as first:
        first.kill()
        first.wait()
        with Watchdog(DEVICE, 15):  # of this process, which need not start first: on a busy machine that takes long
            assert state() == "active"
    assert (resets(), state()) == (0, "inactive")
    with fed() as second:
        second.kill()
    until(was_reset, "a reset")
    saw("killed with kill -9: reset; where the next one starts in time it takes over, 0 resets")


def test_a_timer_that_cannot_be_stopped_resets_after_a_clean_end_and_says_so_before(saw: Saw) -> None:
    load("pm-memory")
    RESETS.write_text("0")
    load("bcm2835-wdt", "nowayout=1")  # to stay: nobody can take it out again
    load("softdog", "nowayout=1", "soft_noboot=1")
    until(Path("/dev/watchdog1").exists, "the second device")
    for device, reset in ((DEVICE, was_reset), (Path("/dev/watchdog1"), softdog_fired)):
        with fed(device) as process:
            assert not reset()
            said = ended(process)
        assert "cannot be stopped (nowayout): after any end of the agent, a clean stop too, the board is reset" in said
        until(reset, "a reset")
        saw(f"nowayout, {device}: said at the start as a warning; 15 s after a clean stop the board is reset")


def was_reset() -> bool:
    return resets() > 0


def softdog_fired() -> bool:
    said = subprocess.run(["dmesg"], check=True, capture_output=True, text=True).stdout
    return "softdog: Triggered - Reboot ignored" in said
