"""Real parts for tests: a broker with our configuration and rights, and an SMTP server that keeps letters.

Used by integration, end-to-end and chaos tests through the fixtures in conftest.py.
"""

import email
import email.message
import email.policy
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from deploy.allowing import rights
from deploy.folder import home as homes
from deploy.folder import plugin, unfinished
from shared.broker import mqtt
from shared.trust import tls
from tests import brokers
from tests.claimed import free_port

T = TypeVar("T")
DEADLINE = 60.0
"""How long any test waits for an event before it fails; no test expects it to be reached, also on a busy machine."""
ROOMS = ("hall", "kitchen", "garage")
PHONE_MAY = (("hall", "lamp"), ("hall", "front-door"))


def until(condition: Callable[[], T | None], what: str, *, seconds: float = DEADLINE) -> T:
    """Poll until `condition` returns something true; fails naming `what`. For things that send no event.

    Whoever waits leaves the machine to whom it waits for: what is dear to ask is asked less often.
    """
    pause = threading.Event()
    end = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        if result := condition():
            return result
        now = time.monotonic()
        assert now < end, f"never happened: {what}"
        pause.wait(min(max(0.02, 4 * (now - asked)), 0.5))


def listens(port: int) -> bool:
    """Whether anybody listens at this port of ours."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended, and whose parent has not yet asked how, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def come_up(
    process: subprocess.Popen[Any], is_there: Callable[[], object], what: str, *, said: Callable[[], str] = str
) -> None:
    """Wait until what was just started is there, by its own word, however long a busy machine takes over it.

    Fails with what it `said` if it ends instead. Whoever breaks off the waiting leaves no process behind.
    """
    pause = threading.Event()
    try:
        while not is_there():
            assert process.poll() is None, f"it ended, and never happened: {what}\n{said()}"
            pause.wait(0.02)
    except BaseException:
        end([process])
        raise


def make_home(var: Path, **settings: object) -> homes.Home:
    """A demo home's folder with free ports: hub identities, the demo's rooms and a trusted client `phone`."""
    ports = ("https_port", "mqtt_port", "smtp_port", "auth_port", "alerts_port", "readings_port")
    values = {name: free_port() for name in ports} | {"demo": True} | settings
    home = homes.Home(var, homes.Settings(**values))  # type: ignore[arg-type]  # by name, from the caller
    for name in ("data", "log", "secrets", "pki", "mosquitto"):
        (var / name).mkdir(parents=True, exist_ok=True)
    return home


def seal(home: homes.Home) -> None:
    """Let commands find a home here, as `homesystem init` does in the end."""
    (home.var / unfinished.NAME).write_bytes(homes.written(home.settings))
    homes.seal(home)


def make_pki(home: homes.Home) -> None:
    """Every certificate that tests use, signed by real authorities."""
    homes.renew(home)
    authority = home.authority()
    for room in ROOMS:
        authority.ensure_client(room, "room")
    for client in ("phone", "tablet", "gateway-2"):
        authority.ensure_client(client, "client")


def share_pki(home: homes.Home, pki: Path) -> None:
    """Have a home show the certificates of another, whose authorities sign for it, too."""
    if (home.var / "pki").exists():
        (home.var / "pki").rmdir()
    (home.var / "pki").symlink_to(pki)
    (home.var / "signer").mkdir(exist_ok=True)
    for path in (pki.resolve().parent / "signer").iterdir():
        (home.var / "signer" / path.name).symlink_to(path.resolve())


class Broker:
    """A real Mosquitto over TLS on a free port, with our configuration; may be killed and started again."""

    def __init__(self, home: homes.Home, release: brokers.Release | None = None) -> None:
        """`release` is a Mosquitto beside the installed one."""
        self.home = home
        self.release = release
        self._command = ("/usr/sbin/mosquitto",) if release is None else release.command
        self.port = home.settings.mqtt_port
        self._process: subprocess.Popen[bytes] | None = None
        self._log = home.var / "log" / "broker.log"
        roles = [rights.hub_role(name) for name in (*rights.HUB_CLIENTS, "gateway-2")]
        # Tests make devices up as they need them: the rooms speak of any, as those of an older home do.
        roles += [rights.room_role(room, ["+"]) for room in ROOMS]
        roles += [rights.client_role("phone", PHONE_MAY), rights.client_role("tablet", [])]
        homes.write_rights(home, roles)
        text = homes.broker_config(home)
        if release is not None:
            text = text.replace(str(plugin.find()), str(release.plugin))
        (home.var / "mosquitto.conf").write_text(text)

    @property
    def log(self) -> str:
        """What the broker wrote."""
        return self._log.read_text()

    def identity(self, name: str) -> tls.Identity:
        """The files of one identity."""
        pki = self.home.pki
        return tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")

    def config(self, name: str, *, port: int | None = None) -> mqtt.BrokerConfig:
        """How `name` reaches this broker; `port` for a proxy in between."""
        return mqtt.BrokerConfig(identity=name, tls=self.identity(name), host="127.0.0.1", port=port or self.port)

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, "-c", str(self.home.var / "mosquitto.conf")], stdout=log, stderr=log
            )
        come_up(self._process, lambda: listens(self.port), "the broker listens", said=lambda: self.log)

    @property
    def command(self) -> tuple[str, ...]:
        """How this Mosquitto is run."""
        return tuple(self._command)

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Stop it cleanly."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: its connections stay, and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on where it was."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def reload(self) -> None:
        """SIGHUP: read the revocation list again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def tool(self, name: str, who: str, *arguments: str) -> list[str]:
        """The command line of mosquitto_pub or mosquitto_sub as `who`."""
        pki = self.home.pki
        files = ["--cafile", f"{pki}/device-ca.crt", "--cert", f"{pki}/{who}.crt", "--key", f"{pki}/{who}.key"]
        return [name, "-V", "5", "-h", "127.0.0.1", "-p", str(self.port), *files, *arguments]

    def publish(self, who: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """mosquitto_pub by hand, QoS 1, over TLS with `who`'s certificate."""
        command = self.tool("mosquitto_pub", who, "-q", "1", *arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(DEADLINE)
            self._process = None


class _TidyController(Controller):
    """aiosmtpd's own leaves open connections to the garbage collector; a server that stops hangs up."""

    def factory(self) -> SMTP:
        """One protocol per connection, remembered."""
        made: SMTP = super().factory()  # type: ignore[no-untyped-call]  # as the class
        self._made = [*getattr(self, "_made", []), made]
        return made

    def stop(self, no_assert: bool = False) -> None:
        """Hang up everywhere, then stop."""
        gone = threading.Event()

        def hang_up() -> None:
            for protocol in getattr(self, "_made", []):
                if protocol.transport is not None:
                    protocol.transport.abort()
            self.loop.call_soon(gone.set)

        self.loop.call_soon_threadsafe(hang_up)
        gone.wait(DEADLINE)
        super().stop(no_assert)


class SmtpSink:
    """A real SMTP server that keeps what it gets; may be stopped and started again on its port."""

    def __init__(self, port: int | None = None, *, smtputf8: bool = False) -> None:
        """As most servers are: without `smtputf8` it takes no addresses beyond ASCII (RFC 6531)."""
        self.port = port or free_port()
        self.greetings: list[str] = []
        self.named: list[str] = []
        self.refused: set[str] = set()
        self.cut_off: set[str] = set()
        self._smtputf8 = smtputf8
        self._letters: list[email.message.EmailMessage] = []
        self._came = threading.Condition()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen."""
        self._controller = _TidyController(self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=self._smtputf8)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; letters stay."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(self, _server: object, _session: object, envelope: object, address: str, _: object) -> str:
        """aiosmtpd's hook: refuses who is in `refused`."""
        self.named.append(address)
        if address in self.refused:
            return f"550 5.1.1 <{address}>: no such mailbox here"
        envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]  # aiosmtpd is untyped
        return "250 OK"

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        """aiosmtpd's hook: hangs up on a letter to somebody in `cut_off`, as some filters do."""
        if not self.cut_off.isdisjoint(envelope.rcpt_tos):  # type: ignore[attr-defined]  # aiosmtpd is untyped
            server.transport.abort()  # type: ignore[attr-defined]  # as above
            return "421 gone"
        self.greetings.append(session.host_name)  # type: ignore[attr-defined]  # aiosmtpd is untyped
        content = envelope.content  # type: ignore[attr-defined]  # aiosmtpd is untyped
        letter = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(letter, email.message.EmailMessage)
        with self._came:
            self._letters.append(letter)
            self._came.notify_all()
        return "250 kept"

    @property
    def letters(self) -> list[email.message.EmailMessage]:
        """All letters so far."""
        with self._came:
            return list(self._letters)

    def wait_for(self, count: int = 1, *, to: str | None = None) -> list[email.message.EmailMessage]:
        """Wait until at least `count` letters (to that address) are here; returns them."""

        def fitting() -> list[email.message.EmailMessage]:
            return [x for x in self._letters if to is None or to in str(x["To"])]

        with self._came:
            assert self._came.wait_for(lambda: len(fitting()) >= count, DEADLINE), "the letter never came"
            return fitting()


def end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """End processes that a test started, politely, then not."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
