"""An agent with a BME280, on fakes otherwise, until SIGTERM: `python -m tests.pins.inside.stuck BUS:ADDRESS`."""

import signal
import sys
import tempfile
from pathlib import Path

from device_agents.agent import Agent
from device_agents.inbox import Stop
from device_agents.ledger.ledger import Ledger
from device_agents.sensors.build import probes
from device_agents.sensors.reader import Reader
from tests.unit.device_agents.fakes import FakeLink, FakePins, room_config


def main() -> None:
    """Say `turns` when the loop does, and `ended` when the agent has ended."""
    sensor = {"id": "t", "name": "T", "kind": "temperature", "source": "bme280", "address": sys.argv[1]}
    config = room_config(Path(tempfile.mkdtemp()), [sensor])
    ledger = Ledger(config.data / "hall.sqlite3")
    agent = Agent(config, FakePins(), ledger, link=FakeLink(), sensors=Reader(probes(config)))
    signal.signal(signal.SIGTERM, lambda *_: agent.inbox.put(Stop()))
    print("turns", flush=True)
    agent.run()
    print("ended", flush=True)


if __name__ == "__main__":
    main()
