"""What begins warm is as what begins cold: a process, and to itself and to others the same."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.house import until

TELLING = """
import json, os, signal, sys, threading, zoneinfo
from shared.words import names
before = {name.partition(".")[0] for name in sys.modules}
mask = os.umask(0)
files = sorted(os.listdir("/proc/self/fd"))
command = open("/proc/self/cmdline").read().rstrip("\\0").split("\\0")
own = signal.getsignal(signal.SIGINT)
own = own.name if isinstance(own, signal.Handlers) else own is signal.default_int_handler
told = [command, sys.argv, __name__, sys.path[0], os.environ["TOLD"], "HOME" in os.environ, os.getcwd(), mask, files]
told += [os.getsid(0) == os.getpid(), own, signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, zoneinfo.TZPATH]
told += [threading.active_count(), signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN, sys.stdout.line_buffering]
told += [sorted(before & {"shared", "gateway", "auth_service", "deploy", "tests", "supervisor"}), sys.stdin.read()]
print(json.dumps(told))
print("aside", file=sys.stderr)
sys.exit(7)
"""


def told(begin: type["subprocess.Popen[Any]"], folder: Path, *words: str) -> tuple[Any, str, int]:
    """What the module `telling` says of its process, on both ways out, and its exit code."""
    (folder / "telling.py").write_text(TELLING)
    environment = {"TOLD": "é", "PYTHONTZPATH": "", "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "telling", *words]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    before = os.umask(0o027)
    try:
        with begin(command, cwd=folder, env=environment, text=True, start_new_session=True, **pipes) as process:
            out, err = process.communicate("typed")
    finally:
        os.umask(before)
    assert out, err
    return json.loads(out), err, process.returncode


@pytest.mark.parametrize("interrupts", [signal.SIG_IGN, signal.default_int_handler], ids=["ignored", "heeded"])
def test_it_finds_all_as_it_would_have(tmp_path: Path, interrupts: Any) -> None:
    before = signal.signal(signal.SIGINT, interrupts)
    try:
        _compare(tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)


def _compare(tmp_path: Path) -> None:
    cold = told(subprocess.Popen, tmp_path, "--a", "b c")
    assert told(warm.Popen, tmp_path, "--a", "b c") == cold
    assert cold[1:] == ("aside\n", 7)


def started(folder: Path, program: str) -> "subprocess.Popen[str]":
    (folder / "program.py").write_text(program)
    command = [sys.executable, "-m", "program"]
    return warm.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("print('fine')", 0, "fine\n"),
        ("raise SystemExit('no way')", 1, "no way\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("import atexit; atexit.register(print, 'last')", 0, "last\n"),
        ("import threading; threading.Timer(0.1, print, ['later']).start()", 0, "later\n"),
    ],
)
def test_it_ends_as_it_would_have(tmp_path: Path, program: str, code: int, said: str) -> None:
    with started(tmp_path, program) as process:
        assert process.communicate()[0] == said
    assert process.returncode == code


def test_what_it_throws_is_told(tmp_path: Path) -> None:
    with started(tmp_path, "1 / 0") as process:
        assert "ZeroDivisionError" in process.communicate()[0]
    assert process.returncode == 1


def test_an_interrupt_ends_it_as_one(tmp_path: Path) -> None:
    """Whether or not whoever runs the tests ignores them."""
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    with started(tmp_path, f"{heeding}print('there', flush=True)\nsignal.pause()") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.communicate()[0]
    assert process.returncode == -signal.SIGINT


def test_what_it_becomes_is_warm_and_what_is_no_module_is_executed(tmp_path: Path) -> None:
    (tmp_path / "second.py").write_text("import os; os.execv('/bin/echo', ['echo', 'third'])")
    again = "import os, sys; print(os.getpid(), flush=True); os.execv(sys.executable, [sys.executable, '-m', 'second'])"
    with started(tmp_path, again) as process:
        assert process.communicate()[0] == f"{process.pid}\nthird\n"


def test_any_other_command_is_executed_as_ever() -> None:
    with warm.Popen(["echo", "there"], stdout=subprocess.PIPE) as process:
        assert process.communicate()[0] == b"there\n"
    with warm.Popen(
        [sys.executable, "-c", "import sys; print('shared' in sys.modules)"], stdout=subprocess.PIPE
    ) as cold:
        assert cold.communicate()[0] == b"False\n"


def test_none_outlives_its_end_in_a_list_of_processes(tmp_path: Path) -> None:
    with started(tmp_path, "pass") as process:
        process.wait()
    until(lambda: not Path(f"/proc/{process.pid}").exists(), "nothing is left of it")
