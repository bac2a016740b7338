"""The whole demo home for end-to-end and chaos tests and the bench, started as a person would start it."""

import email
import email.message
import email.policy
import http.cookiejar
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from deploy.folder import home as homes
from shared.running.config import load
from tests import warm as warm_interpreter
from tests.claimed import free_port
from tests.house import DEADLINE, is_alive, until

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r"^([A-Z0-9]{4}-[A-Z0-9]{4})$", re.MULTILINE)
_COMPILED: dict[str, bytes] = {}
"""Templates by file, as the first warm home's gateway left them: to compile them is half of what its start costs."""
PORTS = ("HTTPS", "MQTT", "SMTP", "AUTH", "ALERTS", "READINGS")


class Answer(NamedTuple):
    """What an HTTP call brought: status, headers, and the JSON body where there is one."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Demo:
    """A running demo home in a folder of its own, on free ports; `module` is what is run as `homesystem`.

    Another `tree` than this one is run by its own environment. One that is `warm` begins in an interpreter that has
    imported everything (tests/warm.py), and hashes its passwords cheaply (tests/thrifty_home.py).
    """

    def __init__(self, var: Path, *, module: str = "deploy", tree: Path = ROOT, warm: bool = False) -> None:
        self.var = var
        self._tree = tree
        python = sys.executable if tree == ROOT else str(tree / ".venv" / "bin" / "python")
        self._homesystem = [python, "-m", "tests.thrifty_home" if warm else module]
        self._warm = warm
        self._begin = warm_interpreter.Popen if warm else subprocess.Popen
        self.ports = {name: free_port() for name in PORTS}
        self.url = f"https://localhost:{self.ports['HTTPS']}"
        self.output: list[str] = []
        self._read_letters: dict[Path, email.message.EmailMessage] = {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What makes `homesystem` mean this home."""
        ports = {f"HOMESYSTEM_{name}_PORT": str(port) for name, port in self.ports.items()}
        return os.environ | ports | {"HOMESYSTEM_VAR": str(self.var)}

    @property
    def home(self) -> homes.Home:
        """The home, once it is made."""
        return homes.Home(self.var, load(homes.Settings, self.var / "home.toml", self.environment))

    def start(self) -> float:
        """Start it and wait for its word, the `ready` line, however long that takes; the seconds that it took."""
        self._lend_templates()
        self._word, self._is_ready = threading.Event(), False
        started = time.monotonic()
        self._process = self._begin(
            [*self._homesystem, "up", "--demo"],
            cwd=self._tree,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        try:
            self._word.wait()
            assert self._is_ready, f"ended: {''.join(self.output)}\n{self.logs()}"
        except BaseException:
            self.stop()
            raise
        return time.monotonic() - started

    def lift_limits(self, *names: str) -> None:
        """Raise these limits out of the way, as an owner may in gateway.toml; counts from the next start."""
        self.limit("1000000/second", *names)

    def limit(self, limit: str, *names: str) -> None:
        """Let these limits be so; counts from the next start."""
        path = self.var / "gateway.toml"
        text = path.read_text()
        for name in names:
            text, count = re.subn(rf"(?m)^#? ?{name} = .*$", f'{name} = "{limit}"', text)
            assert count == 1, f"{name} stands {count} times in {path}"
        path.write_text(text)

    def lift_connections(self, most: int) -> None:
        """Let one address, and all together, hold so many connections; counts from the next start.

        An older home has no such limit.
        """
        path = self.var / "gateway.toml"
        path.write_text(re.sub(r"(?m)^(by_address|in_all) = .*$", rf"\1 = {most}", path.read_text()))

    @property
    def runs(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._process is not None

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ctrl-C, and wait until every process is gone."""
        assert self._process is not None
        pids = list(self.pids().values())
        os.killpg(self._process.pid, number)
        self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        until(lambda: not any(is_alive(pid) for pid in pids), "every process ended")
        self._process = None
        if self._warm and not _COMPILED and self._templates.is_dir():
            _COMPILED.update((path.name, path.read_bytes()) for path in self._templates.iterdir())

    @property
    def _templates(self) -> Path:
        return self.var / "data" / "gateway-templates"

    def _lend_templates(self) -> None:
        """As if its gateway had run before."""
        if self._warm and self._templates.parent.is_dir() and not self._templates.exists():
            self._templates.mkdir(mode=0o700)
            for name, content in _COMPILED.items():
                path = self._templates / name
                path.touch(mode=0o600)
                path.write_bytes(content)

    def pids(self) -> dict[str, int]:
        """Every process of this home by name: broker, auth, alerts, gateway, mailbox, agent-hall, …, supervisor."""
        assert self._process is not None
        found = {"supervisor": self._process.pid}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (name := self._name(entry)) is not None:
                found[name] = int(entry.name)
        return found

    def supervise(self, order: str, name: str) -> None:
        """`stop` or `start` one process for good, by supervisorctl."""
        configured = ["-c", str(self.var / "supervisord.conf")]
        command = [sys.executable, "-m", "supervisor.supervisorctl", *configured, order, name]
        done = warm_interpreter.run(command, begin=self._begin, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal one process, by default kill -9; its former pid."""
        pid = self.pids()[name]
        os.kill(pid, number)
        return pid

    def reborn(self, name: str, former: int) -> int:
        """Wait until a killed process has a successor; its pid."""
        return until(lambda: (pid := self.pids().get(name, former)) != former and pid, f"{name} comes back")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `homesystem …` on this home."""
        environment = self.environment | {"COLUMNS": "200"}
        return warm_interpreter.run([*self._homesystem, *arguments], begin=self._begin, cwd=self._tree, env=environment)

    def users(self) -> dict[str, dict[str, str]]:
        """The demo's users by role."""
        return {user["role"]: user for user in json.loads((self.var / "demo-users.json").read_text())}

    def letters(self, *, to: str | None = None, after: int = 0) -> list[email.message.EmailMessage]:
        """The letters in the demo's mailbox by arrival, without the first `after` of all."""
        letters = map(self._letter, sorted((self.var / "mail").glob("*.eml"))[after:])
        return [letter for letter in letters if to is None or to in str(letter["To"])]

    def _letter(self, path: Path) -> email.message.EmailMessage:
        """Read once: a letter that lies there does not change, and whoever waits for one asks often."""
        if path not in self._read_letters:
            letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert isinstance(letter, email.message.EmailMessage)
            self._read_letters[path] = letter
        return self._read_letters[path]

    def edges(self, room: str, device: str) -> list[int]:
        """Every change of a simulated output's logical level so far."""
        path = self.var / "sim" / f"{room}.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line["level"] for line in map(json.loads, lines) if line["device"] == device]

    def client(self, role: str | None = None) -> "Client":
        """A program that talks to the gateway; signed in where a role is given."""
        client = Client(self)
        if role is not None:
            client.sign_in(role)
        return client

    def logs(self) -> str:
        """The end of every log, for a test's failure."""
        return "\n".join(f"== {p.name}\n{p.read_text()[-1500:]}" for p in sorted((self.var / "log").glob("*.log")))

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if line.startswith("ready "):
                    self._is_ready = True
                    self._word.set()
        self._word.set()  # nothing more will be said

    def _name(self, entry: Path) -> str | None:
        try:
            command = (entry / "cmdline").read_bytes().decode().rstrip("\0").split("\0")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, UnicodeDecodeError):
            return None
        text = " ".join(command)
        if str(self.var) not in text or state == "Z":
            return None
        if "mosquitto" in command[0]:
            return "broker"
        modules = {
            "auth_service": "auth",
            "alert_service": "alerts",
            "alert_service.readings": "readings",
            "gateway": "gateway",
            "deploy.running.mailbox": "mailbox",
        }
        for module, name in modules.items():
            if module in command:
                return name
        return f"agent-{Path(command[-1]).stem}" if "device_agents" in command else None


class Client:
    """A program with cookies and a CSRF token, as docs/api.md wants it. Verifies the web authority."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._tls = ssl.create_default_context(cafile=str(demo.var / "pki" / "web-ca.crt"))
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=self._tls), urllib.request.HTTPCookieProcessor(self.cookies)
        )
        self.csrf = ""
        self.user: dict[str, str] = {}

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, raw: bytes = b""
    ) -> Answer:
        """One call; `body` goes as JSON, `raw` as it is. Token and origin go along unless `headers` says otherwise."""
        sent = {"X-CSRF-Token": self.csrf, "Origin": self._demo.url, "Content-Type": "application/json"}
        sent |= headers or {}
        data = raw or (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(
            self._demo.url + path, data, {k: v for k, v in sent.items() if v}, method=method
        )
        try:
            with self._opener.open(request, timeout=DEADLINE) as response:
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.headers, error.read())

    def sign_in(self, role: str) -> None:
        """As the demo's user of that role."""
        user = self._demo.users()[role]
        self.sign_in_as(user["email"], user["password"])

    def sign_in_as(self, email: str, password: str, code: str | None = None) -> None:
        """The two steps, with the code from the mailbox; with one that is had already, the second alone."""
        credentials = {"email": email, "password": password}
        self.csrf = self.call("GET", "/api/v1/csrf").body["csrf_token"]
        code = code or self.code_for(credentials)
        answer = self.call("POST", "/api/v1/login", credentials | {"code": code})
        assert answer.status == 200, answer
        self.csrf, self.user = answer.body["csrf_token"], answer.body["user"]

    def code_for(self, credentials: Mapping[str, str]) -> str:
        """Step 1, and the code out of the letter."""
        before = len(self._demo.letters())
        asked = self.call("POST", "/api/v1/login/code", dict(credentials))
        assert asked.status == 202, asked

        def code() -> str | None:
            for letter in self._demo.letters(to=credentials["email"], after=before):
                if match := CODE.search(text_of(letter)):
                    return match[1]
            return None

        return until(code, "the code's letter")

    def act(self, device: str, action: str, **more: Any) -> Answer:
        """Command a device such as `hall/lamp`."""
        return self.call("POST", f"/api/v1/devices/{device}/commands", {"action": action, **more})

    def device(self, device: str) -> Any:
        """One device as the API shows it."""
        return self.call("GET", f"/api/v1/devices/{device}").body


@cache
def text_of(letter: email.message.EmailMessage) -> str:
    """A letter's plain text."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    is_json = (headers.get("Content-Type") or "").partition(";")[0].endswith("json")  # one document, not lines of them
    return Answer(status, dict(headers.items()), json.loads(content) if is_json and content else content)
