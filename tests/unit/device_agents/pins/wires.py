"""Fakes of the libraries that own pins, on wires that remember every level they took. 1 is high, 0 is low.

They do what the libraries' sources do, in the same order: what a relay would see is what these tests look at.
"""

import enum
import errno
import os
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any


@dataclass
class Wire:
    """One pin and what hangs on it: a driver inside, a pull inside, and whatever is outside."""

    output: bool = False
    latch: int = 0
    bias: int = 0
    outside: int | None = None
    held: int | None = None
    """What somebody's screwdriver holds it at, whatever drives it."""

    @property
    def level(self) -> int:
        if self.held is not None:
            return self.held
        if self.output:
            return self.latch
        return self.bias if self.outside is None else self.outside


class Board:
    """All wires of a board, and who listens to them. `gone`: the pins cannot be reached any more."""

    def __init__(self) -> None:
        self.wires: dict[int, Wire] = defaultdict(Wire)
        self.edges: dict[int, list[int]] = defaultdict(list)
        self.listeners: dict[int, Callable[[int], None]] = {}
        self.gone = False

    def change(self, pin: int, **parts: Any) -> None:
        """One thing about a wire changes; an edge is remembered, and told."""
        wire = self.wires[pin]
        before = wire.level
        for name, value in parts.items():
            setattr(wire, name, value)
            if wire.level != before:
                before = wire.level
                self.edges[pin].append(before)
                if pin in self.listeners:
                    self.listeners[pin](pin)


class FakePwm:
    """A PWM channel of RPi.GPIO."""

    def __init__(self, gpio: "FakeGpio", pin: int, hertz: int) -> None:
        self.gpio, self.pin, self.hertz = gpio, pin, hertz

    def start(self, duty: int) -> None:
        self.gpio.calls.append(("start", self.pin, duty))

    def ChangeDutyCycle(self, duty: int) -> None:
        self.gpio.calls.append(("duty", self.pin, duty))


class FakeGpio:
    """The part of RPi.GPIO that we use. Lines stay as they are when the process ends."""

    BCM, OUT, IN, BOTH, PUD_UP, PUD_DOWN, PUD_OFF = 11, 0, 1, 33, 22, 21, 20
    SERIAL, SPI, I2C, HARD_PWM, UNKNOWN = 40, 41, 42, 43, -1

    def __init__(self, board: Board | None = None) -> None:
        self.board = board or Board()
        self.calls: list[tuple[Any, ...]] = []
        self.functions: dict[int, int] = {}
        self.error: Exception | None = None

    def setwarnings(self, flag: bool) -> None:
        assert not flag

    def setmode(self, mode: int) -> None:
        assert mode == self.BCM

    def gpio_function(self, pin: int) -> int:
        self._reach()
        if not 0 <= pin < 54:
            raise ValueError("The channel sent is invalid on a Raspberry Pi")
        return self.functions.get(pin, self.OUT if self.board.wires[pin].output else self.IN)

    def setup(self, pin: int, direction: int, initial: int | None = None, pull_up_down: int | None = None) -> None:
        self._reach()
        self.calls.append(("setup", pin, direction, initial, pull_up_down))
        if direction == self.OUT and initial is not None:
            self.board.change(pin, latch=initial)
        self.board.change(pin, bias=1 if pull_up_down == self.PUD_UP else 0, output=direction == self.OUT)

    def output(self, pin: int, level: int) -> None:
        self._reach()
        self.board.change(pin, latch=level)

    def input(self, pin: int) -> int:
        self._reach()
        return self.board.wires[pin].level

    def PWM(self, pin: int, hertz: int) -> FakePwm:
        return FakePwm(self, pin, hertz)

    def add_event_detect(self, pin: int, edge: int, callback: Callable[[int], None]) -> None:
        assert edge == self.BOTH
        self._reach()
        self.board.listeners[pin] = callback

    def remove_event_detect(self, pin: int) -> None:
        del self.board.listeners[pin]

    def _reach(self) -> None:
        if self.error is not None:
            raise self.error
        if self.board.gone:
            raise RuntimeError("No access to /dev/mem.  Try running as root!")


