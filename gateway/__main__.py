"""`python -m gateway [--config PATH] [--check-config]`."""

import argparse
import gc
from pathlib import Path
from typing import Final

from gateway.app import Gateway, check
from gateway.config import GatewayConfig, load_config
from gateway.pages.routes import add_pages
from shared.running import lifecycle, log
from shared.running.config import ConfigError, fail, file_of

_COLLECTED_AT: Final = 20_000
"""Commands leave no circles behind; to look for some after every 700 objects is a twentieth of what they cost."""


def main() -> int:
    """Read the configuration and serve until a signal; returns the exit code."""
    parser = argparse.ArgumentParser(prog="gateway", description="The home's web gateway.")
    parser.add_argument("--config", type=Path, default=file_of("gateway"), help="gateway.toml")
    parser.add_argument("--check-config", action="store_true", help="only read and check the configuration")
    options = parser.parse_args()
    try:
        config = load_config(options.config)
        check(config)
    except ConfigError as error:
        return fail(error)
    if options.check_config:
        return 0
    log.set_up("gateway", config.log_dir, syslog=config.syslog)
    return lifecycle.run(lambda: _serve(config))


async def _serve(config: GatewayConfig) -> None:
    gateway = Gateway(config, add_pages=add_pages)
    # What was made by now stays: the collector need not look at it again with every command.
    gc.freeze()
    gc.set_threshold(_COLLECTED_AT)
    await gateway.run()


if __name__ == "__main__":
    lifecycle.leave(main())
