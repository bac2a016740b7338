"""A home that lives for a minute beside the real one: a person signs in there and switches a simulated lamp.

Made of the code that is installed, with people, keys, ports and a mailbox of its own; no letter leaves it, and nobody's
account or relay has a part in it.
"""

import asyncio
import contextlib
import email
import email.policy
import http.client
import http.cookies
import json
import os
import queue
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from deploy.folder import home as homes
from deploy.folder.home import HERE, Home
from deploy.running import demo
from shared.running.config import ConfigError
from shared.words.problem import HomeError

_READY_SECONDS = 120.0
_SECONDS = 30.0
_STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.2
_LAMP = "hall/lamp"
_CODE = re.compile(r"^([A-Z0-9]{4}-[A-Z0-9]{4})\r?$", re.MULTILINE)
T = TypeVar("T")


class ShortLifeError(Exception):
    """What did not go there; a sentence's end."""


def live() -> None:
    """Make one, sign in, switch the lamp, and see its pin move and the record have it. Raises ShortLifeError."""
    folder = Path(tempfile.mkdtemp(prefix="homesystem-short-"))
    names = ("HTTPS", "MQTT", "SMTP", "AUTH", "ALERTS", "READINGS")
    os.environ |= {
        f"HOMESYSTEM_{name}_PORT": str(port) for name, port in zip(names, _free_ports(len(names)), strict=True)
    }
    try:
        asyncio.run(demo.create(folder))
        home = homes.find(folder)  # with the ports of this environment
        with _running(home):
            _command(home)
    except (ConfigError, HomeError, OSError, KeyError, ValueError, http.client.HTTPException) as error:
        raise ShortLifeError(f"{type(error).__name__}: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HERE, 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def _running(home: Home) -> Iterator[None]:
    """The whole of it, ready; stopped afterwards, with all that it started."""
    environment = os.environ | {"HOMESYSTEM_VAR": str(home.var)}
    command = [sys.executable, "-P", "-m", "deploy", "up"]
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            _wait_for_ready(process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _wait_for_ready(process: "subprocess.Popen[str]") -> None:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    said: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    end = time.monotonic() + _READY_SECONDS
    while (left := end - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if line.startswith("ready "):
            return
        if not line:
            raise ShortLifeError(f"it does not start: {' / '.join(one.strip() for one in said[-4:])}")
        said.append(line)
    raise ShortLifeError(f"it is not ready in {_READY_SECONDS:.0f} s: {' / '.join(one.strip() for one in said[-4:])}")


def _command(home: Home) -> None:
    browser = _Browser(home)
    person = json.loads((home.var / "demo-users.json").read_text())[0]
    login = {"email": person["email"], "password": person["password"]}
    browser.csrf = browser.ask("GET", "/api/v1/csrf")["csrf_token"]
    browser.ask("POST", "/api/v1/login/code", login)
    code = _until(lambda: _code(home.var / "mail"), "the letter with the code")
    browser.csrf = browser.ask("POST", "/api/v1/login", login | {"code": code})["csrf_token"]
    answer = browser.ask("POST", f"/api/v1/devices/{_LAMP}/commands", {"action": "on"})
    if answer["outcome"] != "executed":
        raise ShortLifeError(f"a command for a simulated lamp was {answer['outcome']}")
    moves = [json.loads(line) for line in (home.var / "sim" / "hall.jsonl").read_text().splitlines()]
    if not any(move["device"] == "lamp" and move["level"] == 1 for move in moves):
        raise ShortLifeError("a command for a simulated lamp was told as done, and its pin did not move")

    def recorded() -> bool:
        events = browser.ask("GET", "/api/v1/audit?limit=50")["events"]
        return any(event["what"] == "session:started" for event in events)

    _until(recorded, "the record of the sign-in")


def _code(mail: Path) -> str | None:
    for path in mail.glob("*.eml"):
        letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = letter.get_body(("plain",))
        if body is not None and (match := _CODE.search(str(body.get_content()))):
            return match[1]
    return None


def _until(look: Callable[[], T | None], what: str) -> T:
    pause, end = threading.Event(), time.monotonic() + _SECONDS
    while not (found := look()):
        if time.monotonic() > end:
            raise ShortLifeError(f"{what} does not come in {_SECONDS:.0f} s")
        pause.wait(_LOOK_SECONDS)
    return found


class _Browser:
    """Somebody who trusts that home's authority, and keeps its cookies."""

    def __init__(self, home: Home) -> None:
        self._port = home.settings.https_port
        self._trust = ssl.create_default_context(cafile=str(home.pki / "web-ca.crt"))
        self._cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
        self.csrf = ""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What it answers. Raises ShortLifeError for anything but a yes."""
        origin = f"https://localhost:{self._port}"
        sent = {"Origin": origin, "Content-Type": "application/json", "X-CSRF-Token": self.csrf}
        sent["Cookie"] = "; ".join(f"{name}={one.value}" for name, one in self._cookies.items())
        connection = http.client.HTTPSConnection("localhost", self._port, timeout=_SECONDS, context=self._trust)
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), sent)
            answer = connection.getresponse()
            content = answer.read()
            for cookie in answer.headers.get_all("Set-Cookie") or ():
                self._cookies.load(cookie)
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise ShortLifeError(f"{method} {path.partition('?')[0]} answers {answer.status}")
        return json.loads(content) if content else None
