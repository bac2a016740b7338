"""Lets an asyncio loop drive a paho client's socket, with no thread of its own."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho

from shared.problem import HomeError


def attach(client: paho.Client, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Let the loop drive the connected client's socket; returns what takes it away again."""
    return _Pump(client, loop).detach


class _Pump:
    """Moves what comes and what goes. What reading gives rise to goes at once, without asking the loop to watch."""

    def __init__(self, client: paho.Client, loop: asyncio.AbstractEventLoop) -> None:
        sock = client.socket()
        if not isinstance(sock, ssl.SSLSocket):
            raise HomeError("broker-unreachable", "the connection was lost at once")
        self._client = client
        self._loop = loop
        self._socket = sock
        self._number = sock.fileno()
        self._reading = False
        client.on_socket_register_write = self._register
        client.on_socket_unregister_write = self._unregister
        client.on_socket_close = self._closed
        loop.add_reader(self._number, self._readable)
        if client.want_write():
            self._register()

    def detach(self) -> None:
        """Let go of the socket, and close it where paho did not."""
        if self._client.socket() is not None:
            self._closed()
            self._socket.close()

    def _readable(self) -> None:
        self._reading = True
        try:
            self._client.loop_read()
            # TLS decrypts whole records: what is left in them never makes the socket readable again.
            while isinstance(left := self._client.socket(), ssl.SSLSocket) and left.pending():
                self._client.loop_read()
        finally:
            self._reading = False
        if self._client.want_write():
            self._client.loop_write()
        if self._client.socket() is not None and self._client.want_write():
            self._register()

    def _register(self, *_: Any) -> None:
        if not self._reading:
            self._loop.add_writer(self._number, self._client.loop_write)

    def _unregister(self, *_: Any) -> None:
        self._loop.remove_writer(self._number)

    def _closed(self, *_: Any) -> None:
        self._loop.remove_reader(self._number)
        self._loop.remove_writer(self._number)
