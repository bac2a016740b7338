"""The room as it stands: every device with its pins, its standing and its last state. Only it moves pins."""

import logging
import time
from collections.abc import Callable

import msgspec

from device_agents.config import DeviceConfig, RoomConfig
from device_agents.devices import build
from device_agents.devices.input import Happening, Input, Signal
from device_agents.devices.output import Birth, Last, Output, Standing, Step, Write
from device_agents.ledger import Ledger
from device_agents.pins import Pins
from shared import topics
from shared.log import facts
from shared.messages import By, Description, DeviceDescription, State, Value, utc
from shared.names import Action, Kind
from shared.problem import HomeError

log = logging.getLogger(__name__)

VERSION = "0.1.0"
_UNVALUED = frozenset({Kind.PULSE, Kind.BUTTON})
"""Kinds whose value is always None: each new press is news."""


class Device(msgspec.Struct, kw_only=True, eq=False):
    """One device at run time."""

    config: DeviceConfig
    description: DeviceDescription
    state: State
    ack_topic: str
    state_topic: str
    event_topic: str
    output: Output | None = None
    standing: Standing = Standing(value=None)
    input: Input | None = None
    signal: Signal = Signal(value=None, level=0)

    @property
    def id(self) -> str:
        """Its name in the room."""
        return self.config.id

    @property
    def deadline(self) -> float | None:
        """When it wants its tick."""
        return self.signal.deadline if self.output is None else self.standing.deadline


