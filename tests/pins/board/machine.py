"""One start of the board: QEMU's model of a Pi 3B, asked through its console, and watched through its registers."""

import contextlib
import json
import re
import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.pins.board import image, pads

GPIO = 0x3F200000
LEVELS = GPIO + 0x34
STARTS_WITHIN = 240.0
ANSWERS_WITHIN = 120.0
"""Seconds; a loaded machine emulates slowly."""
_MARK = b"@@ "
_WRITE = re.compile(r"memory_region_ops_write .* addr 0x([0-9a-f]+) value 0x([0-9a-f]+) size 4 name '([^']*)'")


class BoardError(Exception):
    """The board said nothing, or something that nobody asked for."""


class Board:
    """A running board. Use as a context manager."""

    def __init__(self, kernel: image.Image, parameters: str, firmware: Mapping[int, int], folder: Path) -> None:
        self._folder = folder
        self._heard = bytearray()
        self._open = contextlib.ExitStack()
        self._trace_at = 0
        self.pads = pads.Pads()
        self.writes: list[tuple[int, int]] = []
        """What was written to the registers of the pins: offset and value."""
        self.watchdog: list[tuple[int, int]] = []
        """What was written to the registers of power and watchdog: offset and value."""
        image.aboard(folder / "aboard.gz")
        initial = folder / "initrd.gz"
        initial.write_bytes(kernel.root.read_bytes() + (folder / "aboard.gz").read_bytes())
        sockets = [f"unix:{folder / name},server=on,wait=off" for name in ("console", "qmp", "bus")]
        self._machine = subprocess.Popen(
            [
                *("qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg", "-nodefaults", "-no-reboot"),
                *("-display", "none", "-serial", "null", "-serial", sockets[0], "-qmp", sockets[1]),
                *("-qtest", sockets[2], "-qtest-log", "none"),
                *("-kernel", str(kernel.kernel), "-dtb", str(kernel.tree), "-initrd", str(initial)),
                *("-append", f"console=ttyS1,115200 quiet loglevel=1 panic=-1 {parameters}".rstrip()),
                *("-trace", "memory_region_ops_write", "-D", str(folder / "trace")),
                "-S",
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            self._qmp = self._open.enter_context(self._connected("qmp").makefile("rw"))
            self._qmp.readline()
            self._order("qmp_capabilities")
            self._registers = self._open.enter_context(self._connected("bus").makefile("rw"))
            for address, value in firmware.items():
                self._bus(f"writel {address:#x} {value:#x}")
            self._console = self._connected("console")
            self._order("cont")
            self._answer(STARTS_WITHIN)
            self._look()
            self.given = self.pads.used()
            """Pads that somebody made more than inputs before the first process ran."""
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self._end()

    def console(self) -> str:
        """All that was heard, the kernel's own words included."""
        return self._heard.decode(errors="replace")

    def do(self, **request: Any) -> Any:
        """What tests/pins/board/aboard/server.py answers. Raises BoardError."""
        self._console.sendall(json.dumps(request).encode() + b"\n")
        answer = self._answer(ANSWERS_WITHIN)
        if "broken" in answer:
            raise BoardError(answer["broken"])
        return answer

    def run(self, *command: str) -> str:
        """What a command on the board prints. Raises BoardError where it fails."""
        done = self.do(do="run", command=command)
        if done["code"] != 0:
            raise BoardError(f"{command} ended with {done['code']}: {done['error']}")
        return str(done["out"])

    def send(self, **request: Any) -> None:
        """A request whose answer nobody waits for, since the board will not live to give it."""
        self._console.sendall(json.dumps(request).encode() + b"\n")

    def wait(self) -> None:
        """Until the machine ended by itself: a reset."""
        self._machine.wait(ANSWERS_WITHIN)
        self._look()

    def levels(self, pad: int, resistor: int) -> list[int]:
        """The wire's level when this was last asked, and each that followed; see Pads.levels."""
        self._look()
        return self.pads.levels(pad, resistor)

    def function(self, pad: int) -> int:
        """What GPFSEL says a pad is: read now, and the same that was written to it."""
        self._look()
        register = pad // 10 * 4
        held = self._word(GPIO + register)
        assert held == self.pads.selected(register), "QEMU's model holds something else than was written"
        return held >> pad % 10 * 3 & 7

    def read(self, pad: int) -> int:
        """What GPLEV says of a pad, which in QEMU's model is the latch, for an input as well."""
        return self._word(LEVELS + pad // 32 * 4) >> pad % 32 & 1

    def release(self, *numbers: int) -> None:
        """Make pads inputs, as a reset of the chip does, and forget what they did."""
        for number in numbers:
            register = number // 10 * 4
            held = self._word(GPIO + register) & ~(7 << number % 10 * 3)
            self._bus(f"writel {GPIO + register:#x} {held:#x}")
            self.levels(number, 0)

    def _word(self, address: int) -> int:
        return int(self._bus(f"readl {address:#x}"), 16)

    def _bus(self, order: str) -> str:
        """Reads or writes a register as the processor would; what was read."""
        self._registers.write(f"{order}\n")
        self._registers.flush()
        said = self._registers.readline().split()
        if said[:1] != ["OK"]:
            raise BoardError(f"{order}: {said}")
        return said[-1]

    def _look(self) -> None:
        """Take in what was written to registers since the last time."""
        with (self._folder / "trace").open() as trace:
            trace.seek(self._trace_at)
            while (line := trace.readline()).endswith("\n"):
                self._trace_at = trace.tell()
                if (write := _WRITE.search(line)) is None:
                    continue
                offset, value = int(write[1], 16) & 0xFFF, int(write[2], 16)
                if write[3] == "bcm2835_gpio":
                    self.writes.append((offset, value))
                    self.pads.write(offset, value)
                elif write[3] == "bcm2835-powermgt":
                    self.watchdog.append((offset, value))

    def _order(self, what: str, **arguments: Any) -> object:
        """QEMU's own console."""
        self._qmp.write(json.dumps({"execute": what, "arguments": arguments}) + "\n")
        self._qmp.flush()
        while line := self._qmp.readline():
            said = json.loads(line)
            if "return" in said:
                return said["return"]
            if "error" in said:
                raise BoardError(f"{what}: {said['error']}")
        raise BoardError(f"{what}: QEMU is gone")

    def _connected(self, name: str) -> socket.socket:
        made = self._open.enter_context(socket.socket(socket.AF_UNIX))
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                made.connect(str(self._folder / name))
            except OSError:
                if self._machine.poll() is not None or time.monotonic() > deadline:
                    assert self._machine.stderr is not None
                    raise BoardError(f"QEMU ended: {self._machine.stderr.read().decode()}") from None
                time.sleep(0.05)
            else:
                return made

    def _answer(self, seconds: float) -> Mapping[str, Any]:
        """The next line of the console that is an answer."""
        deadline = time.monotonic() + seconds
        line = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(self._console, selectors.EVENT_READ)
            while ready.select(max(0.0, deadline - time.monotonic())):
                heard = self._console.recv(1)
                if not heard:
                    raise BoardError("the board's console was closed")
                self._heard += heard
                line += heard
                if heard == b"\n":
                    if _MARK in line:
                        answer: Mapping[str, Any] = json.loads(line.partition(_MARK)[2])
                        return answer
                    line.clear()
        raise BoardError(f"the board did not answer within {seconds:.0f} s; last: {self.console()[-2000:]}")

    def _end(self) -> None:
        self._machine.kill()
        self._machine.wait()
        self._open.close()
        assert self._machine.stderr is not None
        self._machine.stderr.close()


@contextlib.contextmanager
def started(kernel: image.Image, parameters: str = "", *, firmware: Mapping[int, int] | None = None) -> Iterator[Board]:
    """A board of its own, and its end.

    `parameters` are the kernel's own; `firmware` is written to addresses before the kernel starts.
    """
    with (
        tempfile.TemporaryDirectory(prefix="home-board-") as folder,
        Board(kernel, parameters, firmware or {}, Path(folder)) as board,
    ):
        yield board
