"""The only hands on the pins of a running room: every write is read back, and what does not follow is put to rest.

An output whose pin failed is not driven any more, so that a line that comes loose later moves nothing late; what
does not even come to rest is told so again every second (the loop's deadline).
"""

import logging
from collections.abc import Callable, Iterable

import msgspec

from device_agents.devices.output import Standing, Step, Write
from device_agents.pins.pins import Pins
from device_agents.room.device import Device
from device_agents.room.faults import Fault
from device_agents.room.limits import follow
from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
Clock = Callable[[], float]


class Hands:
    """Moves outputs. `now` is monotonic seconds, as of when the move was thought of; `steady` tells them anew.

    What was written to a card meanwhile, or another process that had its turn, may have kept the pin waiting: how long
    it rests, or is on, counts from its edge.
    """

    def __init__(self, pins: Pins, steady: Clock) -> None:
        self._pins = pins
        self._steady = steady

    def driven(self, pins: Iterable[int]) -> tuple[int | None, ...]:
        """The levels that an earlier process left driven. Raises HomeError("pin-failed")."""
        return tuple(self._pins.driven(pin) for pin in pins)

    def claim(self, device: Device, step: Step, now: float) -> None:
        """Take the pins at a start. Raises HomeError("pin-failed") where one cannot be had at all."""
        for write in step.writes:
            self._pins.claim(write.pin, write.level)
            device.levels[write.pin] = write.level
        device.standing = step.standing
        if (fault := self._mismatch(step.writes)) is not None:
            self._give_up(device, fault, step.standing, now)

    def reads_on(self, device: Device) -> bool:
        """Whether any pin of an output reads on, or cannot be read."""
        return any(self._read(pin) != 0 for pin in device.levels)

    def move(self, device: Device, step: Step, now: float) -> None:
        """Write the step's levels and read each back before the next: no relay is switched on beside a stuck one.

        Raises HomeError("pin-failed") where one does not follow: the device is at rest then, or `stuck`.
        """
        changed = any(device.levels.get(write.pin) != write.level for write in step.writes)
        for write in step.writes:
            if (fault := self._write(device, write)) is not None:
                self._give_up(device, fault, step.standing, now)
                raise HomeError("pin-failed", fault.words)
        done = max(now, self._steady())
        device.standing = step.standing.later(now, done - now) if changed else step.standing
        device.past = follow(device.past, active=self._is_active(device, step), changed=changed, now=done)
        self._observe(device, step.writes)

    def patrol(self, device: Device, now: float) -> None:
        """Look whether every pin still reads what was written; what does not is put to rest."""
        if device.fault is not None and device.fault.stuck:
            return
        written = tuple(Write(pin, level) for pin, level in device.levels.items())
        if (fault := self._mismatch(written)) is not None:
            self._give_up(device, fault, device.standing, now)

    def rest_again(self, device: Device, now: float) -> None:
        """Tell a stuck output once more to come to rest."""
        assert device.fault is not None
        self._give_up(device, device.fault, device.standing, now)

    def _give_up(self, device: Device, fault: Fault, standing: Standing, now: float) -> None:
        """Nothing may stay driven that does not follow; believe only what can be read."""
        assert device.output is not None
        rest = device.output.rest(standing, now)
        for write in rest.writes:
            try:
                self._pins.write(write.pin, write.level)
            except HomeError as error:
                log.debug("Pin cannot be set to rest", extra=facts(device=device.id, reason=error.detail))
            device.levels[write.pin] = write.level
        levels = tuple(self._read(pin) for pin in device.output.pins)
        stuck = any(level != device.levels[pin] for pin, level in zip(device.output.pins, levels, strict=True))
        if device.fault is None:
            log.error("Pin does not follow", extra=facts(device=device.id, pin=fault.pin, wrote=fault.wrote))
        device.fault = (device.fault or fault)._replace(stuck=stuck)
        device.past = follow(device.past, active=stuck, changed=True, now=max(now, self._steady()))
        self._observe(device, rest.writes)
        if device.fault is None:
            device.standing = rest.standing
            return
        seen = device.output.seen(rest.standing, levels)
        device.standing = msgspec.structs.replace(
            seen, deadline=now + AGAIN_SECONDS if stuck else rest.standing.deadline
        )

    def _observe(self, device: Device, writes: Iterable[Write]) -> None:
        """A fault is over once the pin has done what it once did not."""
        for write in writes:
            fault = device.fault
            if fault is not None and fault.is_over(*write) and self._read(write.pin) == write.level:
                device.fault = None
                log.info("Pin follows again", extra=facts(device=device.id, pin=write.pin))

    def _is_active(self, device: Device, step: Step) -> bool:
        return step.standing.motion is not None or any(level > 0 for level in device.levels.values())

    def _write(self, device: Device, write: Write) -> Fault | None:
        try:
            self._pins.write(write.pin, write.level)
        except HomeError as error:
            log.error("Pin cannot be written", extra=facts(device=device.id, reason=error.detail))
            return Fault(write.pin, write.level, self._read(write.pin), stuck=False, why=error.detail or "")
        device.levels[write.pin] = write.level
        return self._mismatch((write,))

    def _mismatch(self, writes: Iterable[Write]) -> Fault | None:
        for write in writes:
            if (read := self._read(write.pin)) != write.level:
                return Fault(write.pin, write.level, read, stuck=False)
        return None

    def _read(self, pin: int) -> int | None:
        try:
            return self._pins.read(pin)
        except HomeError as error:
            log.debug("Pin cannot be read", extra=facts(pin=pin, reason=error.detail))
            return None
