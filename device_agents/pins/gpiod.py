"""The pins of any board through libgpiod 2. The chip is a device such as /dev/gpiochip0; pins are its lines' offsets.

A line belongs to whoever requested it, and the kernel promises its level only until then: when the process ends, by
itself or by kill -9, the chip's driver decides. The kernels of Raspberry Pi OS let an output stand as it is
(persist_gpio_outputs, unless config.txt says `dtparam=strict_gpiod`); the same chips on a mainline kernel become
inputs, so that their pulls decide; expanders usually keep what they were told. docs/wiring.md has the consequences.
"""

import contextlib
import errno
import importlib
import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from device_agents.pins import board as header
from device_agents.pins import chips
from device_agents.pins.chips import Chip
from device_agents.pins.hearing import EDGES_KEPT, Hearing
from device_agents.pins.pins import Board, Changed, PinUse, translated
from shared.running import installed
from shared.running.config import ConfigError

_HEADERS = ("pinctrl-bcm2", "pinctrl-rp1")
"""What the chips behind a Raspberry Pi's header are called."""
_INNER = ("gpio-brcmstb", "raspberrypi-exp-gpio")
"""Chips of a Raspberry Pi that work inside the board. Kernels have changed the numbers of all of them before."""
_CONSUMER_LENGTH = 31
"""What the kernel keeps of a consumer's name."""


def load() -> Any:
    """The gpiod module. Raises ConfigError where it is absent, or too old."""
    try:
        gpiod = importlib.import_module("gpiod")
        importlib.import_module("gpiod.line")
    except ImportError as error:
        raise ConfigError(
            f'pins = "gpiod": libgpiod 2 cannot be used ({error}); run `{installed.again("room")}`, or set '
            'pins = "simulated"'
        ) from error
    return gpiod


def is_header(label: str) -> bool:
    """Whether a chip of this label is behind a Raspberry Pi's header."""
    return label.startswith(_HEADERS)


def is_inner(label: str) -> bool:
    """Whether a chip of this label works inside a Raspberry Pi."""
    return label.startswith(_INNER)


def check(gpiod: Any, chip: Path, room: str, uses: Collection[PinUse], free: Collection[int]) -> None:
    """Ask the chip about every line, and touch none. Raises ConfigError naming everything that is in the way.

    Lines that a running agent of this room holds are right.
    """
    with chips.opened(gpiod, chip) as opened:
        _refuse(chip, _complaints(opened, uses, free, ours=consumer(room)))