class Room:
    """All devices. Times are monotonic seconds unless they are called wall time (seconds since 1970)."""

    def __init__(
        self, config: RoomConfig, pins: Pins, ledger: Ledger, *, wall: Callable[[], float] = time.time
    ) -> None:
        self.name = config.room
        self._pins = pins
        self._ledger = ledger
        self._wall = wall
        self.devices = {device.id: self._device(device) for device in config.devices}
        self._by_pin = {device.input.pin: device for device in self.devices.values() if device.input is not None}
        self.description = Description(
            room=config.room,
            name=config.name,
            agent_version=VERSION,
            devices=tuple(device.description for device in self.devices.values()),
        )

    def start(self, now: float, *, interrupted: frozenset[str], changed: Callable[[int], None]) -> None:
        """Every output to where its policy wants it, without a click where nothing changes; then the inputs.

        `interrupted` names devices on which a command was begun and not finished. Raises HomeError("pin-failed").
        """
        for device in self.devices.values():
            if device.output is not None:
                self._boot(device, device.output, now, device.id in interrupted)
        self._pins.watch(changed)
        for device in self.devices.values():
            if device.input is not None:
                device.signal = device.input.start(self._pins.read(device.input.pin))
                self._stand(device, device.signal.value, By(source="boot"))

    def deadline(self) -> float | None:
        """The first deadline of any device."""
        due = [at for device in self.devices.values() if (at := device.deadline) is not None]
        return min(due, default=None)

    def plan(self, device: Device, action: Action, value: int | None, now: float) -> Step:
        """What an output would do; nothing has moved yet. Raises HomeError where its limits forbid it."""
        assert device.output is not None
        return device.output.act(device.standing, action, value, now)

    def move(self, device: Device, step: Step) -> None:
        """Write the step's levels and read them back. Raises HomeError("pin-failed"); the standing follows what is so.

        The state is not touched: `stand` does that, once it is known what to say.
        """
        assert device.output is not None
        try:
            for write in step.writes:
                self._pins.write(write.pin, write.level)
            for write in step.writes:
                if (read := self._pins.read(write.pin)) != write.level:
                    raise HomeError("pin-failed", f"pin {write.pin} was set to {write.level} and reads {read}")
        except HomeError as error:
            log.error("Pin does not follow", extra=facts(device=device.id, reason=error.detail))
            self._recover(device, device.output, step.standing)
            raise
        device.standing = step.standing

    def stand(self, device: Device, by: By) -> State:
        """The device's state after a move."""
        return self._stand(device, device.standing.value, by)

    def tick(self, now: float) -> list[Device]:
        """Give every output that is due its tick; returns those that moved, their states already remembered."""
        moved = []
        for device in self.devices.values():
            at = device.standing.deadline
            if device.output is None or at is None or at > now:
                continue
            step = device.output.tick(device.standing, now)
            try:
                self.move(device, step)
            except HomeError:
                # Tried again in a second: what only the agent ends must end.
                device.standing = msgspec.structs.replace(device.standing, deadline=now + 1.0)
            if device.standing.value != device.state.value:
                self._stand(device, device.standing.value, By(source="timer"))
                self.remember(device)
                moved.append(device)
        return moved

    def edge(self, pin: int, now: float) -> None:
        """An input's pin changed, or bounced."""
        device = self._by_pin.get(pin)
        if device is not None and device.input is not None:
            device.signal = device.input.edge(device.signal, now)

    def listen(self, now: float) -> list[tuple[Device, tuple[Happening, ...]]]:
        """Give every input that is due its tick; returns those of which there is news."""
        news = []
        for device in self._by_pin.values():
            at = device.signal.deadline
            if device.input is None or at is None or at > now:
                continue
            told = device.input.tick(device.signal, self._pins.read(device.input.pin), now)
            device.signal = told.signal
            if told.events or told.signal.value != device.state.value:
                self._stand(device, told.signal.value, By(source="input"))
                self.remember(device)
                news.append((device, told.events))
        return news

    def halt(self, now: float) -> None:
        """The agent ends: stop what must not go on without it."""
        for device in self.devices.values():
            if device.output is None:
                continue
            step = device.output.halt(device.standing, now)
            if step.writes:
                try:
                    self.move(device, step)
                except HomeError:
                    continue  # logged where it happened; the others must still stop
                self._stand(device, device.standing.value, By(source="failsafe"))
                self.remember(device)

    def remember(self, device: Device) -> None:
        """Write down a state that no command brought about. A ledger that fails costs only the memory."""
        try:
            self._ledger.stand(device.id, device.state)
        except HomeError as error:
            log.warning("Standing is not remembered", extra=facts(device=device.id, reason=error.detail))

    def _device(self, config: DeviceConfig) -> Device:
        unknown = State(value=None, since=utc(self._wall()), by=By(source="boot"))
        device = Device(
            config=config,
            description=build.description(config),
            state=unknown,
            ack_topic=topics.acknowledgement(self.name, config.id),
            state_topic=topics.state(self.name, config.id),
            event_topic=topics.event(self.name, config.id),
        )
        if config.is_output:
            device.output = build.output(config)
        else:
            device.input = build.input_(config)
        return device

    def _boot(self, device: Device, output: Output, now: float, interrupted: bool) -> None:
        stood = self._stood(device)
        birth = Birth(
            policy=device.config.boot,
            levels=tuple(self._pins.driven(pin) for pin in output.pins),
            last=None if stood is None else Last(stood.value, self._wall() - stood.since.timestamp()),
            interrupted=interrupted,
        )
        step = output.boot(birth, now)
        for write in step.writes:
            self._pins.claim(write.pin, write.level)
        device.standing = step.standing
        if stood is not None:
            device.state = stood
        if self._stand(device, step.standing.value, By(source="boot")) is not stood:
            self.remember(device)

    def _stood(self, device: Device) -> State | None:
        try:
            stood = self._ledger.stood(device.id)
        except HomeError as error:
            log.warning("Last state cannot be read", extra=facts(device=device.id, reason=error.detail))
            return None
        return stood

    def _stand(self, device: Device, value: Value, by: By) -> State:
        """A value that did not change keeps its `since` and what caused it, save where every time is news."""
        news = device.config.kind in _UNVALUED and by.source in {"command", "input"}
        if news or device.state.value != value:
            device.state = State(value=value, since=utc(self._wall()), by=by)
        return device.state

    def _recover(self, device: Device, output: Output, wanted: Standing) -> None:
        """A write failed: end what must not go on, and believe only what can be read."""
        halt = output.halt(wanted, wanted.ready_at)
        for write in halt.writes:
            self._try(write)
        levels = []
        for pin in output.pins:
            try:
                levels.append(self._pins.read(pin))
            except HomeError:
                levels.append(0)
        seen = output.seen(wanted, tuple(levels))
        if seen.deadline is None and device.standing.deadline is not None:
            # What was to end by itself must still end: off twice does no harm.
            seen = msgspec.structs.replace(seen, deadline=device.standing.deadline)
        device.standing = seen

    def _try(self, write: Write) -> None:
        try:
            self._pins.write(write.pin, write.level)
        except HomeError as error:
            log.error("Pin cannot be set to rest", extra=facts(pin=write.pin, reason=error.detail))
