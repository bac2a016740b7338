"""Starts a service that keeps a database: `python -m SERVICE [--config PATH] [--check-config]`."""

import argparse
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

from shared.keeping.lean import without_orm
from shared.running import lifecycle, log
from shared.running.config import ConfigError, fail, file_of
from shared.running.syslog import SyslogConfig


class _Settings(Protocol):
    """What is asked of every such service's configuration."""

    @property
    def log(self) -> Path | None:
        """The folder of its log."""

    @property
    def syslog(self) -> SyslogConfig | None:
        """Where its lines go besides."""


S = TypeVar("S", bound=_Settings)


def start(
    name: str,
    about: str,
    read: Callable[[Path], S],
    bring: Callable[[], Callable[[S], Awaitable[None]]],
    arguments: list[str] | None,
    *,
    program: str,
) -> int:
    """Run the service `name` until a signal; the exit code. `about` is its help, and `program` what `python -m` takes.

    `read` takes its configuration, or raises ConfigError; `bring` imports what serves it, and returns that.
    """
    parser = argparse.ArgumentParser(prog=program, description=about)
    parser.add_argument("--config", type=Path, default=file_of(name), help="default: %(default)s")
    parser.add_argument("--check-config", action="store_true", help="read the configuration, and stop")
    options = parser.parse_args(arguments)
    try:
        settings = read(options.config)
    except ConfigError as error:
        return fail(error)
    if options.check_config:
        print(f"{options.config}: fine")
        return 0
    log.set_up(name, settings.log, syslog=settings.syslog)

    gc.disable()  # what is imported stays: looking through it for garbage is a tenth of the start
    with without_orm():
        serve = bring()
    gc.freeze()
    gc.enable()
    return lifecycle.run(lambda: serve(settings))
