"""Who comes to a hub with a line or with parts of one: strangers, somebody in the middle, requests by hand."""

import contextlib
import functools
import http.client
import http.server
import json
import re
import sqlite3
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from deploy.pki import leaf as leaves
from deploy.pki.pairs import Pki
from tests.demo import Client, Demo, text_of

AWAY = "127.0.0.2"
"""Another address of this machine."""
EVIL = b"#!/bin/sh\ntouch caught; exit 0\n"


@contextlib.contextmanager
def home_to_join(folder: Path) -> Iterator[Demo]:
    """One that is up, and counts nobody's tries."""
    made = Demo(folder, warm=True)
    assert made.command("init", "--demo").returncode == 0
    made.lift_limits("join", "reads")
    made.start()
    yield made
    made.stop()


def enrolled(house: Demo, role: str) -> set[str]:
    """The names of that role that were given out."""
    with contextlib.closing(sqlite3.connect(house.var / "data" / "auth.sqlite3")) as file:
        return {name for (name,) in file.execute("SELECT name FROM identities WHERE role = ?", (role,))}


def line_for(house: Demo, room: str) -> str:
    said = house.command("room", "add", room)
    assert said.returncode == 0, said.stderr
    (line,) = said.stdout.splitlines()
    return line


def letters(house: Demo, *words: str) -> bool:
    return any(all(word in f"{one['Subject']} {text_of(one)}" for word in words) for one in house.letters())


@functools.cache
def master(house: Demo) -> Client:
    """Their program, signed in once: whoever looks again and again would soon get no more codes."""
    return house.client("master")


def recorded(house: Demo, where: str) -> dict[str, dict[str, object]]:
    """What the record has about a room or client (`room/attic`), the newest of each kind by what it is called."""
    events = master(house).call("GET", "/api/v1/audit?limit=100").body["events"]
    return {event["what"]: event for event in reversed(events) if event["where"] == where}


class Middle:
    """Somebody between Pi and hub, with an authority of their own; answers in its place, and notes what is asked."""

    def __init__(self, folder: Path, answers: dict[str, bytes]) -> None:
        self.asked: list[str] = []
        pki = Pki(folder, vault=folder / "vault", demo=True, now=datetime.now(UTC))
        pki.ensure_authorities(["localhost"])
        assert pki.ensure(leaves.web(["localhost"]), folder, "web")
        middle = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                middle.asked.append(self.path)
                content = answers[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "web.crt", folder / "web.key")
        self.authority = (folder / "web-ca.crt").read_bytes()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def in_the_middle(
    house: Demo,
    line: str,
    script: str,
    folder: Path,
    shows: str,
    paste: Callable[[str], "subprocess.CompletedProcess[str]"],
) -> None:
    """A line is pasted where another server answers, and shows its own authority, both, or the hub's alone."""
    true = (house.var / "pki" / "web-ca.crt").read_bytes()
    answers = {"/join/ca.crt": b"", f"/join/{script}": EVIL}
    middle = Middle(folder, answers)
    answers["/join/ca.crt"] = {"its own authority": middle.authority, "both": true + middle.authority}.get(shows, true)
    try:
        done = paste(line.replace(f":{house.ports['HTTPS']}", f":{middle.port}"))
    finally:
        middle.close()
    assert done.returncode != 0
    assert middle.asked == ["/join/ca.crt"], "of its script not a byte was taken, nor was it told the token"
    if shows != "the hub's":
        assert f"STOP: localhost:{middle.port} is not the hub of this line" in done.stderr
    else:
        assert "certificate" in done.stderr


class Stranger:
    """A program at another address, with one connection, a cookie and the token that changes need."""

    def __init__(self, house: Demo, address: str = AWAY) -> None:
        tls = ssl.create_default_context(cafile=str(house.var / "pki" / "web-ca.crt"))
        self._connection = http.client.HTTPSConnection(
            "localhost", house.ports["HTTPS"], context=tls, source_address=(address, 0)
        )
        self._headers = {"Origin": house.url, "Content-Type": "application/json"}
        response, body = self._ask("GET", "/api/v1/csrf")
        self._headers["X-CSRF-Token"] = json.loads(body)["csrf_token"]
        self._headers["Cookie"] = (response.getheader("Set-Cookie") or "").partition(";")[0]

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def join(self, token: str, room: str, csr: str) -> tuple[int, dict[str, str]]:
        return self.ask_to_join({"token": token, "room": room, "csr": csr})

    def ask_to_join(self, wish: dict[str, str]) -> tuple[int, dict[str, str]]:
        response, content = self._ask("POST", "/api/v1/join", json.dumps(wish).encode())
        return response.status, json.loads(content)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        return response, response.read()


def request(folder: Path, name: str) -> str:
    """A signing request that asks to be called so."""
    key: list[str | Path] = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        folder / f"{name}.key",
    ]
    subprocess.run(
        ["openssl", "req", "-new", *key, "-subj", f"/CN={name}", "-out", folder / f"{name}.csr"],
        capture_output=True,
        check=True,
    )
    return (folder / f"{name}.csr").read_text()


def named(certificate: str) -> str:
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-subject"], input=certificate, capture_output=True, text=True, check=True
    )
    found = re.search(r"CN ?= ?(\S+)", said.stdout)
    assert found is not None
    return found[1]
