"""A copy of the log for syslog: its setting, and the handler that sends there. Off unless `[syslog]` is set."""

import ipaddress
import logging
import socket

from shared.running.config import Config

_PORT = 514
_DAEMON = 3 << 3
_SEVERITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))


class SyslogConfig(Config, frozen=True):
    """Where to: a socket of this machine such as "/dev/log", or an IP address, with or without a port (UDP)."""

    address: str

    def __post_init__(self) -> None:
        _ = self.target

    @property
    def target(self) -> str | tuple[str, int]:
        """As the socket wants it. Raises ValueError. A name would have to be looked up, and hold the service up."""
        if self.address.startswith("/"):
            return self.address
        host, _, port = self.address.rpartition(":") if self._has_port() else (self.address, "", str(_PORT))
        try:
            found = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
            if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
                raise ValueError
        except ValueError:
            raise ValueError(
                f'{self.address!r} is no place for a log; write "/dev/log" or an IP address such as "192.0.2.1:514"'
            ) from None
        return str(found), int(port)

    def _has_port(self) -> bool:
        return self.address.count(":") == 1 or "]:" in self.address


class Copier(logging.Handler):
    """Sends lines as they are logged, and waits for nobody: one that is away or too slow loses its copy only.

    The one in logging.handlers connects anew with a socket that waits: a syslog that stands still would stop the hub.
    """

    def __init__(self, target: str | tuple[str, int], tag: str) -> None:
        super().__init__()
        self._target = target
        self._tag = tag
        self._socket: socket.socket | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line, if anybody is there (RFC 3164, 4.1)."""
        priority = _DAEMON | next(code for level, code in _SEVERITIES if record.levelno >= level)
        line = f"<{priority}>{self._tag}: {self.format(record)}".encode()
        try:
            if self._socket is None:
                self._socket = self._connected()
            self._socket.send(line)
        except BlockingIOError:
            pass  # it does not keep up
        except OSError:
            self._hang_up()  # the next line tries anew

    def close(self) -> None:
        """Let the connection go."""
        self._hang_up()
        super().close()

    def _connected(self) -> socket.socket:
        family = socket.AF_UNIX
        if not isinstance(self._target, str):
            family = socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET
        made = socket.socket(family, socket.SOCK_DGRAM)
        try:
            made.settimeout(0)
            made.connect(self._target)
        except OSError:
            made.close()
            raise
        return made

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def copier(config: SyslogConfig, service: str) -> logging.Handler:
    """The handler; lines carry `homesystem-{service}` as their tag."""
    return Copier(config.target, f"homesystem-{service}")