class FakeLgpio(FakeGpio):
    """rpi-lgpio: it reads nothing that it has not claimed, claims as an input to read, and knows no buses."""

    lgpio = object()

    def __init__(self, board: Board | None = None) -> None:
        super().__init__(board)
        self.claimed: set[int] = set()

    def gpio_function(self, pin: int) -> int:
        function = super().gpio_function(pin)
        return function if function == self.OUT else self.IN

    def setup(self, pin: int, direction: int, initial: int | None = None, pull_up_down: int | None = None) -> None:
        if direction == self.OUT and initial is None:
            self.board.change(pin, output=False)
            initial = self.board.wires[pin].level
        self.claimed.add(pin)
        super().setup(pin, direction, initial, pull_up_down)

    def input(self, pin: int) -> int:
        if pin not in self.claimed:
            raise RuntimeError("You must setup() the GPIO channel first")
        return super().input(pin)


class Value(enum.Enum):
    INACTIVE = 0
    ACTIVE = 1


class Direction(enum.Enum):
    AS_IS = 1
    INPUT = 2
    OUTPUT = 3


class Bias(enum.Enum):
    AS_IS = 1
    DISABLED = 3
    PULL_UP = 4
    PULL_DOWN = 5


class Edge(enum.Enum):
    NONE = 1
    BOTH = 4


class Type(enum.Enum):
    RISING_EDGE = 1
    FALLING_EDGE = 2


@dataclass
class LineSettings:
    direction: Direction = Direction.AS_IS
    edge_detection: Edge = Edge.NONE
    bias: Bias = Bias.AS_IS
    active_low: bool = False
    output_value: Value = Value.INACTIVE


class RequestReleasedError(Exception):
    """As in gpiod: no OSError."""


class FakeGpiod:
    """The part of libgpiod 2 that we use, and the kernel's rules behind it.

    `keeps` is what the chip's driver does with a released output: lets it stand, or makes it an input. Of a line that
    nobody holds the kernel goes on saying what it was; once it is requested, the driver is asked, if it `tells`.
    """

    line = SimpleNamespace(Value=Value, Direction=Direction, Bias=Bias, Edge=Edge)
    LineSettings = LineSettings
    EdgeEvent = SimpleNamespace(Type=Type)

    def __init__(self, board: Board | None = None, *, label: str = "fake", lines: int = 32, keeps: bool = True) -> None:
        self.board = board or Board()
        self.label, self.lines, self.keeps = label, lines, keeps
        self.tells = True
        self.name = "gpiochip0"
        self.names: dict[int, str] = {}
        self.garbled: set[int] = set()
        """Lines whose name, or user's name, is no UTF-8: the library cannot say anything of them."""
        self.others: dict[str, FakeGpiod] = {}
        self.now = 100.0
        """CLOCK_MONOTONIC, by which edges are stamped."""
        self.called_outputs: set[int] = set()
        self.consumers: dict[int, str] = {}
        self.refused: Exception | None = None

    def Chip(self, path: str) -> "FakeChip":
        if self.refused is not None:
            raise self.refused
        name = path.rpartition("/")[2]
        if name in self.others:
            return self.others[name].Chip(path)
        if name != self.name:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.reach()
        return FakeChip(self)

    def reach(self) -> None:
        if self.board.gone:
            raise OSError(errno.ENODEV, "No such device")


class FakeChip:
    def __init__(self, gpiod: FakeGpiod) -> None:
        self.gpiod = gpiod
        self.closed = False

    def __enter__(self) -> "FakeChip":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True

    def get_info(self) -> SimpleNamespace:
        self.gpiod.reach()
        return SimpleNamespace(name=self.gpiod.name, label=self.gpiod.label, num_lines=self.gpiod.lines)

    def get_line_info(self, offset: int) -> SimpleNamespace:
        self.gpiod.reach()
        if not 0 <= offset < self.gpiod.lines:
            raise ValueError("line offset of out range")
        if offset in self.gpiod.garbled:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        is_output = self.gpiod.board.wires[offset].output or offset in self.gpiod.called_outputs
        direction = Direction.OUTPUT if is_output else Direction.INPUT
        consumer = self.gpiod.consumers.get(offset)
        name = self.gpiod.names.get(offset)
        return SimpleNamespace(name=name, used=consumer is not None, consumer=consumer or "", direction=direction)

    def request_lines(
        self, config: dict[int, LineSettings], consumer: str, event_buffer_size: int = 16
    ) -> "FakeRequest":
        assert not self.closed
        self.gpiod.reach()
        if any(self.get_line_info(offset).used for offset in config):
            raise OSError(errno.EBUSY, "Device or resource busy")
        return FakeRequest(self.gpiod, config, consumer, event_buffer_size)


