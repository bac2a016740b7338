"""`python -m device_agents --config FILE [--check-config]`: one room's agent."""

import argparse
import logging
import sys
from pathlib import Path

from device_agents import agent, complaints, config
from device_agents.pins import Pins
from device_agents.pins_rpi import RpiPins, load
from device_agents.pins_simulated import SimulatedPins
from device_agents.readings import Sensors
from device_agents.sensors.build import probes
from device_agents.sensors.reader import Reader
from device_agents.sensors.simulated import SimulatedSensors
from shared import log as logs
from shared import tls
from shared.config import ConfigError, fail

log = logging.getLogger(__name__)


def main() -> int:
    """The exit code: 0 after a signal, 78 for a configuration that cannot be used, 1 for anything else."""
    parser = argparse.ArgumentParser(prog="device_agents", description="The agent of one room.")
    parser.add_argument("--config", type=Path, required=True, help="the room's TOML file")
    parser.add_argument("--check-config", action="store_true", help="only say whether the file is right")
    arguments = parser.parse_args()
    try:
        room = complaints.read(arguments.config)
        tls.client_context(room.broker.tls)
        if arguments.check_config:
            return 0
        logs.set_up(f"agent-{room.room}", room.log_dir)
        pins = pins_of(room)
        agent.run(room, pins, sensors_of(room, pins))
    except ConfigError as error:
        return fail(error)
    except Exception:
        log.exception("Agent failed")
        return 1
    return 0


def pins_of(room: config.RoomConfig) -> Pins:
    """The pins that the configuration names. Raises ConfigError where there are none such here."""
    uses = config.pin_uses(room)
    if room.pins == "rpi":
        return RpiPins(load(), uses)
    assert room.sim_dir is not None
    return SimulatedPins(room.sim_dir, room.room, uses)


def sensors_of(room: config.RoomConfig, pins: Pins) -> Sensors:
    """What reads the room's sensors; where pins are simulated, they are too. Raises ConfigError."""
    if isinstance(pins, SimulatedPins):
        assert room.sim_dir is not None
        return SimulatedSensors(room.sim_dir, room.room, room.devices, pins.stage)
    return Reader(probes(room))


if __name__ == "__main__":
    sys.exit(main())
