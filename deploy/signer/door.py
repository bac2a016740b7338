"""The signer's socket: the kernel says who knocks; strangers are sent away; time and length of a call are bounded."""

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from deploy.signer.config import NOBODY
from shared.keeping import disks
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.trust import signing, unix
from shared.trust.signing import Answer, AnyOrder, Refused
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0
MOST_CALLERS = 16
"""Of one user at once."""
_PEER = struct.Struct("3i")
_orders = msgspec.json.Decoder(AnyOrder)


class Caller(NamedTuple):
    """Who asks, by the kernel's word."""

    process: int
    user: int


class Door:
    """Hands the orders of `users` (root and our own user among them) to `obey`; tells `stranger` of others."""

    def __init__(
        self,
        users: frozenset[int],
        obey: Callable[[AnyOrder, Caller], Awaitable[Answer]],
        stranger: Callable[[Caller], Awaitable[None]],
    ) -> None:
        self._users = (users | {0, os.geteuid()}) - {NOBODY}
        self._obey = obey
        self._stranger = stranger
        self._calls: dict[asyncio.Task[object], int] = {}

    @contextlib.asynccontextmanager
    async def open(self, path: Path) -> AsyncIterator[None]:
        """Listen at `path`. Raises ConfigError where that cannot be done, or another signer does."""
        listening = _bind(path, 0o666 if self._users - {0, os.geteuid()} else 0o600)
        server = await asyncio.start_unix_server(self._serve, sock=listening, limit=signing.MOST_BYTES)
        try:
            yield
        finally:
            server.close()
            _unlink(path)
            for call in self._calls:
                call.cancel()
            if self._calls:
                await asyncio.wait(self._calls)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call, caller = asyncio.current_task(), _caller(writer)
        assert call is not None
        self._calls[call] = caller.user
        try:
            # Each user has as many of its own: a stranger's silence takes no place from those who may ask.
            if list(self._calls.values()).count(caller.user) <= MOST_CALLERS:
                async with asyncio.timeout(PATIENCE_SECONDS * 2):
                    answer = await self._answer(reader, caller)
                    writer.write(msgspec.json.encode(answer) + b"\n")
                    await writer.drain()
        except asyncio.IncompleteReadError as error:
            if error.partial:  # else somebody only looked whether we are there
                log.warning("Caller hung up in the middle of an order", extra=facts(user=caller.user))
        except (TimeoutError, OSError, ValueError) as error:
            log.warning("Caller was not served", extra=facts(reason=error or type(error).__name__))
        except Exception:
            log.exception("Order failed")
        finally:
            del self._calls[call]
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, caller: Caller) -> Answer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await reader.readuntil(b"\n")
        if caller.user not in self._users:  # told once the order was taken, or it would break on the caller's side
            await self._stranger(caller)
            return Refused(slug="forbidden", detail=f"The signer takes no orders from user {caller.user}.")
        try:
            return await self._obey(_orders.decode(line), caller)
        except msgspec.DecodeError as error:
            return Refused(slug="malformed", detail=f"The signer does not know this order: {error}.")
        except HomeError as error:
            return Refused(slug=error.slug, detail=error.detail)
        except ConfigError as error:
            return Refused(slug="internal", detail=str(error))
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            log.exception("Order failed")
            why = disks.fault(error) or error.strerror or type(error).__name__
            return Refused(slug="internal", detail=f"The signer cannot use {error.filename or 'its folder'}: {why}.")


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _caller(writer: asyncio.StreamWriter) -> Caller:
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as connection:
        process, user, _group = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return Caller(process, user)


def _bind(path: Path, mode: int) -> socket.socket:
    if unix.listens(path):
        raise ConfigError(f"{path}: another signer listens there; stop it first")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with unix.address(path) as place:
            listening.bind(place)
        path.chmod(mode)
    except OSError as error:
        listening.close()
        raise ConfigError(f"{path}: the signer cannot listen there ({error.strerror}); check the folder") from error
    return listening
