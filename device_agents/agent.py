"""A room's agent: one inbox, one loop. Only the loop touches pins, ledger and devices; timers are deadlines in it.

Birth: pins at rest, connect, description, states, `online` last; again after every reconnect. Death: what would
stay on alone is ended, `offline`, and every pin keeps its level.
"""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from device_agents.config import RoomConfig
from device_agents.devices.input import Happening
from device_agents.hearing import Hearing
from device_agents.ids import made_id
from device_agents.inbox import Board, Changed, Inbox, Stop
from device_agents.ledger.ledger import Ledger
from device_agents.ledger.mending import Mending
from device_agents.ledger.proof import Proof
from device_agents.link.announcing import Announcer
from device_agents.link.broker_link import BrokerLink
from device_agents.link.link import Down, Heard, Link, Reached, Refused, Up
from device_agents.link.pair import Pair
from device_agents.link.renewal import Renewal, Renewed
from device_agents.obeying.answers import Answers
from device_agents.obeying.clock import Clocks
from device_agents.obeying.commands import Commands
from device_agents.obeying.restrictions import Restrictions
from device_agents.own_file.trying import Done, OwnFile
from device_agents.pins.chips import AwayError
from device_agents.pins.pins import Pins
from device_agents.room.chronicle import Chronicle
from device_agents.room.device import Device
from device_agents.room.linkloss import LinkLoss
from device_agents.room.measuring import Measuring
from device_agents.room.room import Room
from device_agents.sensors.readings import Reading, Sensors
from device_agents.upkeep import Upkeep
from device_agents.watchdog import Watchdog
from shared.proof import ends
from shared.running import systemd
from shared.running.config import ConfigError
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_FAULT_SECONDS = 0.1
"""A pause after a fault, so that one that stays does not burn the board."""

Item = Heard | Reached | Up | Down | Refused | Changed | Board | Reading | Renewed | Done | Stop