class GpiodPins:
    """See device_agents.pins.pins.Pins. `gpiod` is the module that `load` returns; it inverts active-low lines itself.

    Raises ConfigError before any line is touched, naming everything that is in the way. `free` are pins that the
    owner uses although a Raspberry Pi's header has them for something else.
    """

    def __init__(
        self, gpiod: Any, chip: Chip, room: str, uses: Iterable[PinUse], *, free: Collection[int] = ()
    ) -> None:
        self._gpiod = gpiod
        self._known = chip
        self._line = gpiod.line
        self._consumer = consumer(room)
        self._uses = {use.pin: use for use in uses}
        self._requests: dict[int, Any] = {}
        # The loop reads inputs while another thread takes their edges; the library wants such calls one at a time.
        self._turn = threading.Lock()
        self._gone = False
        self._hearing: Hearing | None = None
        self._chip = chips.opened(gpiod, chip.path)
        try:
            _refuse(chip.path, _complaints(self._chip, self._uses.values(), free, ours=None))
        except ConfigError:
            self._chip.close()
            raise

    def driven(self, pin: int) -> int | None:
        """A line that is still an output is taken over as it stands, and held: releasing it might move it.

        Of a line that nobody holds the kernel says what its last holder made of it. Asked once more when it is held,
        most drivers say what it is; one that does not leaves an input to be taken for an output that reads its pull.
        """
        with translated(pin):
            info = self._chip.get_line_info(pin)
            if info.used or info.direction != self._line.Direction.OUTPUT:
                return None
            self._request({pin: self._settings(self._uses[pin], direction=self._line.Direction.AS_IS)})
            if self._chip.get_line_info(pin).direction != self._line.Direction.OUTPUT:
                return None
        return self.read(pin)

    def claim(self, pin: int, level: int) -> None:
        """The level goes to the kernel together with the direction, so that a relay never sees another one."""
        settings = self._settings(
            self._uses[pin], direction=self._line.Direction.OUTPUT, output_value=self._value(level)
        )
        with translated(pin):
            if pin in self._requests:
                self._held(pin).reconfigure_lines({pin: settings})
            else:
                self._request({pin: settings})

    def write(self, pin: int, level: int) -> None:
        """Set the line."""
        with translated(pin), self._turn:
            self._held(pin).set_value(pin, self._value(level))

    def read(self, pin: int) -> int:
        """What the chip reads on the line; a driver without a way to read outputs says what was written."""
        with translated(pin), self._turn:
            request = self._held(pin)
            if self._hearing is not None and not self._uses[pin].output:
                self._hearing.catch_up(pin)
            return int(request.get_value(pin) == self._line.Value.ACTIVE)

    def watch(self, changed: Changed, board: Board) -> None:
        """Each input in a request of its own, with its pull; the kernel debounces none, so that it tells all edges."""
        line = self._line
        pulls = {"up": line.Bias.PULL_UP, "down": line.Bias.PULL_DOWN, "none": line.Bias.DISABLED}
        inputs = [use for use in self._uses.values() if not use.output]
        with translated(*(use.pin for use in inputs)):
            for use in inputs:
                settings = self._settings(
                    use, direction=line.Direction.INPUT, bias=pulls[use.pull], edge_detection=line.Edge.BOTH
                )
                self._request({use.pin: settings}, event_buffer_size=EDGES_KEPT)
        self._hearing = Hearing(self._gpiod, {use.pin: self._requests[use.pin] for use in inputs}, self._turn)
        self._hearing.start(changed, board, self)

    def close(self) -> None:
        """Give the lines back; what becomes of their levels is the kernel's, as it is when the process ends."""
        if self._hearing is not None:
            self._hearing.close()
        self.let_go()

    def look(self) -> None:
        """Raises OSError(ENODEV) once the chip is gone."""
        with contextlib.suppress(UnicodeDecodeError):  # a user's name that is no UTF-8: the chip has answered
            self._chip.get_line_info(0)

    def let_go(self) -> None:
        """Of a chip that is gone too: what nobody holds comes back under its own number."""
        with self._turn:
            self._gone = True
            for request in self._requests.values():
                request.release()
            self._requests.clear()
            self._chip.close()

    def is_back(self) -> bool:
        """Whether the chip is there again; these pins stay dead."""
        return chips.again_there(self._gpiod, self._known) is not None

    def _held(self, pin: int) -> Any:
        if self._gone:
            raise OSError(errno.ENODEV, "No such device")
        return self._requests[pin]

    def _request(self, lines: dict[int, Any], **more: Any) -> None:
        request = self._chip.request_lines(lines, consumer=self._consumer, **more)
        self._requests |= dict.fromkeys(lines, request)

    def _settings(self, use: PinUse, **settings: Any) -> Any:
        return self._gpiod.LineSettings(active_low=use.active_low, **settings)

    def _value(self, level: int) -> Any:
        return self._line.Value.ACTIVE if level else self._line.Value.INACTIVE


def consumer(room: str) -> str:
    """What gpioinfo shows as the line's user."""
    return f"homesystem {room}"[:_CONSUMER_LENGTH]


def _refuse(chip: Path, complaints: Iterable[str]) -> None:
    wrong = [f"devices: {chip}: {what}" for what in complaints]
    if wrong:
        raise ConfigError("\n".join(wrong))


def _complaints(chip: Any, uses: Collection[PinUse], free: Collection[int], *, ours: str | None) -> Iterator[str]:
    """`ours` is a consumer that may hold lines already."""
    about = chip.get_info()
    if is_inner(about.label):
        yield f"this is {about.label}, which works inside the board; {chips.FIND}"
    if is_header(about.label):
        # Only some of its lines are on the header, and most kernels would take them away from a bus without a word.
        yield from header.complaints(((use.pin, use.device) for use in uses), free)
    for use in uses:
        if use.frequency is not None:
            yield (
                f"pin {use.pin} ({use.device}): a dimmer needs PWM, which gpiod does not have; "
                'use a switch, or set pins = "rpi"'
            )
        if not 0 <= use.pin < about.num_lines:
            yield f"there is no line {use.pin} ({use.device}); the chip has 0 to {about.num_lines - 1}"
            continue
        try:
            info = chip.get_line_info(use.pin)
        except UnicodeDecodeError:
            yield (
                f"line {use.pin} ({use.device}): its name, or that of its user, is no UTF-8, so whether it is free "
                "cannot be told; use another pin, or end what uses it (gpioinfo shows all)"
            )
            continue
        if info.used and info.consumer != ours:
            by = f"used by {info.consumer!r}" if info.consumer else "used by the kernel, for a bus for instance"
            yield f"line {use.pin} ({use.device}) is {by}; use another pin, or end that (gpioinfo shows all)"
