"""The hardware watchdog, on a file that stands for the device: fed by a loop that is well, stopped by a clean end."""

import errno
import os
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest

from device_agents.agent import Agent
from device_agents.inbox import Stop
from device_agents.ledger.ledger import Ledger
from device_agents.link.link import Up
from device_agents.watchdog import FOOD, MAGIC, SET_TIMEOUT, TIME_LEFT, TIMEOUT, Watchdog
from shared.running.config import ConfigError
from tests.unit.device_agents.fakes import FakeLink, FakePins, room_config


class Board:
    """A watchdog device: what was written to it, which timeouts it was asked for, and what it makes of them.

    `fixed` takes none and counts to that; `says_left` is its answer to how much is left, None where it has none.
    """

    def __init__(
        self, folder: Path, *, most: int = 60, refuses: int = 0, fixed: int = 0, says_left: int | None = None
    ) -> None:
        self.path = folder / "watchdog"
        self.path.touch()
        self.sys = folder / "sys"
        self.asked: list[int] = []
        self._most = most
        self._refuses = errno.EOPNOTSUPP if fixed else refuses
        self._timeout = fixed or most
        self._says_left = says_left

    def ioctl(self, _device: int, request: int, argument: bytes) -> bytes:
        if request == SET_TIMEOUT and not self._refuses:
            self.asked += struct.unpack("i", argument)
            self._timeout = min(self.asked[-1], self._most)
            return argument  # as if it were what was asked for
        if request == TIMEOUT and self._timeout:
            return struct.pack("i", self._timeout)
        if request == TIME_LEFT and self._says_left is not None:
            assert self.written.endswith(FOOD)
            return struct.pack("i", self._says_left)
        number = self._refuses if request == SET_TIMEOUT else errno.EOPNOTSUPP
        raise OSError(number, os.strerror(number))

    def watchdog(self, seconds: int = 15) -> Watchdog:
        return Watchdog(self.path, seconds, ioctl=self.ioctl, sys=self.sys)

    def shown(self, nowayout: str, *, where: str = "dev/char/0:0") -> None:
        """What the kernel shows of the device; this one's number is that of a plain file."""
        folder = self.sys / where
        folder.mkdir(parents=True)
        (folder / "nowayout").write_text(nowayout)

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
        assert board.written == FOOD * 5
        assert watchdog.deadline() == 1020


def test_a_board_that_grants_less_is_fed_more_often(tmp_path: Path) -> None:
    board = Board(tmp_path, most=9)
    with board.watchdog(60) as watchdog:
        watchdog.feed(1000)
        assert watchdog.deadline() == 1003


def test_a_clean_end_stops_it(board: Board) -> None:
    with board.watchdog() as watchdog:
        watchdog.feed(1000)
    assert board.written == FOOD * 2 + MAGIC
    assert watchdog.deadline() is None
    watchdog.feed(2000)
    assert board.written == FOOD * 2 + MAGIC


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_end_by_a_fault_leaves_it_running(board: Board, fault: type[BaseException]) -> None:
    watchdog = board.watchdog()
    with pytest.raises(fault), watchdog:
        raise fault
    assert board.written == FOOD
    assert watchdog.deadline() is not None
    watchdog.__exit__(None, None, None)


def test_a_configuration_of_no_use_stops_it_as_nobody_starts_the_agent_again(board: Board) -> None:
    with pytest.raises(ConfigError), board.watchdog():
        raise ConfigError("pins: no")
    assert board.written == FOOD + MAGIC


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
    with pytest.raises(ConfigError, match=r"^watchdog_seconds: .* does not take 15 .*; another number from 5 to 15"):
        board.watchdog()
    assert board.written == MAGIC


def test_a_board_that_counts_as_it_was_built_to_is_fed_by_that(tmp_path: Path) -> None:
    with Board(tmp_path, fixed=30).watchdog() as watchdog:
        watchdog.feed(1000)
        assert watchdog.deadline() == 1010


@pytest.mark.parametrize(
    ("makes", "told"),
    [
        ({"fixed": 2}, "^watchdog: .* counts to 2 s, and a healthy agent may need 5; leave `watchdog` out"),
        ({"most": 0}, "^watchdog: .* does not say what it counts to .*; leave `watchdog` out"),
        ({"says_left": 0}, "^watchdog_seconds: .* says 15 s and counts 0: .* healthy board; leave `watchdog` out"),
        ({"says_left": 8}, "counts 8: .*; set watchdog_seconds = 8, or leave `watchdog` out"),
    ],
)
def test_one_that_would_reset_a_healthy_board_is_refused_and_stopped(
    tmp_path: Path, makes: dict[str, int], told: str
) -> None:
    board = Board(tmp_path, **makes)
    with pytest.raises(ConfigError, match=told):
        board.watchdog()
    assert board.written.endswith(MAGIC)


@pytest.mark.parametrize("left", [14, 15, 60])
def test_one_that_counts_as_it_says_or_longer_is_taken(tmp_path: Path, left: int) -> None:
    with Board(tmp_path, says_left=left).watchdog() as watchdog:
        watchdog.feed(1000)
        assert watchdog.deadline() == 1005


NOWAYOUT = "cannot be stopped (nowayout): after any end of the agent, a clean stop too, the board is reset"


def test_a_timer_that_nobody_can_stop_is_told_at_the_start_and_at_the_end(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    board.shown("1\n")
    with board.watchdog():
        assert NOWAYOUT in caplog.text
    assert "Hardware watchdog counts on" in caplog.text


def test_what_can_be_stopped_is_not_told_to_be_otherwise(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    board.shown("0\n")
    board.shown("1\n", where="class/watchdog/watchdog0")  # another one
    with board.watchdog():
        pass
    assert "nowayout" not in caplog.text


def test_the_short_name_means_the_first_one(
    board: Board, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    board.shown("1\n", where="class/watchdog/watchdog0")
    named = SimpleNamespace(st_rdev=os.makedev(10, 130))
    with monkeypatch.context() as patched:
        patched.setattr("device_agents.watchdog.os.fstat", lambda _device: named)
        watchdog = board.watchdog()
    with watchdog:
        assert NOWAYOUT in caplog.text


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
    assert board.written == FOOD + MAGIC


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
    assert board.written == FOOD * 2 + MAGIC
