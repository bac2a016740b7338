"""Runs a program under a unit's system call filter, as systemd would, on machines where systemd does not run.

`python tests/sandbox.py UNIT PROGRAM …` reads SystemCallFilter and SystemCallErrorNumber, expands their groups as this
machine's systemd does, and becomes PROGRAM. Owns libseccomp, which systemd brings along.
"""

import ctypes
import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

LIBRARY = "libseccomp.so.2"
_KILL = 0x8000_0000
_ALLOW = 0x7FFF_0000
_ERRNO = 0x0005_0000
_UNKNOWN = -1
_NO_NEW_PRIVILEGES = 38


def is_possible() -> bool:
    """Whether this machine has what it needs."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return shutil.which("systemd-analyze") is not None


def command(unit: Path, *program: str) -> list[str]:
    """What to run so that `program` lives under the unit's filter."""
    return [sys.executable, str(Path(__file__)), str(unit), *program]


def expand(name: str) -> set[str]:
    """A group such as `@system-service` as system calls; a call as itself."""
    if not name.startswith("@"):
        return {name}
    told = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in told.stdout.splitlines()[1:]]
    return set[str]().union(*(expand(line) for line in lines if line and not line.startswith("#")))


def allowed(unit: str) -> set[str]:
    """The calls that a unit's text allows: its first line is a list of what may be, those with ~ take away."""
    calls = set[str]()
    for line in re.findall(r"(?m)^SystemCallFilter=(.+)$", unit):
        named = set[str]().union(*(expand(word) for word in line.removeprefix("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    # systemd allows these whatever a list says (systemd.exec(5)).
    return calls | expand("@default")


def answer(unit: str) -> int:
    """What becomes of a call that is not allowed: libseccomp's word for an error number, or for the end."""
    number = re.search(r"(?m)^SystemCallErrorNumber=(\w+)$", unit)
    return _KILL if number is None else _ERRNO | getattr(errno, number[1])


def enter(unit: str) -> None:
    """From here on this process is under the unit's filter. Raises OSError where the kernel refuses it."""
    calls = allowed(unit)
    seccomp = ctypes.CDLL(LIBRARY, use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    filters = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(answer(unit))))
    for call in sorted(calls):
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number != _UNKNOWN:
            seccomp.seccomp_rule_add(filters, ctypes.c_uint32(_ALLOW), number, 0)
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if (failed := seccomp.seccomp_load(filters)) != 0:
        raise OSError(-failed, os.strerror(-failed))


if __name__ == "__main__":
    enter(Path(sys.argv[1]).read_text())
    os.execvp(sys.argv[2], sys.argv[2:])
