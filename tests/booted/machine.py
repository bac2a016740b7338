"""One computer of the home: a tree that systemd-nspawn boots, what a person types on it, and its power button."""

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.booted import trees
from tests.booted.report import Report
from tests.booted.terminal import Answer, Said, converse

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOT_SECONDS = 90.0
_STARTED_SECONDS = 600.0
"""Among what starts with a machine may be the end of an upgrade, or the way back from it."""
_OFF_SECONDS = 60.0
_CWD = f"/home/{trees.PERSON}/.cwd"
USUAL = (Answer(r"\[Y/n\] ?", "y"),)
"""What everybody answers."""
_TYPE = 'cd "$(cat "$1" 2>/dev/null || echo ~)" || exit; eval "$2"; code=$?; pwd >"$1"; exit $code'


class TroubleError(AssertionError):
    """Something did not go as the guide says; the message is what a person would see."""


class Machine:
    """A tree, a place on the network, and whether it runs."""

    def __init__(self, name: str, tree: Path, namespace: str, address: str, report: Report) -> None:
        self.name = name
        self.tree = tree
        self.address = address
        self.console = tree.with_suffix(".console")
        self.calendar = ""
        """What moves the calendar for commands that are typed, too, as variables of the environment (`clock.py`)."""
        self._namespace = namespace
        self._report = report
        self._process: subprocess.Popen[bytes] | None = None

    def boot(self) -> None:
        """Switch it on, and wait until it has started everything that it starts by itself."""
        caches = [f"--bind={trees.cache() / 'pip'}:{trees.PIP_CACHE}"]
        # Where the harness is killed its machines go off.
        command = [
            "setpriv",
            "--pdeathsig=TERM",
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--directory={self.tree}",
            "--register=no",
            "--keep-unit",
        ]
        command += [f"--machine={self._namespace}", f"--network-namespace-path=/run/netns/{self._namespace}"]
        command += ["--resolv-conf=off", "--timezone=off", "--console=pipe", *caches]
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self.until(self._is_up, "its first process is there", _BOOT_SECONDS)
        # `degraded` is an answer as well: what failed shows where it is needed.
        self.run("systemctl is-system-running --wait || true", seconds=_STARTED_SECONDS)

    def off(self) -> None:
        """Shut it down in order."""
        assert self._process is not None
        self.run("systemctl poweroff")
        self._process.wait(_OFF_SECONDS)
        self._process = None

    def cut(self) -> None:
        """Take its power away."""
        if self._process is None:
            return
        # Its first process and not systemd-nspawn: killed, that would leave the whole machine running behind it.
        if (leader := self.leader) is not None:
            os.kill(leader, signal.SIGKILL)
        else:
            self._process.terminate()
        self._process.wait(_OFF_SECONDS)
        self._process = None

    @property
    def running(self) -> bool:
        """Whether it is on."""
        return self._process is not None and self._process.poll() is None

    def type(
        self, command: str, answers: Sequence[Answer] = (), *, seconds: float = 600.0, code: int | None = 0
    ) -> str:
        """A person types `command`, in the folder where the last one left them; what the terminal shows.

        Raises TroubleError where it ends with another code than `code` (None: any), or does not end in time.
        """
        # sudo keeps no such variables, so they come after it.
        done = (
            command.replace("sudo homesystem ", f"sudo env {self.calendar} homesystem ") if self.calendar else command
        )
        inner = ["/bin/bash", "-lc", _TYPE, "bash", _CWD, done]
        person = ["setpriv", f"--reuid={trees.PERSON}", f"--regid={trees.PERSON}", "--init-groups"]
        whose = ["env", f"HOME=/home/{trees.PERSON}", f"USER={trees.PERSON}", f"LOGNAME={trees.PERSON}"]
        started = time.monotonic()
        said = converse([*self._enter(), *person, *whose, *inner], [*answers, *USUAL], seconds)
        self._report.typed(self.name, command, said, time.monotonic() - started)
        if said.code is None or (code is not None and said.code != code):
            raise TroubleError(f"{self.name}$ {command}\n{_ended(said)}\n{said.text[-9000:]}")
        return said.text

    def home_folder(self) -> None:
        """The person opens a new terminal."""
        (self.tree / _CWD.lstrip("/")).unlink(missing_ok=True)

    def run(self, command: str, *, seconds: float = 60.0, check: bool = True) -> str:
        """Look at something as root, unseen by the report; what it prints. TroubleError where it fails or hangs."""
        try:
            done = subprocess.run(
                [*self._enter(), "/bin/bash", "-c", command],
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise TroubleError(f"{self.name}# {command}: not ended after {seconds:.0f} s") from None
        if check and done.returncode != 0:
            raise TroubleError(f"{self.name}# {command}: ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def unit(self, name: str, *properties: str) -> dict[str, str]:
        """Properties of a unit, as systemd tells them."""
        asked = ",".join(properties)
        lines = self.run(f"systemctl show --property={asked} {shlex.quote(name)}").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def until(self, condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        """Look again and again until it is so. Raises TroubleError naming `what`."""
        pause = threading.Event()
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TroubleError(f"{self.name}: in {seconds:.0f} s it never came to this: {what}")
            pause.wait(0.25)

    def until_active(self, unit: str, seconds: float = 60.0) -> None:
        """Wait until a unit is active and runs."""
        self.until(lambda: self.unit(unit, "SubState")["SubState"] == "running", f"{unit} runs", seconds)

    @property
    def leader(self) -> int | None:
        """Its first process, as this machine numbers it."""
        if self._process is None or self._process.poll() is not None:
            return None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def _is_up(self) -> bool:
        if not self.running:
            raise TroubleError(f"{self.name}: does not boot: {self.console.read_text()[-2000:]}")
        leader = self.leader
        return leader is not None and Path(f"/proc/{leader}/root/run/systemd/private").exists()

    def _enter(self) -> list[str]:
        leader = self.leader
        if leader is None:
            raise TroubleError(f"{self.name} is off: {self.console.read_text()[-2000:]}")
        environment = ["env", "-i", f"PATH={_PATH}", "HOME=/root", "TERM=xterm", "LANG=C.UTF-8"]
        return ["nsenter", "-t", str(leader), "-a", *environment]


def _ended(said: Said) -> str:
    return "did not end in time" if said.code is None else f"ended with {said.code}"
