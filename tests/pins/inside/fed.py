"""An agent's loop that feeds a real watchdog, on fakes otherwise: `python -m tests.pins.inside.fed DEVICE SECONDS`."""

import logging
import signal
import sys
import tempfile
from pathlib import Path

from device_agents.agent import Agent
from device_agents.inbox import Stop
from device_agents.ledger.ledger import Ledger
from device_agents.watchdog import Watchdog
from tests.unit.device_agents.fakes import FakeLink, FakePins, room_config


def main() -> None:
    """Say `fed` when the loop turns; end with SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
    config = room_config(Path(tempfile.mkdtemp()))
    watchdog = Watchdog(Path(sys.argv[1]), int(sys.argv[2]))
    ledger = Ledger(config.data / "hall.sqlite3")
    agent = Agent(config, FakePins(), ledger, link=FakeLink(), watchdog=watchdog)
    signal.signal(signal.SIGTERM, lambda *_: agent.inbox.put(Stop()))
    print("fed", flush=True)
    with watchdog:
        agent.run()


if __name__ == "__main__":
    main()
