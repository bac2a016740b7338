"""Certificates that are renewed on disk while we run: what is built from them, built anew when other files lie there.

Looked at when a handshake is due, so that nobody has to tell us. What does not fit together never takes the place of
what works: a pair is two files, and somebody may be in the middle of replacing them.
"""

import contextlib
import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Literal, TypeVar
from weakref import WeakKeyDictionary

from shared.running.config import ConfigError
from shared.running.log import facts
from shared.trust import tls

log = logging.getLogger(__name__)

T = TypeVar("T")
Newest = Literal["taken", "refused", "untried"]
Others = Callable[[str | None], ssl.SSLContext | None]
SETTLING_SECONDS = 1.0
"""For so long a pair that does not fit is taken for one that somebody is just replacing, and nothing is said of it."""
AGAIN_SECONDS = 5.0
"""What could not be used is tried again after this, in case something else than the files was the matter."""
_ends: WeakKeyDictionary[ssl.SSLContext, float | None] = WeakKeyDictionary()
"""Of each context that a server shows: when its certificate ends. The library does not tell what it has loaded."""


class Latest(Generic[T]):
    """What `build` makes of `files`, made anew when they are others. Raises ConfigError where it cannot be at first."""

    def __init__(
        self, build: Callable[[], T], files: tuple[Path, ...], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._build = build
        self._files = files
        self._monotonic = monotonic
        self._stamp = _stamp(files)
        self._value = build()
        self._again_at: float | None = None
        self._tries = 0
        """How often these files could not be used."""

    def value(self) -> T:
        """Of the newest files that fit together; those in use where what lies there now does not."""
        stamp = _stamp(self._files)
        if stamp != self._stamp or (self._again_at is not None and self._monotonic() >= self._again_at):
            if stamp != self._stamp:
                self._stamp, self._tries = stamp, 0
            try:
                self._value = self._build()
            except ConfigError as error:
                if self._tries == 1:
                    log.error("Renewed certificate cannot be used; the one before stays", extra=facts(reason=error))
                self._again_at = self._monotonic() + (AGAIN_SECONDS if self._tries else SETTLING_SECONDS)
                self._tries += 1
            else:
                self._again_at = None
                log.info("Renewed certificate is in use", extra=facts(file=self._files[-1]))
        return self._value


_newest: WeakKeyDictionary[ssl.SSLContext, Latest[ssl.SSLContext]] = WeakKeyDictionary()
"""Of each context that a server was started with: where it finds those that it shows."""


def web_context(certificate: Path, key: Path, *, others: Others = lambda _name: None) -> ssl.SSLContext:
    """For the gateway's HTTPS, with the pair that lies there at each handshake; see tls.web_context.

    `others` has a context for a name that a browser asks for, where it is shown another pair.
    """
    return _front(Latest(lambda: _dated(tls.web_context(certificate, key), certificate), (key, certificate)), others)


def server_context(identity: tls.Identity) -> ssl.SSLContext:
    """For an internal server, with what lies there at each handshake; see tls.server_context."""
    latest = Latest(lambda: _dated(tls.server_context(identity), identity.certificate), _files(identity))
    return _front(latest)


def has_ended(front: ssl.SSLContext, now: float) -> bool:
    """Whether what a server that was started with `front` shows has ended by `now` (seconds since 1970)."""
    ends = _ends.get(_newest[front].value())
    return ends is not None and now > ends


def client(identity: tls.Identity) -> Latest[ssl.SSLContext]:
    """For calls to our own servers, each connection with what lies there; see tls.client_context."""
    return Latest(lambda: tls.client_context(identity), _files(identity))


class Credentials:
    """An identity's way into the broker: the newest pair, or, where the broker refused that, in turn the last it took.

    So a pair that is of no use there, however well it fits, does not cost a connection that could be had.
    """

    def __init__(self, identity: tls.Identity) -> None:
        self._identity = identity
        self._latest: Latest[ssl.SSLContext] | None = None
        self._used: ssl.SSLContext | None = None
        self._taken: ssl.SSLContext | None = None
        self._refused: ssl.SSLContext | None = None

    def next(self) -> ssl.SSLContext:
        """For the next connection. Raises ConfigError where there was no fitting pair so far."""
        newest = self._newest()
        older_one_is_due = newest is self._refused and self._used is newest and self._taken is not None
        self._used = self._taken if older_one_is_due else newest
        assert self._used is not None
        return self._used

    def newest(self) -> Newest:
        """What became of the newest pair, once a connection was made."""
        newest = self._newest()
        return "taken" if newest is self._used else "refused" if newest is self._refused else "untried"

    def taken(self) -> None:
        """The broker took the last one."""
        self._taken = self._used
        if self._refused is self._used:
            self._refused = None

    def refused(self) -> None:
        """The broker was reached and did not take the last one."""
        if self._used is not self._taken:
            self._refused = self._used

    def is_renewed(self) -> bool:
        """Whether another pair lies there than the one in use, and the broker has not refused it yet."""
        newest = self._newest()
        return newest is not self._used and newest is not self._refused

    def _newest(self) -> ssl.SSLContext:
        if self._latest is None:
            self._latest = client(self._identity)
        return self._latest.value()


def _front(latest: Latest[ssl.SSLContext], others: Others = lambda _name: None) -> ssl.SSLContext:
    """The context that a server is started with, which hands each handshake to the newest.

    A server's certificate, authorities and all are those of the context at the end of this callback; loading a new pair
    into a context in use would empty it where that fails.
    """

    def hand_over(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _front: ssl.SSLContext) -> None:
        connection.context = others(name) or latest.value()

    front = latest.value()
    front.sni_callback = hand_over
    _newest[front] = latest
    return front


def _dated(context: ssl.SSLContext, certificate: Path) -> ssl.SSLContext:
    _ends[context] = tls.ends_at(certificate)
    return context


def _files(identity: tls.Identity) -> tuple[Path, ...]:
    return (identity.ca, identity.key, identity.certificate)


def _stamp(files: tuple[Path, ...]) -> tuple[tuple[int, int, int] | None, ...]:
    """What changes when a file is replaced, written to, or may be read by others than before."""
    return tuple(_stamp_of(path) for path in files)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_ino, found.st_ctime_ns, found.st_size
    return None
