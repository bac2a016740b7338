"""The doctor compares what is shown on the wire with what lies on the disk."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.examining import check_served
from deploy.examining.check_served import Server
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.pki.pairs import Pki
from deploy.running.installation import Installation
from tests import house
from tests.claimed import free_port

HERE = Installation((), "homesystem")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = house.make_home(tmp_path_factory.mktemp("home"))
    homes.lay_out(made)
    return made


@pytest.fixture
def port(home: Home) -> Iterator[int]:
    """Somebody who shows the certificate that lies there when it begins, and never looks again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home.pki / "web.crt", home.pki / "web.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as wrapped:
                    wrapped.recv(1)
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(house.DEADLINE)


def test_a_certificate_that_was_renewed_on_the_disk_alone_is_found(home: Home, port: int) -> None:
    web = Server("gateway", port, home.pki / "web.crt")
    (same,) = check_served._same(home, HERE, web)
    assert same.fine
    late = dt.datetime.now(dt.UTC) + dt.timedelta(days=61)
    authority = Pki(home.pki, vault=home.vault, demo=True, now=late)
    assert authority.ensure_web(home.settings.hosts)
    (other,) = check_served._same(home, HERE, web)
    assert other.fine is False
    assert other.text.startswith(f"gateway shows another certificate than {home.pki / 'web.crt'} has: it ends 2")
    assert "homesystem up" in other.step


def test_a_chain_behind_a_certificate_is_not_looked_at(home: Home, port: int, tmp_path: Path) -> None:
    both = tmp_path / "both.crt"
    both.write_text((home.pki / "web.crt").read_text() + (home.pki / "web-ca.crt").read_text())
    (same,) = check_served._same(home, HERE, Server("gateway", port, both))
    assert same.fine


def test_whoever_does_not_answer_is_not_judged(home: Home) -> None:
    (found,) = check_served._same(home, HERE, Server("auth", free_port(), home.pki / "auth-server.crt"))
    assert found.fine is None
