"""How a service lives: run its main coroutine until a signal ends it, and leave with a code that says why."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Never

from shared.running import systemd
from shared.running.config import ConfigError, fail
from shared.running.log import tell_sums

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_GOODBYE_SECONDS = 3.0
"""After what it serves has ended, for what its threads still do; service managers wait for ten in all."""


def run(main: Callable[[], Awaitable[None]]) -> int:
    """Run `main` on uvloop where present; SIGTERM and SIGINT cancel it. Returns the exit code.

    `main` must clean up in `finally` or context managers. 0: ended by a signal; 78: a configuration that cannot
    be used; 1: anything else, logged with its traceback.
    """
    factory = None
    if importlib.util.find_spec("uvloop") is not None:
        import uvloop

        factory = uvloop.new_event_loop
    runner = asyncio.Runner(loop_factory=factory)
    code = 0
    try:
        runner.run(_until_signal(main))
    except ConfigError as error:
        code = fail(error)
    except Exception:
        log.exception("Service failed")
        code = 1
    # Closing it waits for threads: one may ask a name server that is silent, and nothing takes that back.
    late = threading.Timer(_GOODBYE_SECONDS, leave, (code,))
    late.daemon = True
    late.start()
    runner.close()
    late.cancel()
    return code


def leave(code: int) -> Never:
    """End this process with `code`, whatever its threads still wait for; Python would wait with them."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # whoever read them is gone
            stream.flush()
    os._exit(code)


def leave_if_stopped() -> None:
    """Raises CancelledError in a task that was told to stop; for a loop that calls into libraries, before it waits.

    Some of them swallow a cancellation (aiosmtplib while it hangs up, Python 3.11's `asyncio.wait_for` when what it
    waits for is done in the same moment), and a loop that misses its only one keeps the service from ending.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def go_round(look: Callable[[], Awaitable[None]], seconds: float) -> Never:
    """Look every so many seconds until cancelled, also where `look` swallows that."""
    while True:
        leave_if_stopped()
        await look()
        await asyncio.sleep(seconds)


async def stay_alive(status: Callable[[], str]) -> Never:
    """Tell the service manager that this loop goes round, and in `status`'s words how the service is; until cancelled.

    The event loop tells it itself, so that a loop that hangs falls silent, and the service is replaced.
    """
    loop = asyncio.get_running_loop()
    told, due = "", loop.time()
    while True:
        if (words := status()) != told or loop.time() >= due:
            told, due = words, loop.time() + systemd.FEED_SECONDS
            systemd.notify(systemd.ALIVE, f"STATUS={told}")
        tell_sums()
        await asyncio.sleep(_LOOK_SECONDS)


async def _until_signal(main: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    except BaseExceptionGroup as group:
        if (config := group.subgroup(ConfigError)) is not None:
            raise _first(config) from group
        raise
    finally:
        systemd.notify("STOPPING=1")


def _first(group: BaseExceptionGroup[ConfigError]) -> ConfigError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ConfigError)
    return error
