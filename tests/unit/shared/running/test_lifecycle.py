"""How a service lives and leaves: 0 after a signal, 78 for a configuration that cannot be used, 1 for a fault."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shared.running import lifecycle
from shared.running.config import ConfigError
from tests.demo import ROOT
from tests.house import DEADLINE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    told = []

    async def main() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # the way out may wait for something
            told.append("cleaned up")

    assert lifecycle.run(main) == 0
    assert told == ["cleaned up"]


def test_an_end_of_its_own_is_fine() -> None:
    async def main() -> None:
        await asyncio.sleep(0)

    assert lifecycle.run(main) == 0


def test_a_configuration_error_is_told_and_ends_with_78(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        raise ConfigError("x.toml: port: no\nx.toml: host: no")

    assert lifecycle.run(main) == 78
    assert capsys.readouterr().err == "configuration: x.toml: port: no\nconfiguration: x.toml: host: no\n"


def test_a_configuration_error_inside_a_group_of_tasks_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail() -> None:
        raise ConfigError("deep")

    async def main() -> None:
        async with asyncio.TaskGroup() as outer, asyncio.TaskGroup() as inner:
            outer.create_task(asyncio.sleep(60))
            inner.create_task(fail())

    assert lifecycle.run(main) == 78
    assert "deep" in capsys.readouterr().err


def test_a_fault_is_logged_with_its_traceback_and_ends_with_1(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        raise ZeroDivisionError

    assert lifecycle.run(main) == 1
    assert "Service failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_dying_task_ends_the_others_and_the_service(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(other())
            group.create_task(fail())

    assert lifecycle.run(main) == 1
    assert ended == ["other"]


async def test_a_loop_leaves_though_a_library_swallowed_its_stop() -> None:
    async def loop() -> None:
        while True:
            lifecycle.leave_if_stopped()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=DEADLINE)
    assert task.cancelled()


async def test_a_timeout_of_its_own_is_no_stop() -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.sleep(60)
    lifecycle.leave_if_stopped()


async def test_the_loop_itself_says_that_it_goes_round_and_how_the_service_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_LOOK_SECONDS", 0.0)
    words = iter(["first", "first", "second"])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with pytest.raises(RuntimeError):  # StopIteration, when the words are over
            await lifecycle.stay_alive(lambda: next(words))
        assert manager.recv(1024) == b"WATCHDOG=1\nSTATUS=first"
        assert manager.recv(1024) == b"WATCHDOG=1\nSTATUS=second"


def test_a_thread_that_waits_for_ever_keeps_no_process_from_leaving() -> None:
    """As one does that asks a silent name server: nothing takes that back."""
    code = """
import asyncio, os, signal, threading
from shared.running import lifecycle

async def main() -> None:
    asyncio.get_running_loop().run_in_executor(None, begin)
    await asyncio.Event().wait()

def begin() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()

lifecycle.leave(lifecycle.run(main))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=DEADLINE, check=False, capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_what_was_said_last_is_not_lost_where_a_process_leaves() -> None:
    code = "import sys; from shared.running import lifecycle; sys.stdout.write('the last word'); lifecycle.leave(78)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (78, "the last word")
