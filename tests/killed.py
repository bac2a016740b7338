"""Work that is killed, or asked to end, at one of its writes: each of them, in turn, may be the last of a process."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_WRITES = {
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "os.link",
    "os.symlink",
    "shutil.rmtree",
    "sqlite3.connect",
}


EVERY = "HOMESYSTEM_KILL_EVERYWHERE"
"""Set in the environment: a test dies at every moment of a long work, and not at some that are spread over it."""


def moments(total: int, most: int = 8) -> list[int]:
    """At which of `total` moments to die, counted from 1: the first, the last, and others between, or each of them."""
    if total <= most or os.environ.get(EVERY):
        return list(range(1, total + 1))
    return sorted({1 + round(step * (total - 1) / (most - 1)) for step in range(most)})


def at_write(
    work: Callable[[], object], folder: Path, die_at: int, *, by: signal.Signals = signal.SIGKILL
) -> tuple[int, int]:
    """Do `work` in a process of its own that kills itself, `by` this, before its write number `die_at` in `folder`.

    Number 0 is never. Returns its exit code, and how many writes there were where it ended by itself.
    """
    reading_end, writing_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        count = 0

        def see(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            flags = arguments[2] if event == "open" else 0
            if event in _WRITES or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
                if str(folder) not in str(arguments[0]):
                    return
                count += 1
                if count == die_at:
                    os.kill(os.getpid(), by)

        sys.addaudithook(see)
        if by != signal.SIGKILL:  # as at a terminal, also where this run was begun with its signals ignored
            signal.signal(by, signal.default_int_handler if by == signal.SIGINT else signal.SIG_DFL)
        code = 1
        try:
            work()
            code = 0
        finally:
            os.write(writing_end, str(count).encode())
            os._exit(code)
    os.close(writing_end)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reading_end) as said:
        return os.waitstatus_to_exitcode(status), int(said.read() or 0)
