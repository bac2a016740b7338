"""A room's agent that kills itself, as kill -9 would, when it comes by one of its checkpoints. For crash tests.

`python -m tests.crash_agent CONFIG CHECKPOINT`
"""

import os
import signal
import sys
from pathlib import Path

from device_agents import complaints
from device_agents.__main__ import pins_of, sensors_of
from device_agents.agent import Agent
from device_agents.ledger import Ledger


def main() -> None:
    """Run the agent until the checkpoint is reached."""
    room = complaints.read(Path(sys.argv[1]))

    def checkpoint(name: str) -> None:
        if name == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger = Ledger(room.data / f"{room.room}.sqlite3")
    pins = pins_of(room)
    Agent(room, pins, ledger, sensors=sensors_of(room, pins), checkpoint=checkpoint).run()


if __name__ == "__main__":
    main()
