"""Lets an asyncio loop drive a paho client's socket, with no thread of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

from shared.broker import paho_client
from shared.broker.mqtt_socket import BufferedSocket
from shared.words.problem import HomeError


def attach(client: paho_client.Client, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Let the loop drive the connected client's socket; returns what takes it away again."""
    return _Pump(client, loop).detach


class _Pump:
    """Moves what comes and what goes; all that goes in one turn of the loop goes in one piece."""

    def __init__(self, client: paho_client.Client, loop: asyncio.AbstractEventLoop) -> None:
        sock = client.socket()
        if not isinstance(sock, BufferedSocket):
            raise HomeError("broker-unreachable", client.refusal or "the connection was lost at once")
        self._client = client
        self._loop = loop
        self._socket = sock
        self._number = sock.fileno()
        self._open = True
        sock.flush_soon = self._flush_soon
        client.on_socket_register_write = self._watch
        client.on_socket_close = self._closed
        loop.add_reader(self._number, self._readable)
        if client.want_write():
            self._watch()

    def detach(self) -> None:
        """Let go of the socket, and close it where paho did not."""
        if self._open:
            self._closed()
            self._socket.close()

    def _readable(self) -> None:
        self._client.loop_read()
        # TLS decrypts whole records: what is left in them never makes the socket readable again.
        while self._open and self._socket.pending():
            self._client.loop_read()

    def _flush_soon(self) -> None:
        self._loop.call_soon(self._move_out)

    def _watch(self, *_: Any) -> None:
        # paho has packets to send and may be in the middle of something: they go in this turn of the loop.
        self._loop.call_soon(self._move_out)

    def _move_out(self) -> None:
        """Send what waits here and in paho; what the network does not take yet waits until it does."""
        if not self._open:
            return
        if self._client.want_write():
            self._client.loop_write()
        try:
            done = self._open and self._socket.flush() and not self._client.want_write()
        except OSError:
            return  # reading finds out, and paho tells
        if not self._open:
            return
        if done:
            self._loop.remove_writer(self._number)
        else:
            self._loop.add_writer(self._number, self._move_out)

    def _closed(self, *_: Any) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._number)
            self._loop.remove_writer(self._number)
