"""Two homes at once: this tree's, and that of another commit in a worktree and an environment of its own.

The other commit cannot be changed any more: it is driven by what users have (`homesystem`, files of the home, HTTP).
"""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench import resident
from tests.bench.reading import Reading, is_whole_snapshot, unpacked
from tests.demo import ROOT, Client, Demo
from tests.house import DEADLINE

SERVICES = ("gateway", "agent", "alerts", "broker", "auth")
"""Whose CPU a command costs; `agent` is the one of the room that is commanded."""
LIMITS = ("default", "login_code", "login_code_account", "login", "commands", "commands_device", "pages", "reads")
ROOM = "hall"
_BACK = re.compile(rb'event: ?ready.*"status":"offline".*"status":"online"', re.DOTALL)
"""A stream tells after its snapshot that a room went and came."""


class UnknownRevisionError(Exception):
    """Nobody knows the commit that one is to be compared with."""


class Side:
    """One running home: how it is called, its processes, and who is signed in."""

    def __init__(self, name: str, var: Path, tree: Path = ROOT) -> None:
        self.name = name
        self.demo = Demo(var, tree=tree)
        self._pids: dict[str, int] = {}
        self._client: Client | None = None
        self.idle: Mapping[str, float] = dict.fromkeys(SERVICES, 0.0)

    @contextlib.contextmanager
    def running(self) -> Iterator[float]:
        """It runs meanwhile, with its limits out of the way; the seconds that its start took."""
        try:
            took = self.demo.start()
            self._client = None
            self.look_again()
            yield took
        except Exception:
            print(self.demo.logs())
            raise
        finally:
            self._end()

    def look_again(self) -> None:
        """Its processes are others than before."""
        self._pids = self.demo.pids()

    def pid(self, name: str) -> int:
        """The process of that name."""
        return self._pids[name]

    def create(self) -> float:
        """Its first start, which makes users and certificates, and its end; the seconds until it was ready."""
        with self.running() as took:
            pass
        self.demo.lift_limits(*LIMITS, "streams")
        self.demo.lift_connections(2_000)
        return took

    @property
    def client(self) -> Client:
        """The member, signed in."""
        self._client = self._client or self.demo.client("member")
        return self._client

    @property
    def port(self) -> int:
        """Where its gateway listens."""
        return self.demo.ports["HTTPS"]

    @property
    def trust(self) -> ssl.SSLContext:
        """A client's, which believes this home's authority."""
        return ssl.create_default_context(cafile=str(self.demo.var / "pki" / "web-ca.crt"))

    def wishes(self, device: str, actions: tuple[str, str]) -> list[bytes]:
        """The requests that command a device (`hall/lamp`) to and fro, as the member."""
        bodies = [f'{{"action":"{action}","confirm":true}}'.encode() for action in actions]
        path = f"/api/v1/devices/{device}/commands"
        return [request(self.demo, self.client, "POST", path, body) for body in bodies]

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far, user and system, of each of the SERVICES."""
        pids = self._pids | {"agent": self._pids[f"agent-{ROOM}"]}
        return {name: resident.cpu_seconds(pids[name]) for name in SERVICES}

    def unreceipted(self) -> int:
        """How many events of gateway and room wait for the record to take them, as their files say."""
        data = self.demo.var / "data"
        return sum(waiting(data / name) for name in ("gateway-spool.sqlite3", f"agents/{ROOM}.sqlite3"))

    def agent_start(self, room: str) -> float:
        """Seconds from a fresh agent's birth until an event stream tells that its room is there again."""
        context = ssl.create_default_context(cafile=str(self.demo.var / "pki" / "web-ca.crt"))
        asking = request(self.demo, self.client, "GET", f"/api/v1/events?rooms={room}")
        with contextlib.closing(Reading(self.demo.ports["HTTPS"], context, asking)) as stream:
            stream.wait(is_whole_snapshot)
            former = self.demo.kill(f"agent-{room}")
            stream.wait(lambda wire: _BACK.search(unpacked(wire)) is not None)
            now = time.time()
        return now - resident.born(self.demo.reborn(f"agent-{room}", former))

    def weights(self) -> dict[str, tuple[float, float]]:
        """Resident and proportional set size of every process of the home, in MB."""
        return {name: resident.megabytes(pid) for name, pid in self.demo.pids().items()}

    def _end(self) -> None:
        """As Ctrl-C ends it, or else by force: no process outlives the bench."""
        if not self.demo.runs:
            return
        pids = self.demo.pids()
        try:
            self.demo.stop()
        except BaseException:
            for pid in pids.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise


def request(
    demo: Demo, client: Client, method: str, path: str, body: bytes = b"", more: Mapping[str, str] | None = None
) -> bytes:
    """One request of somebody who is signed in, as it goes over the wire; `more` are further headers."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost:{demo.ports['HTTPS']}\r\nOrigin: {demo.url}\r\n"
        f"Cookie: {cookies}\r\nX-CSRF-Token: {client.csrf}\r\n"
    )
    head += "".join(f"{name}: {value}\r\n" for name, value in (more or {}).items())
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def waiting(spool: Path) -> int:
    """How many events in the file of a spool have no receipt yet. Raises sqlite3.Error where there is no such file."""
    with contextlib.closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=DEADLINE)) as db:
        return int(db.execute("SELECT count(*) FROM event WHERE receipted_at IS NULL").fetchone()[0])


def resolve(revision: str) -> str:
    """The short name of a commit of this repository. Raises UnknownRevisionError."""
    if shutil.which("git") is None:
        raise UnknownRevisionError("git is not installed, and nothing else can bring back another commit")
    asked = ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", "--short", f"{revision}^{{commit}}"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode != 0 or not re.fullmatch(r"[0-9a-f]+\n", found.stdout):
        raise UnknownRevisionError(
            f"{revision!r} is no commit of the repository in {ROOT}: name one that `git log` shows, "
            f"a branch or a tag{'; git says: ' + found.stderr.strip() if found.stderr else ''}"
        )
    return found.stdout.strip()


@contextlib.contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """A tree of that commit with its own environment, made by its own setup; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="homesystem-bench-") as folder:
        tree = Path(folder) / "tree"
        try:
            _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
            _set_up(tree)
            yield tree
        finally:
            if _git("worktree", "remove", "--force", str(tree), check=False) != 0:
                # Git had not finished with it: what it wrote down goes once the folder is gone.
                shutil.rmtree(tree, ignore_errors=True)
                _git("worktree", "prune")


def _set_up(tree: Path) -> None:
    """Runs `deploy/setup.sh run`; whatever it started ends with us."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    process = subprocess.Popen([tree / "deploy" / "setup.sh", "run"], cwd=tree, env=environment, start_new_session=True)
    try:
        code = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(DEADLINE)
        raise
    assert code == 0, f"deploy/setup.sh of {tree} ended with {code}"


def _git(*arguments: str, check: bool = True) -> int:
    """In a session of its own, so that Ctrl-C does not cut it in the middle."""
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=check, start_new_session=True).returncode
