"""Sockets in a machine's file system: whether somebody listens at one, and how one is named however deep it lies."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

_MOST_PATH = 100
"""A socket's address is no longer than 107 bytes; a home may lie deeper than that."""


def listens(path: Path) -> bool:
    """Whether somebody listens at `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        try:
            if not stat.S_ISSOCK(path.stat().st_mode):
                return False
            with address(path) as place:
                probe.connect(place)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def address(path: Path) -> Iterator[str]:
    """What to bind or connect to for `path`, which may be longer than a socket's address can be."""
    if len(os.fsencode(path)) <= _MOST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
