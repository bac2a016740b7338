"""Lets an asyncio loop drive a paho client's socket, with no thread of its own."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho

from shared.problem import HomeError


def attach(client: paho.Client, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Let the loop drive the connected client's socket; returns what takes it away again."""
    sock = client.socket()
    if not isinstance(sock, ssl.SSLSocket):
        raise HomeError("broker-unreachable", "the connection was lost at once")
    number = sock.fileno()

    def readable() -> None:
        client.loop_read()
        # TLS decrypts whole records: what is left in them never makes the socket readable again.
        while isinstance(left := client.socket(), ssl.SSLSocket) and left.pending():
            client.loop_read()

    def register(*_: Any) -> None:
        loop.add_writer(number, client.loop_write)

    def unregister(*_: Any) -> None:
        loop.remove_writer(number)

    def closed(*_: Any) -> None:
        loop.remove_reader(number)
        loop.remove_writer(number)

    client.on_socket_register_write, client.on_socket_unregister_write = register, unregister
    client.on_socket_close = closed
    loop.add_reader(number, readable)
    if client.want_write():
        register()

    def detach() -> None:
        if client.socket() is not None:
            closed()
            sock.close()

    return detach
