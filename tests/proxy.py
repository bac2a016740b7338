"""A small TCP proxy for tests that can hold everything back, and let it go later, as a stalled network does."""

import selectors
import socket
import threading


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
