"""The room as it stands: every device with its pins, its standing and its last state. Only it moves pins."""

import contextlib
import logging
import math
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from device_agents.config import RoomConfig
from device_agents.devices.contact import OPEN
from device_agents.devices.lock import Lock
from device_agents.devices.output import Memory, Step
from device_agents.ids import made_id
from device_agents.ledger.ledger import Ledger
from device_agents.pins.pins import Board, Changed, Pins
from device_agents.room import birth, build, faults
from device_agents.room.device import Device
from device_agents.room.hands import Clock, Hands
from device_agents.room.limits import Peer
from device_agents.room.listening import Listening, News
from shared.running.log import facts
from shared.words.messages import AuditEvent, By, Description, State, Value, utc
from shared.words.names import Action, Kind
from shared.words.problem import HomeError
from shared.words.version import VERSION

log = logging.getLogger(__name__)

_UNSET_UNTIL = datetime(2020, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time has not been set since the board started."""
_AWAY = "The chip of this pin has gone away: plug it in again, and the room starts anew by itself."
_UNVALUED = frozenset({Kind.PULSE, Kind.BUTTON})
"""Kinds whose value is always None: each new press is news."""


class Room:
    """All devices. Times are monotonic seconds unless they are called wall time (seconds since 1970)."""

    def __init__(
        self, config: RoomConfig, pins: Pins, ledger: Ledger, *, wall: Clock = time.time, steady: Clock = lambda: 0.0
    ) -> None:
        self.name = config.room
        self._pins = pins
        self._hands = Hands(pins, steady)
        self._ledger = ledger
        self._wall = wall
        self.devices = {device.id: build.device(config, device, wall()) for device in config.devices}
        self._outputs = tuple(device for device in self.devices.values() if device.output is not None)
        self._listening = Listening(pins, self.devices.values())
        self._told_faults: set[str] = set()
        self._lost = False
        self.description = Description(
            room=config.room,
            name=config.name,
            agent_version=VERSION,
            devices=tuple(device.description for device in self.devices.values()),
            hub=config.broker.host,
        )

    def start(self, now: float, *, interrupted: frozenset[str], changed: Changed, board: Board) -> None:
        """Every output to where its policy wants it, without a click where nothing changes; then the inputs.

        `interrupted` names devices on which a command was begun and not finished. Raises HomeError("pin-failed").
        """
        for device in self._outputs:
            self._boot(device, now, interrupted=device.id in interrupted)
        self._pins.watch(changed, board)
        for device in self._listening.start():
            if (stood := self._stood(device)[0]) is not None and stood.fault is not None:
                self._listening.remember_told(device, stood.fault)
            self._stand(device, device.signal.value, By(source="boot"))
            self._door(device, now)

    def deadline(self) -> float | None:
        """The first deadline of any device; at once where an edge waits to be understood."""
        if self._listening.is_behind:
            return -math.inf
        due = [at for device in self.devices.values() if (at := device.deadline) is not None]
        return min(due, default=None)

    def lock_out(self, devices: Iterable[str]) -> None:
        """The master user's word: just these of our devices are locked out from now on."""
        wanted = frozenset(devices)
        for device in self._outputs:
            if device.locked_out != (device.id in wanted):
                device.locked_out = device.id in wanted
                log.warning("Lock-out", extra=facts(device=device.id, locked_out=device.locked_out))

    def plan(
        self, device: Device, action: Action, value: int | None, now: float, *, safe: bool, wear: bool = True
    ) -> Step:
        """What an output would do; nothing has moved yet. Raises HomeError where something forbids it.

        `safe`: a safe action, which no limit holds up, only the interlock and a lock-out. `wear`: whether
        `min_interval` counts.
        """
        assert device.output is not None
        if not device.may_be_told(action):
            raise HomeError("locked-out")
        step = device.output.act(device.standing, action, value, now)
        if device.fault is not None and device.fault.stuck and step.is_active:
            why = device.fault.why or f"Pin {device.fault.pin} does not let go; check its wiring first."
            raise HomeError("pin-failed", why)
        if step.is_active and not device.past.active:
            device.limits.check_interlock(self._peers(device), now)
            if not safe:
                device.limits.check_rest(device.past, now)
        if wear and not safe and any(device.levels.get(write.pin) != write.level for write in step.writes):
            device.limits.check_wear(device.past, now)
        return step

    def move(self, device: Device, step: Step, now: float) -> None:
        """Write the step's levels and read them back. Raises HomeError("pin-failed"); the standing follows what is so.

        The state is not touched: `stand` does that, once it is known what to say.
        """
        self._hands.move(device, step, now)

    def stand(self, device: Device, by: By) -> State:
        """The device's state after a move; on its way, it goes on in the name of whoever set it going."""
        device.moved_by = by
        return self._stand(device, device.standing.value, by)

    def tick(self, now: float) -> list[Device]:
        """Give every output that is due its tick; returns those that moved, their states already remembered."""
        moved = []
        for device in self._outputs:
            at = device.standing.deadline
            if at is None or at > now:
                continue
            on_its_way = device.standing.motion is not None
            self._tick(device, now)
            if self._follow(device, device.moved_by if on_its_way and device.moved_by else By(source="timer")):
                moved.append(device)
        return moved

    def patrol(self, now: float) -> list[Device]:
        """Look whether every output still is where it was set to; returns those of which there is news."""
        news = []
        for device in self._outputs:
            self._hands.patrol(device, now)
            if self._follow(device, By(source="failsafe")):
                news.append(device)
        return news

    def lose(self, now: float) -> list[Device]:
        """What the pins are on has gone away: every device is at fault, at once; returns those of which that is news.

        Where outputs stood is what the next start goes by, unless somebody is told before that they do not obey.
        """
        self._lost, news = True, []
        for device in self._outputs:
            before, memory = device.state, self.memory(device)
            self._hands.patrol(device, now)
            if device.fault is not None:
                device.fault = device.fault._replace(why=_AWAY)
            if self._stand(device, device.standing.value, By(source="failsafe")) is not before:
                self._keep(device, msgspec.structs.replace(before, fault=device.ailment), memory)
                news.append(device)
        return news + [device for device, _ in self._listen(self._listening.lose(now), now)]

    def faults(self, now: float) -> list[AuditEvent]:
        """What is to be recorded of the faults that came, or went, since this was asked last."""
        at_fault = {device.id for device in self._outputs if device.fault is not None}
        changed, self._told_faults = at_fault ^ self._told_faults, at_fault
        news = [device for device in self._outputs if device.id in changed] if changed else []
        wall = self._wall()
        events = [faults.event(made_id(), self._place(one), self.name, one.fault, wall) for one in news]
        for one, fault, over in self._listening.ailing(now):
            events.append(faults.ailing(made_id(), self._place(one), self.name, fault, wall, over=over))
        return events

    def hear(self, pin: int, level: int | None, at: float, *, missed: bool = False) -> None:
        """An input's pin changed, or bounced, to `level` at `at`; called from any thread."""
        self._listening.hear(pin, level, at, missed=missed)

    def listen(self, now: float) -> list[News]:
        """Understand what the inputs said, and give each that is due its tick; returns those of which there is news."""
        return self._listen(self._listening.listen(now), now)

    def _listen(self, told: Iterable[News], now: float) -> list[News]:
        news = []
        for device, events in told:
            value = None if device.deaf else device.signal.value
            if events or value != device.state.value or device.ailment != device.state.fault:
                self._stand(device, value, By(source="input"))
                self.remember(device)
                self._door(device, now)
                news.append((device, events))
        return news

    def clock_set(self, seconds: float) -> list[Device]:
        """The wall clock was set by `seconds`: what began before it was set at all began that much later."""
        early = [device for device in self.devices.values() if device.state.since < _UNSET_UNTIL]
        for device in early:
            since = device.state.since + timedelta(seconds=seconds)
            device.state = msgspec.structs.replace(device.state, since=since)
            self.remember(device)
        return early

    def halt(self, now: float) -> None:
        """The agent ends: stop what must not go on without it."""
        for device in () if self._lost else self._outputs:
            assert device.output is not None
            step = device.output.halt(device.standing, now)
            if step.writes:
                with contextlib.suppress(HomeError):  # logged where it happened; the others must still stop
                    self.move(device, step, now)
                self._stand(device, device.standing.value, By(source="failsafe"))
                self.remember(device)

    def memory(self, device: Device) -> Memory:
        """What the ledger is to keep of an output besides its state."""
        return device.memory(self._ledger.boot)

    def remember(self, device: Device) -> None:
        """Write down a state that no command brought about. A ledger that fails costs only the memory."""
        self._keep(device, device.state, None if device.output is None else self.memory(device))

    def _keep(self, device: Device, state: State, memory: Memory | None) -> None:
        try:
            self._ledger.stand(device.id, state, memory)
        except HomeError as error:
            log.warning("Standing is not remembered", extra=facts(device=device.id, reason=error.detail))

    def remember_all(self) -> None:
        """Write down how every device stands: the ledger has another file."""
        for device in self.devices.values():
            self.remember(device)

    def _place(self, device: Device) -> str:
        return f"{self.name}/{device.id}"

    def _boot(self, device: Device, now: float, *, interrupted: bool) -> None:
        stood, memory = self._stood(device)
        doubted = self._ledger.is_doubted
        birth.begin(device, self._hands, stood, memory, now, interrupted=interrupted, doubted=doubted)
        if stood is not None:
            device.state = stood
            if stood.fault is not None:
                self._told_faults.add(device.id)
        state = self._stand(device, device.standing.value, By(source="boot"))
        if state is not stood or self.memory(device) != memory:
            self.remember(device)

    def _tick(self, device: Device, now: float) -> None:
        assert device.output is not None
        if device.fault is not None and device.fault.stuck:
            self._hands.rest_again(device, now)
            return
        step = device.output.tick(device.standing, now)
        if device.is_locked_out and any(write.level > 0 for write in step.writes):
            step = device.output.rest(device.standing, now)
        try:
            self.move(device, step, now)
        except HomeError as error:
            log.error("Timer could not move the device", extra=facts(device=device.id, reason=error.detail))

    def _peers(self, device: Device) -> tuple[Peer, ...]:
        """The other members of its interlock group, as they are and as their pins read."""
        group = device.config.interlock
        return tuple(
            Peer(other.config.name, other.past, self._hands.reads_on(other))
            for other in self._outputs
            if group is not None and other is not device and other.config.interlock == group
        )

    def _door(self, contact: Device, now: float) -> None:
        """A lock learns that its door was opened or closed."""
        for device in self._outputs:
            if isinstance(device.output, Lock) and device.config.contact == contact.id:
                is_open = contact.ailment is not None or contact.signal.value == OPEN
                device.standing = device.output.door(device.standing, now, is_open=is_open)

    def _follow(self, device: Device, by: By) -> bool:
        """Say and remember how it stands where that is news."""
        before = device.state
        if self._stand(device, device.standing.value, by) is before:
            return False
        self.remember(device)
        return True

    def _stood(self, device: Device) -> tuple[State | None, Memory | None]:
        try:
            return self._ledger.stood(device.id)
        except HomeError as error:
            log.warning("Last state cannot be read", extra=facts(device=device.id, reason=error.detail))
            return None, None

    def _stand(self, device: Device, value: Value, by: By) -> State:
        """A value that did not change keeps its `since` and what caused it, save where every time is news."""
        news = device.config.kind in _UNVALUED and by.source in {"command", "input"}
        fault = device.ailment
        if news or device.state.value != value or device.state.fault != fault:
            device.state = State(value=value, since=utc(self._wall()), by=by, fault=fault)
        return device.state