class Agent:
    """One room. `take` and `tick` are the loop's two hands; tests call them with times of their own."""

    def __init__(
        self,
        config: RoomConfig,
        pins: Pins,
        ledger: Ledger,
        *,
        sensors: Sensors | None = None,
        link: Link | None = None,
        watchdog: Watchdog | None = None,
        own_file: OwnFile | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        checkpoint: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self.inbox: Inbox[Item] = Inbox()
        self._room = Room(config, pins, ledger, wall=wall, steady=monotonic)
        self._measuring = Measuring(self._room, sensors, wall=wall)
        self._ledger = ledger
        self._pins = pins
        self._monotonic = monotonic
        self._wall = wall
        self._link: Link = link or BrokerLink(config.broker, self.inbox, wall=wall)
        self._watchdog = watchdog or Watchdog(None, config.watchdog_seconds)
        self._clocks = Clocks()
        self._proof = Proof(ledger.spool, config.room, self._link.publish, ledger.noticed, monotonic=monotonic)
        self._mending = Mending(config.room, ledger, self._proof, self._room.remember_all, wall)
        self._announcer = Announcer(self._room, ledger, self._link, wall, config.broker.tls.certificate)
        self._link_loss = LinkLoss(self._room, config.link_loss_after)
        self._answers = Answers(config.room, ledger, self._proof, self._link.publish, wall)
        self._commands = Commands(
            self._room,
            self._clocks,
            self._answers,
            tell=self._announcer.tell,
            is_slow=self._link.is_slow,
            monotonic=monotonic,
            wall=wall,
            checkpoint=checkpoint,
        )
        self._restrictions = Restrictions(self._room, ledger, self._commands.lock_down)
        self._renewal = Renewal(Pair(config.broker.tls, config.room), config.room, self._link, self.inbox.put)
        self._chronicle = Chronicle(self._room, ledger, self._proof.mention, wall)
        self._upkeep = Upkeep(self._room, self._clocks, self._answers, ledger, self._announcer.tell, wall)
        self._own_file = own_file
        if own_file is not None:
            own_file.attach(self._link, self._proof, self.inbox.put)
        hearers = (self._commands, self._restrictions, self._proof, self._renewal, self._announcer, self._upkeep)
        self._hearing = Hearing(*hearers, self._clocks, self._link, own_file)
        self._pulse = systemd.Pulse()
        self._due = -math.inf
        self._stirred = True  # something came that no deadline tells of
        self._stopped = False
        self._anew = ""  # why whoever runs the room is to start it again

    def run(self) -> None:
        """Live until stopped. Raises ConfigError where pins cannot be used, AwayError where it is to start anew."""
        try:
            self.start()
            systemd.notify("READY=1")
            while not self._stopped:
                self._turn()
        finally:
            systemd.notify("STOPPING=1")
            self.stop()
        if self._anew:
            raise AwayError(self._anew)

    def tell_ends(self, folder: Path | None) -> None:
        """Record that earlier agents ended unasked, where their unit noted it in `folder`."""
        if folder is not None and (noted := ends.due(folder, self._wall())):
            event = ends.event(self._room.name, self._room.name, noted)
            self._proof.note(msgspec.structs.replace(event, id=made_id()))  # the spool refuses one id twice
            ends.told(folder, self._wall())

    def start(self) -> None:
        """Settle what an earlier process left, then bring every pin to where it belongs."""
        now = self._monotonic()
        interrupted = self._answers.recover()
        self._restrictions.recall()
        try:
            self._room.start(
                now, interrupted=interrupted, changed=self._changed, board=lambda *, there: self.inbox.put(Board(there))
            )
        except HomeError as error:
            raise ConfigError(f"pins: {error.detail}; check the devices' pins and the right to use them") from error
        self._chronicle.start(now)
        self._measuring.start(now, self.inbox.put)
        self._upkeep.start(now)
        self._link_loss.start(now)
        if self._own_file is not None:
            self._own_file.start(now)

    def stop(self) -> None:
        """End what must not go on alone, say goodbye, and keep every other level."""
        self._measuring.stop()
        self._chronicle.stop(self._monotonic())
        self._room.halt(self._monotonic())
        self._link.close()
        self._pins.close()
        self._ledger.close()
        self.inbox.close()

    def take(self, item: Item, now: float) -> None:
        """Take one item out of the inbox. What `Changed` tells of, the next tick hears."""
        self._stirred = self._stirred or not isinstance(item, Heard)
        match item:
            case Heard():
                try:
                    self._hearing.hear(item, now)
                finally:
                    self._link.done_with(item)
            case Reading():
                self._measuring.take(item, now)
            case Reached() | Up() | Down():
                self._linked(item, now)
            case Refused():
                self._announcer.refused(now)
            case Renewed():
                self._renewal.took(item)
            case Board():
                self._board(item, now)
            case Done():
                self._filed(item)
            case Stop():
                self._stopped = True
        self._link.flush()  # an acknowledgement waits for no other work

    def _linked(self, item: Reached | Up | Down, now: float) -> None:
        if self._link.took(item, now):
            self._announcer.born(now)
            self._proof.link_up()
            self._renewal.born(now)
            if self._own_file is not None:
                self._own_file.born(now)
        elif not self._link.up:
            self._announcer.lost()
            self._proof.link_down()
            if self._own_file is not None:
                self._own_file.lost()

    def tick(self, now: float) -> None:
        """Do what is due. Most commands leave nothing that is, and most of a busy room's turns end with one."""
        if faults := self._room.faults(now):
            self._proof.note(*faults)
        self._due = self.deadline()
        if self._stirred or now >= self._due:
            self._stirred = True
            self._do_due(now)
            self._due, self._stirred = self.deadline(), False
        self._link.flush()

    def _do_due(self, now: float) -> None:
        for device in (*self._room.tick(now), *self._measuring.tick(now)):
            self._announcer.tell(device)
        for device, events in self._room.listen(now):
            self._announcer.tell(device)
            for event in events:
                self._happened(device, event, now)
            self._chronicle.heard(device, events, now)
        for device in self._link_loss.tick(self._clocks.last_heard(), now):
            self._announcer.tell(device)
        self._link.tick(now)
        self._mending.tick(now)
        self._announcer.tick(now)
        self._upkeep.tick(now)
        self._renewal.tick(now)
        if self._own_file is not None:
            self._own_file.tick(now)
        self._chronicle.tick(now)
        if faults := self._room.faults(now):
            self._proof.note(*faults)
        if (due := self._proof.deadline()) is not None and now >= due:
            self._proof.tick(now)
        # Last: a turn that fails before it is no sign of life.
        self._watchdog.feed(now)
        self._pulse.tick(now)

    def deadline(self) -> float:
        """When `tick` has something to do next."""
        due = (
            self._room.deadline(),
            self._measuring.deadline(),
            self._link.deadline(),
            self._proof.deadline(),
            self._announcer.deadline(),
            self._link_loss.deadline(self._clocks.last_heard()),
            self._upkeep.deadline(),
            self._mending.deadline(),
            self._renewal.deadline(),
            self._chronicle.deadline(),
            self._own_file.deadline() if self._own_file is not None else None,
            self._watchdog.deadline(),
            self._pulse.deadline(),
        )
        return min(at for at in due if at is not None)

    def _changed(self, pin: int, level: int | None = None, at: float | None = None, *, missed: bool = False) -> None:
        """An edge, told by a thread of the pins'."""
        self._room.hear(pin, level, self._monotonic() if at is None else at, missed=missed)
        self.inbox.stir(Changed())

    def _board(self, board: Board, now: float) -> None:
        """Without its pins a room says so; with pins that are new to it, it has to begin as rooms begin."""
        if board.there:
            self._start_anew("chip: it is there again, and the room starts anew")
        for device in () if board.there else self._room.lose(now):
            self._announcer.tell(device)

    def _filed(self, done: Done) -> None:
        if self._own_file is not None:
            self._own_file.done(done)
        self._start_anew(done.anew)

    def _start_anew(self, why: str) -> None:
        if why:
            self._stopped, self._anew = True, why

    def _turn(self) -> None:
        """One turn of the loop: the next item, or the next deadline. No fault of one command ends the agent."""
        try:
            self.inbox.wait(max(0.0, self._due - self._monotonic()), self._link)
            item = self.inbox.take()
            if item is None and self._monotonic() < self._due:
                return  # the broker's word on what we said is all there was
            self._due = -math.inf
            if item is None:
                self.tick(self._monotonic())
            while item is not None:
                self.take(item, self._monotonic())
                self.tick(self._monotonic())
                item = self.inbox.take()
        except Exception:
            log.exception("Turn of the loop failed", extra={"quoting": False})
            time.sleep(_FAULT_SECONDS)

    def _happened(self, device: Device, event: Happening, now: float) -> None:
        """Do what a button is bound to, then tell of it."""
        if (bind := device.config.binds.get(event)) is not None:
            self._commands.press(device, bind, now)
        self._announcer.happened(device, event)
