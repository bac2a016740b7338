"""A room's agent on a kernel's chip, whole but for its broker, in a process of its own that can be killed.

What it says comes over a socket, and so do commands: what its pins do is seen on the chip alone.
"""

import os
import queue
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from device_agents.agent import Agent
from device_agents.config import RoomConfig
from device_agents.inbox import Stop
from device_agents.ledger.boot import this_boot
from device_agents.ledger.ledger import Ledger
from device_agents.link.link import Heard, Up
from device_agents.pins.pins import Pins
from shared.running.config import ConfigError
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, AuditEvent, Availability, InputEvent, State
from tests.house import DEADLINE
from tests.unit.device_agents.fakes import FakeLink, room_config

M = TypeVar("M", bound=msgspec.Struct)


class _Said(msgspec.Struct):
    topic: str
    payload: str
    at: float
    """When it was said, monotonic seconds."""


class _WireLink(FakeLink):
    """The agent's end of the socket."""

    def __init__(self, wire: socket.socket) -> None:
        super().__init__()
        self._wire = wire
        self._text = b""
        self.put: Callable[[Any], None] = lambda _item: None

    def fileno(self) -> int | None:
        return self._wire.fileno()

    def ready(self) -> None:
        self._text += self._wire.recv(65536)
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            said = msgspec.json.decode(line, type=_Said)
            self.put(
                Heard(said.topic, said.payload.encode(), retained=False, at=time.monotonic(), connection=None, mid=1)
            )

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None) -> bool:
        self._wire.sendall(msgspec.json.encode(_Said(topic, payload.decode(), time.monotonic())) + b"\n")
        return True

    def close(self) -> None:
        pass


class Life:
    """One life of the room `hall` on the pins that are `made`: begun at once, ended by `kill` or `stop`."""

    def __init__(
        self,
        folder: Path,
        devices: Sequence[dict[str, Any]],
        made: Callable[[RoomConfig], Pins],
        *,
        boot: str | None = None,
        **settings: Any,
    ) -> None:
        ours, theirs = socket.socketpair()
        self._wire = ours
        self.said: list[_Said] = []
        self._news = threading.Condition()
        self._ids = 0
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _live(room_config(folder, devices, **settings), made, theirs, boot)
        theirs.close()
        threading.Thread(target=self._listen, daemon=True).start()
        self._send(topics.service("gateway"), Availability(status="online", at=messages.utc(time.time()), session="g1"))

    def state(self, device: str, ready: Callable[[State], bool] = lambda _state: True) -> State:
        """The newest state of a device, once it is `ready`."""
        return self._newest(State, topics.state("hall", device), ready)

    def happened(self, device: str) -> list[str]:
        """All that was told of a button."""
        with self._news:
            return [messages.decode(InputEvent, one.payload.encode()).event for one in self._on(device)]

    def events(self) -> list[AuditEvent]:
        """All audit events that were said, each once."""
        with self._news:
            told = [
                messages.decode(AuditEvent, one.payload.encode())
                for one in self.said
                if one.topic == topics.audit("hall")
            ]
        return list({event.id: event for event in told}.values())

    def command(self, device: str, action: str) -> Acknowledgement:
        """Have it done, or not: its acknowledgement."""
        self._ids += 1
        id_ = f"{self.pid}-{self._ids}"
        raw = {"action": action, "id": id_, "issued_at": time.time()}
        self._send(topics.command("hall", device, "gateway"), msgspec.json.encode(raw))
        return self._newest(Acknowledgement, topics.acknowledgement("hall", device), lambda ack: ack.id == id_)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Have it end in order; its exit code."""
        return self._end(signal.SIGTERM)

    def ended(self) -> int:
        """The exit code of one that ends by itself."""
        status = queue.SimpleQueue[int]()
        threading.Thread(target=lambda: status.put(os.waitpid(self.pid, 0)[1]), daemon=True).start()
        code = os.waitstatus_to_exitcode(status.get(timeout=DEADLINE))
        self.pid = 0
        return code

    def _end(self, number: int) -> int:
        if self.pid == 0:
            return 0
        os.kill(self.pid, number)
        return self.ended()

    def _on(self, device: str) -> list[_Said]:
        return [one for one in self.said if one.topic == topics.event("hall", device)]

    def _newest(self, kind: type[M], topic: str, ready: Callable[[M], bool]) -> M:
        found: list[M] = []

        def there() -> bool:
            payloads = [one.payload.encode() for one in self.said if one.topic == topic]
            found[:] = [messages.decode(kind, payload) for payload in payloads[-1:]]
            return bool(found) and ready(found[-1])

        with self._news:
            assert self._news.wait_for(there, timeout=DEADLINE), f"never said on {topic}; last: {found}"
        return found[-1]

    def _send(self, topic: str, message: msgspec.Struct | bytes) -> None:
        payload = message if isinstance(message, bytes) else messages.encode(message)
        self._wire.sendall(msgspec.json.encode(_Said(topic, payload.decode(), 0.0)) + b"\n")

    def _listen(self) -> None:
        text = b""
        with self._wire:
            while part := self._wire.recv(65536):
                *lines, text = (text + part).split(b"\n")
                with self._news:
                    self.said += [msgspec.json.decode(line, type=_Said) for line in lines]
                    self._news.notify_all()


def _live(config: RoomConfig, made: Callable[[RoomConfig], Pins], wire: socket.socket, boot: str | None) -> None:
    """The child's whole life."""
    code = 1
    try:
        link = _WireLink(wire)
        ledger = Ledger(config.data / "hall.sqlite3", boot=boot or this_boot())
        agent = Agent(config, made(config), ledger, link=link)
        link.put = agent.inbox.put
        signal.signal(signal.SIGTERM, lambda *_: agent.inbox.put(Stop()))
        agent.inbox.put(Up(None))
        agent.run()
        code = 0
    except ConfigError as error:
        code = error.exit_code
    except BaseException:  # noqa: BLE001 - the test process's own handlers must not see the child
        traceback.print_exc()
    finally:
        os._exit(code)
