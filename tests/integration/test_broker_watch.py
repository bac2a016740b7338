"""The watch over a real Mosquitto: it tells systemd of life while there is life, and of nothing else."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker_watch.probe import Probe, SilentError
from deploy.folder import home as homes
from deploy.live_broker import broker as brokers
from tests import years
from tests.house import DEADLINE, Broker, is_alive, until


class Watched:
    """`python -m deploy.broker_watch` on a home of its own, and what it tells a service manager that is ours."""

    def __init__(self, home: homes.Home, folder: Path, **environment: str) -> None:
        self.home = home
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(folder / "notify"))
        self._manager.settimeout(DEADLINE)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.broker_watch", str(home.var / "mosquitto.conf")],
            cwd=homes.ROOT,
            env=os.environ | {"NOTIFY_SOCKET": str(folder / "notify")} | environment,
        )

    def hear(self) -> str:
        """The next message."""
        return self._manager.recv(4096).decode()

    def hear_until(self, words: str) -> str:
        """The first message with these words."""
        end = time.monotonic() + 2 * DEADLINE
        while words not in (heard := self.hear()):
            assert time.monotonic() < end, f"never told: {words}"
        return heard

    @property
    def broker(self) -> int:
        return until(lambda: brokers.process(self.home), "the broker runs")

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if (left := brokers.process(self.home)) is not None:
            os.kill(left, signal.SIGKILL)
        self._manager.close()


@pytest.fixture
def watched(broker: Broker, tmp_path: Path) -> Iterator[Watched]:
    """In place of the module's broker, on its files."""
    broker.stop()
    made = Watched(broker.home, tmp_path)
    yield made
    made.close()
    broker.start()


def test_ready_comes_with_the_first_sign_of_life(watched: Watched) -> None:
    assert watched.hear() == "READY=1\nWATCHDOG=1\nSTATUS=Answering"
    assert watched.hear() == "WATCHDOG=1\nSTATUS=Answering"
    assert watched.end() == 0
    assert brokers.process(watched.home) is None


def test_a_frozen_broker_is_no_longer_told_alive_until_it_goes_on(watched: Watched) -> None:
    watched.hear_until("READY=1")
    os.kill(watched.broker, signal.SIGSTOP)
    assert "WATCHDOG" not in watched.hear_until("No sign of life")
    os.kill(watched.broker, signal.SIGCONT)
    assert watched.hear() == "WATCHDOG=1\nSTATUS=Answering"
    assert watched.end() == 0


def test_a_broker_that_stays_frozen_is_ended_with_its_watch_so_that_both_are_started_anew(watched: Watched) -> None:
    watched.hear_until("READY=1")
    os.kill(watched.broker, signal.SIGSTOP)
    watched.hear_until("No sign of life")
    assert watched.process.wait(2 * DEADLINE) == 1
    assert brokers.process(watched.home) is None


def test_a_broker_that_dies_takes_its_watch_along_so_that_both_are_started_anew(watched: Watched) -> None:
    watched.hear_until("READY=1")
    os.kill(watched.broker, signal.SIGKILL)
    assert watched.process.wait(DEADLINE) == 1


def test_a_changed_list_is_read_by_the_same_signal_as_before(watched: Watched) -> None:
    """Told by what it does: a client of a revoked certificate is refused afterwards."""
    watched.hear_until("READY=1")
    former = watched.broker
    pki = watched.home.pki
    kept = (pki / "crl.pem").read_bytes()
    watched.home.authority().revoke("broker-watch")
    watched.process.send_signal(signal.SIGHUP)
    probe = Probe(("127.0.0.1", watched.home.settings.mqtt_port), pki)
    until(lambda: "revoked" in probe_anew(probe), "the list is believed")
    assert watched.broker == former
    (pki / "crl.pem").write_bytes(kept)
    for name in ("broker-watch.crt", "broker-watch.key"):
        (pki / name).unlink()
    homes.renew(watched.home)
    assert watched.end() == 0


def probe_anew(probe: Probe) -> str:
    probe.close()
    return probe.ask()


def test_a_refusal_is_a_sign_of_life(broker: Broker, tmp_path: Path) -> None:
    assert "cannot come in" in Probe(("127.0.0.1", broker.port), tmp_path).ask()


def test_nobody_who_listens_is_none(broker: Broker) -> None:
    broker.stop()
    with pytest.raises(SilentError, match="nobody listens"):
        Probe(("127.0.0.1", broker.port), broker.home.pki).ask()
    broker.start()


def test_a_broker_that_a_killed_watch_left_behind_makes_room_for_the_next(watched: Watched, tmp_path: Path) -> None:
    watched.hear_until("READY=1")
    former = watched.broker
    os.kill(former, signal.SIGSTOP)  # also one that could not end by itself
    watched.process.kill()
    watched.process.wait(DEADLINE)
    (tmp_path / "next").mkdir()
    following = Watched(watched.home, tmp_path / "next")
    try:
        following.hear_until("READY=1")
        assert following.broker != former
        assert not is_alive(former)
    finally:
        following.close()


def test_a_broker_that_lived_through_a_jump_of_the_calendar_is_started_anew(broker: Broker, tmp_path: Path) -> None:
    library = years.library()
    if library is None:
        pytest.skip("libfaketime is not installed")
    broker.stop()
    clock = tmp_path / "clock"
    clock.write_text("+0d\n")
    watched = Watched(
        broker.home,
        tmp_path,
        LD_PRELOAD=str(library),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        FAKETIME_NO_CACHE="1",
    )
    watched.hear_until("READY=1")
    former = watched.broker
    clock.write_text("+20d\n")
    watched.hear_until("READY=1")
    assert watched.broker != former
    assert watched.process.poll() is None
    watched.process.send_signal(
        signal.SIGHUP
    )  # which the new one must hear: it would end a process that blocks nothing
    assert watched.hear() == "WATCHDOG=1\nSTATUS=Answering"
    assert watched.end() == 0
    watched.close()
    broker.start()
