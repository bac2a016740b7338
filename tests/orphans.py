"""No process that a test started outlives the run: whoever is orphaned becomes ours, is named, and is ended."""

import ctypes
import os
import signal
from pathlib import Path

import pytest

_ADOPT = 36
"""PR_SET_CHILD_SUBREAPER (prctl(2))."""


def watch(config: pytest.Config) -> None:
    """Do so in this run. Of processes that run tests side by side (pytest-xdist), the one that started them does."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Watch())


class _Watch:
    """From its making on a process whose parent ends is a child of this one, and not of the machine's first."""

    def __init__(self) -> None:
        self._left: list[str] = []
        self._broken_off = False
        if ctypes.CDLL(None, use_errno=True).prctl(_ADOPT, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "this process cannot adopt orphans")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End all that lives, also after Ctrl-C; a run that went well but for that has failed."""
        self._left = _end_all()
        self._broken_off = session.exitstatus == pytest.ExitCode.INTERRUPTED
        if self._left and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them; whoever broke the run off knows why they lived."""
        if self._left and not self._broken_off:
            terminalreporter.section("processes that were left behind, and were ended")
            terminalreporter.write_line("\n".join(self._left))


def _end_all() -> list[str]:
    """End every child of this process, and theirs as they become ours; the command lines of those that lived."""
    found = list[str]()
    while living := _children():
        found += living.values()
        for pid in living:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return found


def _children() -> dict[int, str]:
    """Command lines by pid; one that has ended has none, and is gone for good when this process is."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it ended while we looked
        if parent == os.getpid() and command:
            found[int(entry.name)] = command
    return found
