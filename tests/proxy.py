"""A small TCP proxy for tests that can hold everything back, and let it go later, as a stalled network does."""

import contextlib
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable


class HoldingProxy:
    """Forwards connections to a port of 127.0.0.1. While held, bytes are kept, in both directions, not lost."""

    def __init__(self, host: str, port: int, target: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._target = target
        self._free = threading.Event()
        self._free.set()
        self._closed = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """From now on nothing gets through."""
        self._free.clear()

    def release(self) -> None:
        """Everything that was held goes on its way, in order."""
        self._free.set()

    def close(self) -> None:
        """Hang up everywhere."""
        self._closed = True
        self._free.set()
        for sock in (self._listener, *self._sockets):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was closed from the other side
            finally:
                sock.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                continue
            for sock in (near, far):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with selectors.DefaultSelector() as selector:
            for sock in other:
                selector.register(sock, selectors.EVENT_READ)
            while not self._closed:
                for key, _ in selector.select():
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    try:
                        received = source.recv(65536)
                        self._free.wait()
                        if not received:
                            other[source].shutdown(socket.SHUT_WR)
                            selector.unregister(source)
                        else:
                            other[source].sendall(received)
                    except OSError:
                        near.close()
                        far.close()
                        return
                if not selector.get_map():
                    return


class DelayingProxy:
    """Forwards one connection after the other; what comes from the target takes `delay` seconds longer."""

    def __init__(self, target: int) -> None:
        self.delay = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._target = target
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Hang up everywhere."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):  # the other side was first
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [near, far]
                line: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                for work in (
                    lambda near=near, far=far: self._copy(near, far.sendall),
                    lambda far=far, line=line: self._copy(
                        far, lambda some: line.put((time.monotonic() + self.delay, some))
                    ),
                    lambda near=near, line=line: self._deliver(line, near),
                ):
                    threading.Thread(target=work, daemon=True).start()

    def _copy(self, source: socket.socket, put: Callable[[bytes], object]) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                put(received)

    def _deliver(self, line: "queue.SimpleQueue[tuple[float, bytes]]", near: socket.socket) -> None:
        pause = threading.Event()
        with contextlib.suppress(OSError):
            while True:
                at, some = line.get()
                pause.wait(max(0.0, at - time.monotonic()))
                near.sendall(some)
