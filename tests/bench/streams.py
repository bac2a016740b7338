"""How long a room's word takes from the broker to every open event stream.

A user may keep ten streams open; so two hundred belong to twenty people, who sign in first.
"""

import re
import secrets
import selectors
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from shared.words.names import Role
from tests.bench import floors, load, sides, speaker
from tests.bench.sides import Side
from tests.bench.volley import PATIENCE_SECONDS, Line
from tests.demo import Client
from tests.house import end

ROOM, DEVICE = "garage", "light"
PER_USER = 10
_STAMPED = re.compile(rf'"command_id":"{speaker.STAMP}(\d+)"'.encode())
_READY = re.compile(rb"event: ?ready")
_TAIL_BYTES = 200
"""More than a stamp takes: as much is kept of what came, for a stamp that comes in two pieces."""


class Heard(NamedTuple):
    """How long each word took to each stream, and the seconds of CPU that it cost the gateway for all of them."""

    figures: load.Figures
    cpu: float


class Listener(Line):
    """One open stream."""

    def __init__(self, port: int, context: ssl.SSLContext, request: bytes) -> None:
        super().__init__(port, context)
        self.latencies: list[float] = []
        self.is_ready = False
        self._tail = b""
        self.send(request)

    def listen(self) -> None:
        """Take in what has come, with the seconds since it left. Raises AssertionError for what is no stream."""
        try:
            more = self.socket.recv(65_536)
        except ssl.SSLWantReadError:
            return
        now = time.monotonic_ns()
        assert more, f"a stream ended: {self._tail!r}"
        got = self._tail + more
        self.is_ready = self.is_ready or _READY.search(got) is not None
        assert self.is_ready or b"HTTP/1.1 4" not in got, got
        moments, self._tail = stamped(got)
        self.latencies += [(now - moment) / 1e9 for moment in moments]


def stamped(got: bytes) -> tuple[list[int], bytes]:
    """The moments (in nanoseconds) that the words in it bear, and what has to be read again before what comes next."""
    moments, over = [], 0
    for stamp in _STAMPED.finditer(got):
        moments.append(int(stamp[1]))
        over = stamp.end()
    return moments, got[max(over, len(got) - _TAIL_BYTES) :]


def people(side: Side, count: int) -> list[Client]:
    """So many users who are signed in: first the demo's own, then new ones."""
    demo = side.demo
    clients = [demo.client(role) for role in ("master", "member")[:count]]
    for number in range(count - len(clients)):
        email, password = f"bench-{number}@home.example", secrets.token_urlsafe(12)
        file = demo.var / "bench-password"
        file.write_text(password + "\n")
        added = demo.command(
            "user", "add", email, "--name", f"Bench {number}", "--role", Role.MEMBER, "--password-file", str(file)
        )
        file.unlink()
        assert added.returncode == 0, added.stdout + added.stderr
        client = demo.client()
        client.sign_in_as(email, password)
        clients.append(client)
    return clients


def measure(side: Side, clients: Sequence[Client], streams: int, events: int, pause: float) -> Heard:
    """Open so many streams, have the room speak so often, and collect how long each word took to each stream."""
    demo = side.demo
    context = floors.trusting(demo.var / "pki" / "web-ca.crt")
    path = f"/api/v1/events?rooms={ROOM}"
    arguments = [str(demo.var), str(demo.ports["MQTT"]), ROOM, DEVICE, str(events), str(pause)]
    demo.supervise("stop", f"agent-{ROOM}")
    try:
        with ExitStack() as stack, selectors.DefaultSelector() as selector:
            listeners = []
            for number in range(streams):
                asking = sides.request(demo, clients[number // PER_USER], "GET", path)
                listeners.append(Listener(demo.ports["HTTPS"], context, asking))
                stack.callback(listeners[-1].close)
                selector.register(listeners[-1].socket, selectors.EVENT_READ, listeners[-1])
            _listen(selector, listeners, lambda one: one.is_ready)
            talking = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.speaker", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            stack.callback(end, [talking])
            assert talking.stdout is not None
            assert talking.stdin is not None
            assert talking.stdout.readline() == b"up\n"
            begin, used = time.perf_counter(), side.cpu()["gateway"]
            talking.stdin.write(b"go\n")
            talking.stdin.close()
            _listen(selector, listeners, lambda one: len(one.latencies) >= events)
            took = time.perf_counter() - begin
            latencies = sorted(latency for one in listeners for latency in one.latencies)
            assert len(latencies) == events * streams, "a word came twice"
            return Heard(load.Figures(streams, latencies, took), (side.cpu()["gateway"] - used) / events)
    finally:
        demo.supervise("start", f"agent-{ROOM}")


def _listen(
    selector: selectors.BaseSelector, listeners: Sequence[Listener], is_done: Callable[[Listener], bool]
) -> None:
    waiting = {one for one in listeners if not is_done(one)}
    while waiting:
        ready = selector.select(PATIENCE_SECONDS)
        assert ready, f"{len(waiting)} of {len(listeners)} streams have heard nothing for {PATIENCE_SECONDS:.0f} s"
        for key, _ in ready:
            key.data.listen()
            if is_done(key.data):
                waiting.discard(key.data)
