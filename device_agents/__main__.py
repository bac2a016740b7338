"""`python -m device_agents --config FILE [--check-config]`: one room's agent."""

import contextlib
import getopt  # not argparse: with all that it imports, that is a megabyte of an agent's thirty
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import device_agents.lean  # noqa: F401 - first: what it imports, it imports lightly
from device_agents import complaints, config
from device_agents.agent import Agent
from device_agents.inbox import Stop
from device_agents.ledger.ledger import Ledger
from device_agents.link.pair import Pair
from device_agents.own_file import beginning, offered
from device_agents.own_file.shelf import Shelf, Trial
from device_agents.own_file.trying import OwnFile
from device_agents.pins import chips, names
from device_agents.pins import gpiod as pins_gpiod
from device_agents.pins import rpi as pins_rpi
from device_agents.pins.chips import AwayError, Chip
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.pins import Pins
from device_agents.pins.rpi import RpiPins
from device_agents.pins.simulated import SimulatedPins
from device_agents.sensors.build import probes
from device_agents.sensors.reader import Reader
from device_agents.sensors.readings import Sensors
from device_agents.sensors.simulated import SimulatedSensors
from device_agents.watchdog import Watchdog
from shared.running import log as logs
from shared.running import systemd
from shared.running.config import ConfigError, fail
from shared.running.log import facts
from shared.trust import tls
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_CHIP_SECONDS = 60
"""So long a start waits for its chip; a process that begins each time anew would keep a small board busy."""
_SETTLE_SECONDS = 5
"""For a moment what was plugged in is root's alone."""
USAGE = """usage: python -m device_agents --config FILE [--check-config]

The agent of one room. FILE is the room's TOML file; --check-config only says whether it is right."""


def main() -> int:
    """The exit code: 0 after a signal, 2 for a wrong call, 78 for a configuration of no use, 1 for anything else; 75
    where it should be started anew, since what it needs is not there, or is there again.
    """
    try:
        options = options_of(sys.argv[1:])
    except getopt.GetoptError as error:
        print(f"{error}\n{USAGE}", file=sys.stderr)
        return 2
    if "--help" in options:
        print(USAGE)
        return 0
    path = Path(options["--config"])
    shelf = Shelf(path, wall=lambda: datetime.now(UTC))
    try:
        if "--check-config" in options:
            room = complaints.read(path)
            tls.client_context(room.broker.tls)
            check_pins(room)
            return 0
        trial = beginning.begin(shelf)
        with beginning.back_where_it_fails(shelf, trial):
            room = complaints.read(path)
            repair(room)
            tls.client_context(room.broker.tls)
            logs.set_up(f"agent-{room.room}", room.log_dir)
            run(room, shelf, trial)
    except ConfigError as error:
        return fail(error)
    except Exception:
        log.exception("Agent failed")
        return 1
    return 0


def run(room: config.RoomConfig, shelf: Shelf, trial: Trial | None) -> None:
    """Run the room until SIGTERM or SIGINT. Raises ConfigError, AwayError where its chip does not come.

    The ledger comes first: one that is torn may take longer to be mended than a watchdog waits.
    """
    ledger = Ledger(room.data / f"{room.room}.sqlite3")
    own_file = OwnFile(shelf, trial, room, pins=offered.of(room), check_pins=check_pins, wall=time.time)
    with Watchdog(room.watchdog, room.watchdog_seconds) as watchdog:
        room, pins = pins_when_there(room, watchdog.feed)
        sensors = sensors_of(room, pins)
        live(Agent(room, pins, ledger, sensors=sensors, watchdog=watchdog, own_file=own_file), room)


def live(living: Agent, room: config.RoomConfig) -> None:
    """Run the agent until a signal comes. Raises ConfigError, AwayError where it is to start anew."""

    def on_signal(*_: Any) -> None:
        with contextlib.suppress(OSError):  # a second signal, when all is closed already
            living.inbox.put(Stop())

    living.tell_ends(systemd.runtime_folder())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    threading.current_thread().name = room.room
    log.info("Agent started", extra=facts(room=room.room, devices=len(room.devices), pins=len(config.pin_uses(room))))
    living.run()
    log.info("Agent stopped", extra=facts(room=room.room))


