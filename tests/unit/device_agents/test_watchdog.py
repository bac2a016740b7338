"""The hardware watchdog, on a file that stands for the device: fed by a loop that is well, stopped by a clean end."""

import errno
import os
import struct
from pathlib import Path

import pytest

from device_agents.agent import Agent
from device_agents.inbox import Stop
from device_agents.ledger.ledger import Ledger
from device_agents.link.link import Up
from device_agents.watchdog import FOOD, MAGIC, SET_TIMEOUT, Watchdog
from shared.running.config import ConfigError
from tests.unit.device_agents.fakes import FakeLink, FakePins, room_config


class Board:
    """A watchdog device: what was written to it, and which timeouts it was asked for and grants."""

    def __init__(self, folder: Path, *, most: int = 60, refuses: int = 0) -> None:
        self.path = folder / "watchdog"
        self.path.touch()
        self.asked: list[int] = []
        self._most = most
        self._refuses = refuses

    def ioctl(self, _device: int, request: int, argument: bytes) -> bytes:
        assert request == SET_TIMEOUT
        if self._refuses:
            raise OSError(self._refuses, os.strerror(self._refuses))
        self.asked += struct.unpack("i", argument)
        return struct.pack("i", min(self.asked[-1], self._most))

    def watchdog(self, seconds: int = 15) -> Watchdog:
        return Watchdog(self.path, seconds, ioctl=self.ioctl)

    @property
    def written(self) -> bytes:
        return self.path.read_bytes()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_it_is_fed_every_third_of_its_timeout_however_often_the_loop_turns(board: Board) -> None:
    with board.watchdog(15) as watchdog:
        assert board.asked == [15]
        for tenth in range(200):
            watchdog.feed(1000 + tenth / 10)
        assert board.written == FOOD * 4
        assert watchdog.deadline() == 1020


def test_a_board_that_grants_less_is_fed_more_often(tmp_path: Path) -> None:
    board = Board(tmp_path, most=9)
    with board.watchdog(60) as watchdog:
        watchdog.feed(1000)
        assert watchdog.deadline() == 1003


def test_a_clean_end_stops_it(board: Board) -> None:
    with board.watchdog() as watchdog:
        watchdog.feed(1000)
    assert board.written == FOOD + MAGIC
    assert watchdog.deadline() is None
    watchdog.feed(2000)
    assert board.written == FOOD + MAGIC


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_end_by_a_fault_leaves_it_running(board: Board, fault: type[BaseException]) -> None:
    watchdog = board.watchdog()
    with pytest.raises(fault), watchdog:
        raise fault
    assert board.written == b""
    assert watchdog.deadline() is not None
    watchdog.__exit__(None, None, None)


def test_a_configuration_of_no_use_stops_it_as_nobody_starts_the_agent_again(board: Board) -> None:
    with pytest.raises(ConfigError), board.watchdog():
        raise ConfigError("pins: no")
    assert board.written == MAGIC


def test_without_a_device_there_is_nothing_to_do() -> None:
    with Watchdog(None, 15) as watchdog:
        watchdog.feed(1000)
        assert watchdog.deadline() is None


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EBUSY, "RuntimeWatchdogSec=0"),
        (errno.EACCES, "give the agent's user the right"),
        (errno.EPERM, "give the agent's user the right"),
        (errno.ENOENT, "on a Pi it is /dev/watchdog"),
        (errno.ENXIO, "name a Linux watchdog device"),
    ],
)
def test_a_device_that_cannot_be_opened_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def refuse(_path: Path, _flags: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("device_agents.watchdog.os.open", refuse)
    with pytest.raises(ConfigError, match=f"^watchdog: /dev/watchdog cannot be opened .*{advice}"):
        Watchdog(Path("/dev/watchdog"), 15)


def test_a_timeout_that_the_board_does_not_take_is_refused_and_the_timer_stopped(tmp_path: Path) -> None:
    board = Board(tmp_path, refuses=errno.EINVAL)
    with pytest.raises(ConfigError, match=r"^watchdog_seconds: .* does not take 60 .*; a Pi takes at most 15"):
        board.watchdog(60)
    assert board.written == MAGIC


def test_a_file_that_is_no_watchdog_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_bytes(b"precious")
    with pytest.raises(ConfigError, match=r"^watchdog: .*notes is no watchdog"):
        Watchdog(path, 15)
    assert path.read_bytes() == b"precious"


def test_a_device_that_takes_no_word_is_told_and_does_not_stop_the_loop(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    watchdog = Watchdog(Path("/dev/full"), 15, ioctl=board.ioctl)
    watchdog.feed(1000)
    assert "Hardware watchdog takes no word" in caplog.text
    assert watchdog.deadline() == 1005
    watchdog.__exit__(None, None, None)


# --- in the agent's loop -----------------------------------------------------------------------------------------


class Loop:
    """An agent on fakes with a watchdog, its clock moved by hand."""

    def __init__(self, folder: Path, board: Board) -> None:
        self.now = 1000.0
        self.watchdog = board.watchdog()
        config = room_config(folder)
        ledger = Ledger(config.data / "hall.sqlite3")
        self.link = FakeLink()
        self.agent = Agent(
            config,
            FakePins(),
            ledger,
            link=self.link,
            watchdog=self.watchdog,
            monotonic=lambda: self.now,
            wall=lambda: 1_800_000_000.0 + self.now,
        )


def test_a_loop_that_is_idle_wakes_in_time_to_feed_it(tmp_path: Path, board: Board) -> None:
    loop = Loop(tmp_path, board)
    loop.agent.start()
    loop.agent.tick(loop.now)
    fed_at = loop.now
    for _ in range(20):
        loop.now = loop.agent.deadline()
        assert loop.now <= fed_at + 5
        before = len(board.written)
        loop.agent.tick(loop.now)
        if len(board.written) > before:
            fed_at = loop.now
    loop.agent.inbox.put(Stop())
    with loop.watchdog:
        loop.agent.run()
    assert board.written.endswith(FOOD + MAGIC)


def test_a_loop_whose_every_turn_fails_does_not_feed_it(
    tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(tmp_path, board)
    turns = 0

    def tick(now: float) -> None:
        nonlocal turns
        turns += 1
        if turns == 50:
            loop.agent.inbox.put(Stop())
        raise RuntimeError("a fault that stays")

    def take_time(seconds: float) -> None:
        loop.now += 10

    monkeypatch.setattr(loop.link, "tick", tick)
    monkeypatch.setattr("device_agents.agent.time.sleep", take_time)
    with loop.watchdog:
        loop.agent.run()
    assert turns >= 50
    assert board.written == MAGIC


def test_a_fault_of_one_message_is_no_fault_of_the_loop(
    tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(tmp_path, board)

    def took(_event: object, _now: float) -> bool:
        loop.agent.inbox.put(Stop())
        raise RuntimeError("a fault that passes")

    monkeypatch.setattr(loop.link, "took", took)
    loop.agent.inbox.put(Up(None))
    with loop.watchdog:
        loop.agent.run()
    assert board.written == FOOD + MAGIC
