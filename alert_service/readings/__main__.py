"""Starts the recorder: `python -m alert_service.readings [--config PATH] [--check-config]`."""

import argparse
import gc
import sys
from pathlib import Path

from alert_service.readings import config
from shared.keeping.lean import without_orm
from shared.running import lifecycle, log
from shared.running.config import ConfigError, fail, file_of


def main(arguments: list[str] | None = None) -> int:
    """Run the service; the exit code."""
    parser = argparse.ArgumentParser(prog="alert_service.readings", description=__doc__)
    parser.add_argument("--config", type=Path, default=file_of("readings"), help="default: %(default)s")
    parser.add_argument("--check-config", action="store_true", help="read the configuration, and stop")
    options = parser.parse_args(arguments)
    try:
        settings = config.read(options.config)
    except ConfigError as error:
        return fail(error)
    if options.check_config:
        print(f"{options.config}: fine")
        return 0
    log.set_up("readings", settings.log, syslog=settings.syslog)

    gc.disable()  # what is imported stays: looking through it for garbage is a tenth of the start
    with without_orm():
        from alert_service.readings.app import serve

    gc.freeze()
    gc.enable()
    return lifecycle.run(lambda: serve(settings))


if __name__ == "__main__":
    sys.exit(main())