def options_of(words: list[str]) -> dict[str, str]:
    """The call's options by name. Raises GetoptError where it is none of `USAGE`."""
    found, rest = getopt.getopt(words, "", ["help", "config=", "check-config"])
    options = dict(found)
    if rest:
        raise getopt.GetoptError(f"{rest[0]!r} is not expected")
    if not options.keys() & {"--help", "--config"}:
        raise getopt.GetoptError("--config is missing")
    return options


def repair(room: config.RoomConfig) -> None:
    """End a renewal of the certificate in which an earlier process was stopped. Raises ConfigError."""
    try:
        Pair(room.broker.tls, room.room).repair()
    except HomeError as error:
        raise ConfigError(error.detail) from error


def pins_when_there(room: config.RoomConfig, alive: Callable[[float], None]) -> tuple[config.RoomConfig, Pins]:
    """See `pins_of`; waits for a minute where a chip comes late, as on a bus that wakes.

    `alive` is told every second, in monotonic seconds, that this is a wait and no hang.
    Raises ConfigError; AwayError where the chip does not come: whoever runs the agent then starts it again.
    """
    for waited in range(_CHIP_SECONDS):
        try:
            return pins_of(room)
        except ConfigError as error:
            just_come = isinstance(error.__cause__, PermissionError) and waited < _SETTLE_SECONDS
            if not isinstance(error, AwayError) and not just_come:
                raise
            if waited == 0:
                log.warning("Chip is not there, and waited for", extra=facts(room=room.room, reason=error))
            alive(time.monotonic())
            time.sleep(1.0)
    return pins_of(room)


def pins_of(room: config.RoomConfig) -> tuple[config.RoomConfig, Pins]:
    """The pins that the configuration names, and the configuration with all their numbers.

    Raises ConfigError where there are none such here.
    """
    match room.pins:
        case "rpi":
            return room, RpiPins(pins_rpi.load(), config.pin_uses(room))
        case "gpiod":
            assert room.chip is not None
            library = pins_gpiod.load()
            chip = chips.find(library, room.chip, systemd.runtime_folder())
            room = numbered(library, chip, room)
            return room, GpiodPins(library, chip, room.room, config.pin_uses(room), free=room.free_pins)
        case "simulated":
            assert room.sim_dir is not None
            return room, SimulatedPins(room.sim_dir, room.room, config.pin_uses(room))


def numbered(gpiod: Any, chip: Chip, room: config.RoomConfig) -> config.RoomConfig:
    """The room with numbers for the names that its chip has for its lines. Raises ConfigError."""
    named = [(line, device.id) for device in room.devices for line in device.lines if isinstance(line, str)]
    found = names.numbers(gpiod, chip, named)
    if wrong := list(complaints.repetitions(room.devices, found)):
        raise ConfigError("\n".join(wrong))
    return config.numbered(room, found)


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
    if room.pins == "rpi":
        pins_rpi.check(library, config.pin_uses(room))
    else:
        assert room.chip is not None
        try:
            chip = chips.find(library, room.chip)
        except AwayError as away:
            raise ConfigError(str(away)) from away  # asked now, it is not right now
        uses = config.pin_uses(numbered(library, chip, room))
        pins_gpiod.check(library, chip.path, room.room, uses, room.free_pins)


def sensors_of(room: config.RoomConfig, pins: Pins) -> Sensors:
    """What reads the room's sensors; where pins are simulated, they are too. Raises ConfigError."""
    if isinstance(pins, SimulatedPins):
        assert room.sim_dir is not None
        return SimulatedSensors(room.sim_dir, room.room, room.devices, pins.stage)
    return Reader(probes(room))


if __name__ == "__main__":
    sys.exit(main())
