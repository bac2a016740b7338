"""`python -m gateway [--config PATH] [--check-config]`."""

import argparse
from pathlib import Path

from gateway.app import Gateway, check
from gateway.config import GatewayConfig, load_config
from gateway.pages.routes import add_pages
from shared.running import lifecycle, log
from shared.running.config import ConfigError, fail, file_of


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
    await Gateway(config, add_pages=add_pages).run()


if __name__ == "__main__":
    lifecycle.leave(main())
