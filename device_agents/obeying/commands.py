"""What becomes of a command: judged, committed, executed, read back, answered, proven; in that order, in the loop.

Where the agent may be killed in between is named by checkpoints, so that tests can do it (see `CHECKPOINTS`).
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

from device_agents.config import TOGGLE, Bind
from device_agents.devices.output import Step
from device_agents.ids import made_id
from device_agents.obeying import clock, wish
from device_agents.obeying.answers import Answers
from device_agents.obeying.clock import Clocks
from device_agents.obeying.wish import Wish
from device_agents.room.device import Device
from device_agents.room.room import Room
from shared.running.log import facts
from shared.words import messages
from shared.words.messages import By, Command
from shared.words.names import Action, Kind, is_gateway
from shared.words.problem import HomeError
from shared.words.topics import Topic

log = logging.getLogger(__name__)

CHECKPOINTS = ("committed", "moved", "finished", "stated", "answered")
"""The intent is committed; the pin has moved; the outcome is committed; the state is out; the answer is out."""
STALE_SECONDS = 0.02
"""A disk that took longer than this to take the intent calls for a second look at the clock."""
_AHEAD = "issued_at is {seconds:.0f} s ahead of this home's clock: set yours, and send seconds, not milliseconds."


class _Plan(NamedTuple):
    """What an output would do, had it been asked at `made`."""

    step: Step
    made: float


class Commands:
    """Obeys or refuses. `now` is monotonic seconds; `monotonic` tells the time anew after a disk sync.

    `tell` publishes a device's state; `is_slow` says that what a gateway sends may be older than it looks.
    """

    def __init__(
        self,
        room: Room,
        clocks: Clocks,
        answers: Answers,
        *,
        tell: Callable[[Device], None],
        is_slow: Callable[[float], bool],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        checkpoint: Callable[[str], None],
    ) -> None:
        self._locked_down = False
        self._room = room
        self._clocks = clocks
        self._answers = answers
        self._tell = tell
        self._is_slow = is_slow
        self._monotonic = monotonic
        self._wall = wall
        self._checkpoint = checkpoint

    def obey(self, topic: Topic, payload: bytes, *, retained: bool, now: float) -> None:
        """Take one command from its arrival to its answer."""
        device = self._room.devices.get(topic.device)
        try:
            command = messages.decode(Command, payload)
        except HomeError as error:
            config = None if device is None else device.config
            self._answers.unreadable(topic, payload, wish.explained(error, config))
            return
        wanted = Wish(
            room=self._room.name,
            device=topic.device,
            issuer=topic.who,
            id=command.id or made_id(),
            command=command,
            critical=device is not None and device.config.critical,
        )
        if device is None:
            self._answers.turn_away(wanted, HomeError("unknown-device"))
        elif (why := wish.misfit(device.config, command)) is not None:
            self._answers.turn_away(wanted, why)
        elif retained:
            self._answers.turn_away(wanted, HomeError("retained"))
        elif command.recall:
            if not self._answers.repeats(wanted, safe=False):
                self._answers.deny(wanted, HomeError("id-used"))
        else:
            self._decide(wanted, device, now)

    def lock_down(self, active: bool) -> None:
        """Obey safe actions only, or everything again."""
        self._locked_down = active

    def press(self, button: Device, bind: Bind, now: float) -> None:
        """An input of this room wants what it is bound to. It is here and now: nothing to judge about its age."""
        device = self._room.devices[bind.device]
        action = _toggled(device) if bind.action == TOGGLE else Action(bind.action)
        wanted = Wish(
            room=self._room.name,
            device=device.id,
            issuer=self._room.name,
            id=made_id(),
            command=Command(action=action, value=bind.value),
            critical=device.config.critical,
            button=button.id,
        )
        self._decide(wanted, device, now)

    def _decide(self, wanted: Wish, device: Device, now: float) -> None:
        """Execute what nothing forbids. A repeat is answered alike, whatever would be said to it today."""
        command = wanted.command
        safe = wish.is_safe(device.config, command.action)
        why = HomeError("lockdown") if self._locked_down and not safe else self._judge(wanted, device, now, safe=safe)
        if why is None:
            try:
                step = self._room.plan(device, command.action, command.value, now, safe=safe)
            except HomeError as error:
                why = error
            else:
                self._execute(wanted, device, _Plan(step, now), safe=safe)
        if why is not None and not self._answers.repeats(wanted, safe=safe):
            self._answers.refuse(wanted, why)

    def _judge(self, wanted: Wish, device: Device, now: float, *, safe: bool) -> HomeError | None:
        if wanted.button:
            return None
        command = wanted.command
        issued = command.issued
        lateness = None
        if issued is not None and not (is_gateway(wanted.issuer) and self._is_slow(now)):
            lateness = self._clocks.lateness(wanted.issuer, issued, now, self._wall())
        stamped = wish.is_stamped(device.config, command)
        slug = clock.judge(issued=issued, stamped=stamped, safe=safe, lateness=lateness)
        if slug is None and lateness is not None and not safe and self._answers.may_have_forgotten(now - lateness):
            slug = "expired"  # an id that was used and lost would move something twice
        if slug == "unstamped" and stamped and lateness is not None:
            return HomeError(slug, _AHEAD.format(seconds=-lateness))
        return None if slug is None else HomeError(slug)

    def _execute(self, wanted: Wish, device: Device, plan: _Plan, *, safe: bool) -> None:
        """Commit, move, commit, answer. A repeat shows at the first commit, before anything has moved."""
        # A safe action must not wait for a disk; what it leaves to a power failure is only its own repetition.
        synced = not safe and (wanted.critical or device.config.kind is Kind.PULSE)
        # A gateway has spooled its own word that it was asked; for others ours is the only one.
        asked = wanted.critical and not safe and not is_gateway(wanted.issuer)
        try:
            intent = self._answers.begin(wanted, synced=synced, asked=asked)
        except HomeError as error:
            log.error("Ledger cannot be written", extra=facts(reason=error.detail, command_id=wanted.id))
            if self._answers.repeats(wanted, safe=safe):
                return
            if not safe:
                self._answers.turn_away(wanted, HomeError(error.slug))
                return
            intent = self._answers.intent(wanted)
        if intent is None:
            self._answers.repeats(wanted, safe=False)
            return
        self._checkpoint("committed")
        failure = self._act(wanted, device, plan, safe=safe)
        if failure is None or failure.slug == "pin-failed":
            self._room.stand(device, _by(wanted))
        self._checkpoint("moved")
        answer = self._answers.finish(wanted, intent, device.state, self._room.memory(device), failure)
        self._checkpoint("finished")
        self._tell(device)
        self._checkpoint("stated")
        self._answers.say(wanted, answer)
        self._checkpoint("answered")

    def _act(self, wanted: Wish, device: Device, plan: _Plan, *, safe: bool) -> HomeError | None:
        """Move the pins, unless the commit took so long that it is too late by now; what failed."""
        now = self._monotonic()
        command, step = wanted.command, plan.step
        try:
            if now - plan.made > STALE_SECONDS:
                if (why := self._judge(wanted, device, now, safe=safe)) is not None:
                    return why
                step = self._room.plan(device, command.action, command.value, now, safe=safe)
            self._room.move(device, step, now)
        except HomeError as error:
            return error
        return None


def _by(wanted: Wish) -> By:
    if wanted.button:
        return By(source="input")
    return By(source="command", issuer=wanted.issuer, command_id=wanted.id)


def _toggled(device: Device) -> Action:
    """A hand at the button sees the lamp: off where it is on, else on."""
    return Action.OFF if device.past.active else Action.ON