class FakeRequest:
    def __init__(self, gpiod: FakeGpiod, config: dict[int, LineSettings], consumer: str, kept: int) -> None:
        self.gpiod, self.board = gpiod, gpiod.board
        self.settings: dict[int, LineSettings] = {}
        self.events: deque[SimpleNamespace] = deque(maxlen=kept)
        self.edges = 0
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.chip_name = "gpiochip0"
        self.released = False
        if gpiod.tells:
            gpiod.called_outputs -= config.keys()
        self._configure(config)
        self.gpiod.consumers |= dict.fromkeys(config, consumer)

    def reconfigure_lines(self, config: dict[int, LineSettings]) -> None:
        self._reach()
        assert set(config) == set(self.settings)
        self._configure(config)

    def set_value(self, offset: int, value: Value) -> None:
        self._reach()
        if not self.board.wires[offset].output:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        self.board.change(offset, latch=value.value ^ self.settings[offset].active_low)

    def get_value(self, offset: int) -> Value:
        self._reach()
        return Value(self.board.wires[offset].level ^ self.settings[offset].active_low)

    def wait_edge_events(self, seconds: float) -> bool:
        assert seconds == 0
        return bool(self.events) or self.gpiod.board.gone

    def read_edge_events(self, most: int) -> list[SimpleNamespace]:
        self._reach()
        assert self.events, "reading would wait"
        taken = [self.events.popleft() for _ in range(min(most, len(self.events)))]
        if not self.events:
            os.eventfd_read(self.fd)
        return taken

    def release(self) -> None:
        if self.released:
            return
        self.released = True
        os.close(self.fd)
        for offset in self.settings:
            del self.gpiod.consumers[offset]
            self.board.listeners.pop(offset, None)
            if self.board.wires[offset].output:
                self.gpiod.called_outputs.add(offset)
            if not self.gpiod.keeps:
                self.board.change(offset, output=False)

    def _configure(self, config: dict[int, LineSettings]) -> None:
        for offset, settings in config.items():
            self.settings[offset] = settings
            match settings.direction:
                case Direction.AS_IS:
                    if settings.bias is not Bias.AS_IS or settings.edge_detection is not Edge.NONE:
                        raise ValueError("Invalid argument")
                case Direction.OUTPUT:
                    if settings.edge_detection is not Edge.NONE:
                        raise ValueError("Invalid argument")
                    latch = settings.output_value.value ^ settings.active_low
                    self.board.change(offset, latch=latch)
                    self.board.change(offset, output=True)
                case Direction.INPUT:
                    self.gpiod.called_outputs.discard(offset)
                    self.board.change(offset, output=False, bias=1 if settings.bias is Bias.PULL_UP else 0)
                    if settings.edge_detection is Edge.BOTH:
                        self.board.listeners[offset] = self._heard

    def _heard(self, offset: int) -> None:
        level = self.board.wires[offset].level ^ self.settings[offset].active_low
        self.edges += 1
        self.events.append(
            SimpleNamespace(
                line_offset=offset,
                event_type=Type.RISING_EDGE if level else Type.FALLING_EDGE,
                timestamp_ns=round(self.gpiod.now * 1e9),
                line_seqno=self.edges,
            )
        )
        os.eventfd_write(self.fd, 1)

    def _reach(self) -> None:
        if self.released:
            raise RequestReleasedError("GPIO lines have been released")
        self.gpiod.reach()
