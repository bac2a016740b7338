"""Pins that exist in files: every change of an output is a line in `{room}.jsonl`, inputs are driven over a socket.

The levels outlive the process, as they do on a real board: a restart records an edge only where there is one. An
output can be stuck, as a broken wire is: that is kept in memory, and gone with the process.
"""

import logging
import mmap
import os
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from device_agents.pins.pins import Board, Changed, PinUse
from device_agents.pins.simulation import Drive, Driven, Stage
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.words.messages import utc
from shared.words.problem import HomeError

log = logging.getLogger(__name__)


class Edge(msgspec.Struct, frozen=True):
    """One line of the waveform: an output's logical level from `at` on."""

    at: datetime
    pin: int
    device: str
    level: int


_edge = msgspec.json.Decoder(Edge)


class SimulatedPins:
    """See device_agents.pins.pins.Pins. Files live in `folder`, which is made where it is missing."""

    def __init__(self, folder: Path, room: str, uses: Iterable[PinUse]) -> None:
        self._uses = {use.pin: use for use in uses}
        self._inputs_file = folder / f"{room}.inputs.json"
        self.stage = Stage(folder, room, tuple(self._uses.values()))
        self._changed: Changed | None = None
        # Whoever reads a driven level has been told of it: the stage's thread sets it, the loop reads.
        self._turn = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._waveform = os.open(folder / f"{room}.jsonl", os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            outputs = [use.pin for use in self._uses.values() if use.output]
            self._recorded = _last_levels(self._waveform, outputs)
            self._inputs = self._remembered_inputs()
        except OSError as error:
            raise ConfigError(f"sim_dir: {folder} cannot be used ({error}); check its owner and mode") from error
        self._levels: dict[int, int] = {}
        self._stuck: frozenset[int] = frozenset()

    def driven(self, pin: int) -> int | None:
        """What the waveform's last line for this pin says."""
        return self._recorded.get(pin)

    def claim(self, pin: int, level: int) -> None:
        """A pin that nobody ever wrote counts as level 0."""
        self.write(pin, level)

    def write(self, pin: int, level: int) -> None:
        """Record the edge, if it is one, before anybody is told."""
        if pin in self._stuck:
            return
        logical = 1 if level > 0 else 0
        if logical != self._recorded.get(pin, 0):
            self._record(Edge(utc(time.time()), pin, self._uses[pin].device, logical))
        self._levels[pin] = level

    def read(self, pin: int) -> int:
        """An output's level as written, unless it was stuck then; an input's as driven."""
        use = self._uses[pin]
        if use.output:
            return self._levels.get(pin, self._recorded.get(pin, 0))
        with self._turn:
            return self._inputs.get(use.device, use.idle)

    def watch(self, changed: Changed, _board: Board) -> None:
        """Open the socket for `homesystem sim`."""
        self._changed = changed
        self.stage.open(self._drive)

    def close(self) -> None:
        """Close the socket; every level stays recorded."""
        self.stage.close()
        os.close(self._waveform)

    def _record(self, edge: Edge) -> None:
        line = msgspec.json.encode(edge) + b"\n"
        try:
            written = os.write(self._waveform, line)
            if written < len(line):  # the disk is full: leave no torn line in the middle
                os.ftruncate(self._waveform, os.fstat(self._waveform).st_size - written)
                raise OSError("the disk is full")
        except OSError as error:
            raise HomeError("pin-failed", f"the waveform cannot be written: {error}") from error
        self._recorded[edge.pin] = edge.level

    def _drive(self, use: PinUse, drive: Drive) -> Driven:
        """Play the levels that the driven value stands for. Called from the stage's thread."""
        if use.output:
            pins = {each.pin for each in self._uses.values() if each.device == use.device}
            self._stuck = self._stuck | pins if drive.value == "stuck" else self._stuck - pins
            return Driven(ok=True)
        for level, seconds in _PLAYS.get(drive.value, ()):
            self._set_input(use, level)
            time.sleep(seconds)
        return Driven(ok=True)

    def _set_input(self, use: PinUse, level: int) -> None:
        if self._inputs.get(use.device, use.idle) == level:
            return
        driven = self._inputs | {use.device: level}
        beside = self._inputs_file.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(driven))
            beside.replace(self._inputs_file)
        except OSError as error:
            log.warning("Driven level will not outlive a restart", extra=facts(device=use.device, reason=error))
        with self._turn:
            self._inputs = driven
            if self._changed is not None:
                self._changed(use.pin, level)

    def _remembered_inputs(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._inputs_file.read_bytes(), type=dict[str, int])
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError as error:
            log.warning("Driven levels are lost", extra=facts(file=self._inputs_file, reason=error))
            return {}


_CLICK = ((1, 0.08), (0, 0.08))
_PLAYS: dict[str, tuple[tuple[int, float], ...]] = {
    "open": ((0, 0.0),),
    "closed": ((1, 0.0),),
    "motion": ((1, 0.0),),
    "clear": ((0, 0.0),),
    "press": _CLICK,
    "double": _CLICK + _CLICK,
    "long": ((1, 1.0), (0, 0.0)),
}
"""What somebody's hand does to the level: levels, each held for so many seconds."""


def _last_levels(waveform: int, pins: Iterable[int]) -> dict[int, int]:
    """The last recorded level per pin; a last line torn by a crash is cut off."""
    size = os.fstat(waveform).st_size
    if size == 0:
        return {}
    levels: dict[int, int] = {}
    with mmap.mmap(waveform, size, access=mmap.ACCESS_READ) as text:
        end = text.rfind(b"\n") + 1
        for pin in pins:
            at = end
            # Anything that is no line of ours (an editor, a full disk) is passed over, back to the one before it.
            while pin not in levels and (at := text.rfind(b'"pin":%d,' % pin, 0, at)) >= 0:
                start = text.rfind(b"\n", 0, at) + 1
                try:
                    levels[pin] = _edge.decode(text[start : text.find(b"\n", at)]).level
                except msgspec.DecodeError:
                    continue
    if end < size:
        os.ftruncate(waveform, end)
    return levels
