"""Starts the signer: `python -m deploy.signer --state DIR [--socket PATH] [--for USER]… [--demo]`."""

import argparse
import os
from pathlib import Path

from deploy.signer.config import Settings, user_id
from shared.running import lifecycle, log
from shared.running.config import ConfigError, fail
from shared.trust import signing


def main(arguments: list[str] | None = None) -> int:
    """Run the signer; the exit code."""
    parser = argparse.ArgumentParser(prog="deploy.signer", description="Signs certificates and sets rights, on order.")
    parser.add_argument("--state", type=Path, required=True, help="a folder of its own: keys, index, spool")
    parser.add_argument("--socket", type=Path, default=signing.SOCKET, help="default: %(default)s")
    parser.add_argument("--for", dest="users", action="append", default=[], metavar="USER", help="who else may ask")
    parser.add_argument("--demo", action="store_true", help="authorities carry DEMO in their name")
    parser.add_argument("--log", type=Path, help="a folder for its log; left out: standard error alone")
    parser.add_argument("--broker", default="127.0.0.1", metavar="HOST", help="default: %(default)s")
    options = parser.parse_args(arguments)
    os.umask(0o077)
    try:
        settings = Settings(
            state=options.state,
            socket=options.socket,
            users=frozenset(map(user_id, options.users)),
            demo=options.demo,
            log=options.log,
            broker_host=options.broker,
        )
    except ConfigError as error:
        return fail(error)
    log.set_up("signer", settings.log)
    from deploy.signer.service import serve

    return lifecycle.run(lambda: serve(settings))


if __name__ == "__main__":
    lifecycle.leave(main())
