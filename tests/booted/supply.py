"""The home's way to packages: a small web proxy on the bridge that goes out where this machine goes out.

A Debian package that went through once is kept, so that the next run need not fetch it again.
"""

import hashlib
import http.client
import os
import select
import socket
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.booted import lan

PORT = 3128
_HOP = frozenset({"connection", "proxy-connection", "keep-alive", "transfer-encoding", "te", "upgrade"})
_WAIT = 60.0


class _Straight(urllib.request.HTTPRedirectHandler):
    """A redirection is the client's to follow."""

    def redirect_request(self, *_: object) -> None:
        """Never."""


class _Way(BaseHTTPRequestHandler):
    """One request for something outside."""

    protocol_version = "HTTP/1.0"
    server: "Supply"

    def do_GET(self) -> None:
        """A plain fetch, as apt makes them."""
        kept = self.server.kept(self.path)
        if kept is not None and kept.exists():
            self._answer(http.HTTPStatus.OK, {"Content-Length": str(kept.stat().st_size)})
            with kept.open("rb") as content:
                while chunk := content.read(1 << 16):
                    self.wfile.write(chunk)
            return
        sent = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        request = urllib.request.Request(self.path, headers=sent)
        try:
            answer = self.server.opener.open(request, timeout=_WAIT)
        except urllib.error.HTTPError as error:
            answer = error
        except OSError as error:
            self.send_error(http.HTTPStatus.BAD_GATEWAY, str(error))
            return
        with answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            self._answer(answer.status, headers)
            self._pass_on(answer, kept if answer.status == http.HTTPStatus.OK and "Range" not in self.headers else None)

    def do_CONNECT(self) -> None:
        """A tunnel, as pip makes them."""
        host, _, port = self.path.rpartition(":")
        try:
            other = socket.create_connection((host, int(port)), _WAIT)
        except (OSError, ValueError) as error:
            self.send_error(http.HTTPStatus.BAD_GATEWAY, str(error))
            return
        with other:
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
            ends = {self.connection: other, other: self.connection}
            while ready := select.select(list(ends), [], [], 300)[0]:
                for end in ready:
                    try:
                        chunk = end.recv(1 << 16)
                        if chunk:
                            ends[end].sendall(chunk)
                            continue
                    except OSError:
                        pass
                    return

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked for shows in what the guide's commands say."""

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _pass_on(self, answer: http.client.HTTPResponse | urllib.error.HTTPError, kept: Path | None) -> None:
        part = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}") if kept is not None else None
        count = 0
        with (part or Path(os.devnull)).open("wb") as copy:
            while chunk := answer.read(1 << 16):
                self.wfile.write(chunk)
                copy.write(chunk)
                count += len(chunk)
        if kept is not None and part is not None:
            if str(count) == answer.headers.get("Content-Length"):
                part.rename(kept)
            else:
                part.unlink()


class Supply(ThreadingHTTPServer):
    """The proxy; to be made on the bridge, it goes out from `outside`, a network namespace."""

    daemon_threads = True

    def __init__(self, folder: Path, outside: int) -> None:
        super().__init__((lan.ROUTER, PORT), _Way)
        self._folder = folder
        self._outside = outside
        folder.mkdir(parents=True, exist_ok=True)
        self.opener = urllib.request.build_opener(_Straight)
        self._thread = threading.Thread(target=self._serve, name="supply", daemon=True)
        self._thread.start()

    def kept(self, address: str) -> Path | None:
        """Where a package is kept; None for what may change under its address."""
        if not address.endswith(".deb"):
            return None
        return self._folder / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.deb"

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is nothing to tell of."""

    def _serve(self) -> None:
        lan.enter(self._outside)  # this thread, and those that it starts for each request
        self.serve_forever()
