"""The first process of a container: signs of life, silence, signals, and whose exit code is whose."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.containers import keeper
from deploy.containers.keeper import Sign
from tests.house import DEADLINE, until

_TELL = (
    "import os, signal, socket, sys, time\n"
    "out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "tell = lambda text: out.sendto(text, os.environ['NOTIFY_SOCKET'])\n"
)


def started(run: Path, script: str, *, silence: float = 60.0) -> "subprocess.Popen[bytes]":
    """A keeper in a process of its own, whose signals are nobody else's."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom deploy.containers import keeper\n"
        f"keeper.SILENCE_SECONDS = {silence}\n"
        f"sys.exit(keeper.keep([sys.executable, '-c', {_TELL + script!r}], Path({str(run)!r})))"
    )
    return subprocess.Popen([sys.executable, "-c", code])


def test_a_part_is_well_once_it_says_so_and_until_it_stops(tmp_path: Path) -> None:
    sign = Sign(tmp_path / "well")
    sign.take(b"STATUS=Starting", 100.0)
    sign.take(b"WATCHDOG=1", 100.0)
    assert not sign.path.exists()
    sign.take(b"READY=1", 200.0)
    assert sign.path.stat().st_mtime == 200.0
    sign.take(b"WATCHDOG=1\nSTATUS=Serving", 205.0)
    assert (sign.path.read_text(), sign.path.stat().st_mtime) == ("Serving\n", 205.0)
    sign.take(b"STATUS=Only words", 300.0)
    assert sign.path.stat().st_mtime == 205.0
    sign.take(b"STOPPING=1", 400.0)
    assert not sign.path.exists()


def test_what_a_former_start_left_is_no_sign_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "well").write_text("of another time")
    Sign(tmp_path / "well")
    assert not (tmp_path / "well").exists()


@pytest.mark.parametrize(("script", "code"), [("sys.exit(78)", 78), ("os.kill(os.getpid(), 9)", 128 + 9)])
def test_the_container_ends_as_its_part_does(tmp_path: Path, script: str, code: int) -> None:
    assert started(tmp_path, script).wait(DEADLINE) == code


def test_a_signal_to_end_is_passed_on_and_the_part_says_when_it_is_over(tmp_path: Path) -> None:
    script = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntell(b'READY=1')\nwhile True: signal.pause()"
    process = started(tmp_path, script)
    until((tmp_path / "well").exists, "it is ready")
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0
    assert not (tmp_path / "well").exists()


def test_a_part_that_falls_silent_is_ended(tmp_path: Path) -> None:
    process = started(tmp_path, "tell(b'READY=1')\nwhile True: signal.pause()", silence=0.5)
    assert process.wait(DEADLINE) == keeper.KILLED + signal.SIGKILL


def test_one_that_never_was_ready_is_given_its_time(tmp_path: Path) -> None:
    sign = Sign(tmp_path / "well")
    sign.take(b"STATUS=A large database is brought up to date", 0.0)
    assert not sign.is_silent()


def test_orphans_are_buried_and_are_not_the_part(tmp_path: Path) -> None:
    # The grandchild ends first, as nobody's: the keeper is its parent then, like the first process of a container.
    script = (
        "ours, theirs = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    orphan = os.fork()\n"
        "    if orphan == 0: os._exit(7)\n"
        "    os.write(theirs, b'%d' % orphan)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "orphan = int(os.read(ours, 20))\n"
        "while os.path.exists(f'/proc/{orphan}'): time.sleep(0.01)\n"
        "sys.exit(5)"
    )
    code = (
        "import ctypes, sys\nfrom pathlib import Path\nfrom deploy.containers import keeper\n"
        "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"  # PR_SET_CHILD_SUBREAPER
        f"code = keeper.keep([sys.executable, '-c', {_TELL + script!r}], Path({str(tmp_path)!r}))\n"
        "import os\n"
        "try:\n    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG); print('left')\n"
        "except ChildProcessError:\n    print('none')\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stdout) == (5, "none\n")
