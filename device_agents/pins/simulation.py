"""Driving a simulated room from outside: `drive` for `homesystem sim ROOM/DEVICE VALUE`, and the room's end of it.

An input takes what a hand or a door would do; an output can be made to fail: `stuck`, and `free` again.

One line of JSON each way over the Unix socket `{sim_dir}/{room}.sock`: {"device", "value"} in, {"ok", "detail"} out.
"""

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from device_agents.pins.pins import PinUse
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

FAULTS = ("stuck", "free")
"""What an output takes: its line stops following what is written to it, and follows again."""

_SECONDS = 5.0
_LONGEST = 4096


class Drive(msgspec.Struct, frozen=True):
    """The wish: this device's input shall become `value`, or its outputs `stuck` or `free`."""

    device: str
    value: str


class Driven(msgspec.Struct, frozen=True, omit_defaults=True):
    """The room's answer."""

    ok: bool
    detail: str | None = None


def drive(sim_dir: Path, room: str, device: str, value: str) -> None:
    """Drive a simulated input of a running room, or break an output and mend it; returns when it is done.

    Raises HomeError: not-found (no such simulated room), room-offline (it is not running), invalid-value (no such
    device, or it takes no such value).
    """
    if not (sim_dir / f"{room}.jsonl").exists():
        known = sorted(path.stem for path in sim_dir.glob("*.jsonl"))
        raise HomeError(
            "not-found", f"There is no simulated room {room!r} here; there is: {', '.join(known) or 'none'}."
        )
    with socket.socket(socket.AF_UNIX) as stage:
        stage.settimeout(_SECONDS)
        try:
            with _short(sim_dir, room) as address:
                stage.connect(address)
            stage.sendall(msgspec.json.encode(Drive(device, value)) + b"\n")
            answer = msgspec.json.decode(_line(stage), type=Driven)
        except (OSError, msgspec.DecodeError) as error:
            raise HomeError("room-offline", f"The agent of room {room!r} is not running. ({error})") from error
    if not answer.ok:
        raise HomeError("invalid-value", answer.detail)


class Stage:
    """The room's end: a thread that takes one wish after the other."""

    def __init__(self, folder: Path, room: str, uses: tuple[PinUse, ...]) -> None:
        self._folder = folder
        self._room = room
        self._uses = {use.device: use for use in uses}
        self._sensors: dict[str, Callable[[str], Driven]] = {}
        self._socket: socket.socket | None = None

    def register(self, sensor: str, play: Callable[[str], Driven]) -> None:
        """A device without a pin: `play` gets the value that it is driven to, in the stage's own thread."""
        self._sensors[sensor] = play

    def open(self, play: Callable[[PinUse, Drive], Driven]) -> None:
        """Listen; `play` is called from the stage's own thread. Raises ConfigError where that is not possible."""
        listener = socket.socket(socket.AF_UNIX)
        try:
            (self._folder / f"{self._room}.sock").unlink(missing_ok=True)
            with _short(self._folder, self._room) as address:
                listener.bind(address)
            listener.listen()
        except OSError as error:
            listener.close()
            raise ConfigError(f"sim_dir: no socket can be made in {self._folder} ({error})") from error
        self._socket = listener
        threading.Thread(target=self._serve, args=(listener, play), name="stage", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # wakes the thread, which closing alone does not
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            (self._folder / f"{self._room}.sock").unlink(missing_ok=True)

    def _serve(self, listener: socket.socket, play: Callable[[PinUse, Drive], Driven]) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return  # closed
            with caller:
                caller.settimeout(_SECONDS)
                try:
                    answer = self._answer(_line(caller), play)
                    caller.sendall(msgspec.json.encode(answer) + b"\n")
                except OSError as error:
                    log.warning("Caller of the simulation went away", extra=facts(reason=error))

    def _answer(self, line: bytes, play: Callable[[PinUse, Drive], Driven]) -> Driven:
        try:
            wish = msgspec.json.decode(line, type=Drive)
        except msgspec.DecodeError as error:
            return Driven(ok=False, detail=f"Send one line of JSON with device and value: {error}.")
        if (sensor := self._sensors.get(wish.device)) is not None:
            return sensor(wish.value)
        use = self._uses.get(wish.device)
        named = [*self._sensors, *(name for name, use in self._uses.items() if not use.output)]
        inputs = ", ".join(sorted(named)) or "none"
        if use is None:
            outputs = ", ".join(sorted(name for name, use in self._uses.items() if use.output)) or "none"
            known = f"inputs are: {inputs}; outputs are: {outputs}"
            return Driven(ok=False, detail=f"Room {self._room!r} has no device {wish.device!r}; {known}.")
        if use.output and wish.value not in FAULTS:
            how = f"send it a command, or break it: {', '.join(FAULTS)}"
            return Driven(ok=False, detail=f"{wish.device!r} is an output; {how}. Inputs are: {inputs}.")
        if not use.output and wish.value not in use.values:
            return Driven(ok=False, detail=f"{wish.device!r} takes {', '.join(use.values)}, not {wish.value!r}.")
        return play(use, wish)


@contextlib.contextmanager
def _short(folder: Path, room: str) -> Iterator[str]:
    """The socket's address by way of its open folder: an address may have 107 bytes, a folder's path many more."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{room}.sock"
    finally:
        os.close(descriptor)


def _line(peer: socket.socket) -> bytes:
    """One line, or what came of it before the end or 4 KiB."""
    text = b""
    while not text.endswith(b"\n") and len(text) < _LONGEST:
        part = peer.recv(_LONGEST)
        if not part:
            break
        text += part
    return text
