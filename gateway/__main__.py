"""`python -m gateway [--config PATH] [--check-config]`."""

import argparse
import sys
from pathlib import Path

from gateway.app import serve
from gateway.config import load_config
from shared import lifecycle, log
from shared.config import ConfigError, file_of


def main() -> int:
    """Read the configuration and serve until a signal; returns the exit code."""
    parser = argparse.ArgumentParser(prog="gateway", description="The home's web gateway.")
    parser.add_argument("--config", type=Path, default=file_of("gateway"), help="gateway.toml")
    parser.add_argument("--check-config", action="store_true", help="only read the configuration")
    options = parser.parse_args()
    try:
        config = load_config(options.config)
    except ConfigError as error:
        return lifecycle.fail(error)
    if options.check_config:
        return 0
    log.set_up("gateway", config.log_dir)
    return lifecycle.run(lambda: serve(config))


if __name__ == "__main__":
    sys.exit(main())
