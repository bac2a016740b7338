"""`python -m device_agents --config FILE [--check-config]`: one room's agent."""

import argparse
import logging
import sys
from pathlib import Path

from device_agents import agent, config, pins_gpiod, pins_rpi
from device_agents.pins import Pins
from device_agents.pins_gpiod import GpiodPins
from device_agents.pins_rpi import RpiPins
from device_agents.pins_simulated import SimulatedPins
from shared import log as logs
from shared import tls
from shared.config import EX_CONFIG, ConfigError

log = logging.getLogger(__name__)


def main() -> int:
    """The exit code: 0 after a signal, 78 for a configuration that cannot be used, 1 for anything else."""
    parser = argparse.ArgumentParser(prog="device_agents", description="The agent of one room.")
    parser.add_argument("--config", type=Path, required=True, help="the room's TOML file")
    parser.add_argument("--check-config", action="store_true", help="only say whether file and pins are right")
    arguments = parser.parse_args()
    try:
        room = config.read(arguments.config)
        tls.client_context(room.broker.tls)
        if arguments.check_config:
            check_pins(room)
            return 0
        logs.set_up(f"agent-{room.room}", room.log_dir)
        agent.run(room, pins_of(room))
    except ConfigError as error:
        print(f"configuration: {error}", file=sys.stderr)
        return EX_CONFIG
    except Exception:
        log.exception("Agent failed")
        return 1
    return 0


def pins_of(room: config.RoomConfig) -> Pins:
    """The pins that the configuration names. Raises ConfigError where there are none such here."""
    uses = config.pin_uses(room)
    match room.pins:
        case "rpi":
            return RpiPins(pins_rpi.load(), uses)
        case "gpiod":
            assert room.chip is not None
            return GpiodPins(pins_gpiod.load(), room.chip, room.room, uses, free=room.free_pins)
        case "simulated":
            assert room.sim_dir is not None
            return SimulatedPins(room.sim_dir, room.room, uses)


def check_pins(room: config.RoomConfig) -> None:
    """Ask the board about every pin, and touch none; on a machine without the pins' library, say so.

    Raises ConfigError where a pin cannot be used.
    """
    if room.pins == "simulated":
        return
    backend = pins_rpi if room.pins == "rpi" else pins_gpiod
    try:
        library = backend.load()
    except ConfigError as error:
        print(f"the file is right; its pins were not looked at: {error}", file=sys.stderr)
        return
    uses = config.pin_uses(room)
    if room.pins == "rpi":
        pins_rpi.check(library, uses)
    else:
        assert room.chip is not None
        pins_gpiod.check(library, room.chip, room.room, uses, room.free_pins)


if __name__ == "__main__":
    sys.exit(main())
