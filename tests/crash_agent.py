"""A room's agent that kills itself, as kill -9 would. For crash tests.

`python -m tests.crash_agent CONFIG CHECKPOINT`: when it comes by one of its checkpoints.
`python -m tests.crash_agent CONFIG ID NUMBER`: before the effect of that number since the command ID arrived, else
after the last; it prints every effect, and where it died.
"""

import functools
import os
import signal
import sys
from pathlib import Path
from typing import Any

from device_agents import complaints
from device_agents.__main__ import pins_of, sensors_of
from device_agents.agent import Agent, Item
from device_agents.config import RoomConfig
from device_agents.inbox import Inbox
from device_agents.ledger.ledger import Ledger
from device_agents.link.broker_link import BrokerLink
from device_agents.link.link import Heard
from shared.words import topics
from tests.effects import CountedPins, Effects, counted_statements

LAST = "killed after the last"
"""What it prints where there were fewer effects."""


def main() -> None:
    """Run the agent until it is to die."""
    room = complaints.read(Path(sys.argv[1]))
    if len(sys.argv) == 4:
        _doomed(room, sys.argv[2], int(sys.argv[3])).run()
        return

    def checkpoint(name: str) -> None:
        if name == sys.argv[2]:
            _kill()

    ledger = Ledger(room.data / f"{room.room}.sqlite3")
    room, pins = pins_of(room)
    Agent(room, pins, ledger, sensors=sensors_of(room, pins), checkpoint=checkpoint).run()


class CountedLink(BrokerLink):
    """Counts what it is given."""

    effects: Effects

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None) -> bool:
        self.effects.before(f"publish {topic}")
        return super().publish(topic, payload, retain=retain, expiry=expiry)

    def done_with(self, heard: Heard) -> None:
        self.effects.before("confirm")
        super().done_with(heard)


class DoomedAgent(Agent):
    """Counts from the arrival of the command `doom` to the end of the loop's turn, and outlives neither."""

    effects: Effects
    doom: bytes
    number: int

    def take(self, item: Item, now: float) -> None:
        if isinstance(item, Heard) and topics.parse(item.topic) is not None and self.doom in item.payload:
            self.effects.arm(self.number)
        super().take(item, now)

    def tick(self, now: float) -> None:
        super().tick(now)
        if self.effects.count is not None:
            _say(LAST)
            _kill()


def _doomed(room: RoomConfig, id_: str, number: int) -> Agent:
    effects = Effects(_kill, _say)
    with counted_statements(effects):
        ledger = Ledger(room.data / f"{room.room}.sqlite3")
    room, pins = pins_of(room)
    inbox: Inbox[Any] = Inbox()
    link = CountedLink(room.broker, inbox)
    agent = DoomedAgent(room, CountedPins(pins, effects), ledger, sensors=sensors_of(room, pins), link=link)
    agent.inbox.close()
    agent.inbox = inbox
    link.effects = agent.effects = effects
    agent.doom, agent.number = id_.encode(), number
    return agent


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


_say = functools.partial(print, flush=True)


if __name__ == "__main__":
    main()
