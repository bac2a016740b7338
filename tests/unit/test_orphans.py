"""No run of the tests leaves a process behind: whether it went through or was broken off, alone or side by side."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import DEADLINE, until

ROOT = Path(__file__).resolve().parents[2]
LEFT_BEHIND = "def test_it():\n    subprocess.Popen([*SLEEP])\n"
ORPHANED = "def test_it():\n    subprocess.run(['sh', '-c', 'setsid ' + ' '.join(SLEEP) + ' >/dev/null 2>&1 &'])\n"
TIDY = """
@pytest.fixture
def sleeper():
    process = subprocess.Popen(SLEEP)
    yield
    process.terminate()
    process.wait()

def test_it(sleeper):
    pass
"""
WAITING = TIDY + "    time.sleep(600)\n"
WATCHED = "from tests import orphans\n\ndef pytest_configure(config):\n    orphans.watch(config)\n"
SIDE_BY_SIDE = ("-n", "2")


class Run:
    """pytest on one file, as `make test` would run it."""

    def __init__(self, folder: Path, program: str, *workers: str) -> None:
        # Nobody else sleeps for so long: that is how it is found.
        self.seconds = str(100_000 + os.getpid())
        head = f"import subprocess, time, pytest\nSLEEP = ['sleep', '{self.seconds}']\n"
        (folder / "test_trial.py").write_text(head + program)
        (folder / "conftest.py").write_text(WATCHED)
        # In a shell's background interrupts are ignored, and so they would be by whatever is started there.
        self.process = subprocess.Popen(
            ["env", "--default-signal=INT", sys.executable, "-m", "pytest", *workers],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def said(self) -> str:
        return self.process.communicate(timeout=DEADLINE)[0]

    @property
    def sleeping(self) -> bool:
        """Whether what it started lives."""
        return any(_command(entry) == f"sleep\0{self.seconds}\0" for entry in Path("/proc").glob("[0-9]*"))


def _command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_text(errors="replace")
    except OSError:
        return ""  # it is gone


@pytest.mark.parametrize(
    ("program", "workers"), [(LEFT_BEHIND, ()), (ORPHANED, SIDE_BY_SIDE)], ids=["child", "orphan of another"]
)
def test_what_was_left_behind_is_named_and_ended_and_a_failure(
    program: str, workers: tuple[str, ...], tmp_path: Path
) -> None:
    run = Run(tmp_path, program, *workers)
    said = run.said()
    assert run.process.returncode == 1, said
    assert "left behind, and were ended ===" in said
    assert f"\nsleep {run.seconds}\n" in said
    assert "1 passed" in said.splitlines()[-1]
    assert not run.sleeping


def test_who_tidies_up_is_not_blamed(tmp_path: Path) -> None:
    run = Run(tmp_path, TIDY, *SIDE_BY_SIDE)
    said = run.said()
    assert run.process.returncode == 0, said
    assert "left behind" not in said


@pytest.mark.parametrize(
    ("end", "workers"),
    [(os.killpg, ()), (os.killpg, SIDE_BY_SIDE), (os.kill, SIDE_BY_SIDE)],
    ids=["alone", "side by side, from the terminal", "side by side, sent to the one that was started"],
)
def test_an_interrupt_ends_everything(
    end: Callable[[int, int], None], workers: tuple[str, ...], tmp_path: Path
) -> None:
    run = Run(tmp_path, WAITING, *workers)
    until(lambda: run.sleeping, "the test is under way")
    end(run.process.pid, signal.SIGINT)
    said = run.said()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert not run.sleeping
