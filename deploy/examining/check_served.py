"""What the doctor sees on the wire: each server shows the certificate that lies on the disk, and browsers take it.

A certificate that was renewed on disk alone is not renewed.
"""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deploy.examining.finding import Finding, examine, skipped, well, wrong
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.pki import served as pki
from deploy.running.installation import Installation
from shared.words.problem import HomeError

_SECONDS = 5.0


class Server(NamedTuple):
    """Who listens where, and the file whose certificate it is to show."""

    name: str
    port: int
    certificate: Path


def served(home: Home, here: Installation) -> Iterator[Finding]:
    """The broker, the internal services, the gateway."""
    settings, folder = home.settings, home.pki
    servers = [
        Server("broker", settings.mqtt_port, folder / "broker.crt"),
        Server("auth", settings.auth_port, folder / "auth-server.crt"),
        Server("alerts", settings.alerts_port, folder / "alerts-server.crt"),
        Server("readings", settings.readings_port, folder / "recorder-server.crt"),
    ]
    for server in servers:
        yield from examine("served", lambda server=server: _same(home, here, server))  # type: ignore[misc]
    yield from examine("served", lambda: _web(home, here))


def _web(home: Home, here: Installation) -> Iterator[Finding]:
    from gateway import config as gateway

    https = gateway.load_config(home.config("gateway")).https
    yield from _same(home, here, Server("gateway", home.settings.https_port, https.certificate))
    if https.certificate.resolve() != home.shown.resolve():
        yield skipped(
            "served", f"{https.certificate} is not of this home's authority: ask a browser whether it is taken"
        )
        return
    for name in https.names:
        if (refusal := _refusal(home, name)) is not None:
            text = f"browsers refuse https://{name}:{https.port}: {refusal}"
            yield wrong("served", text, f"`homesystem renew`, then {here.start('gateway')}")


def _same(home: Home, here: Installation, server: Server) -> Iterator[Finding]:
    try:
        shown = pki.look(home.called(server.name), server.port, brokers.config(home).tls)
    except HomeError as error:
        yield skipped("served", f"{server.name}: not looked at ({error.detail})")
        return
    if shown.is_of(server.certificate):
        yield well("served", f"{server.name} shows the certificate in {server.certificate.name}")
    else:
        text = f"{server.name} shows another certificate than {server.certificate} has"
        yield wrong("served", f"{text}: it ends {shown.ends_at:%Y-%m-%d}", here.start(server.name))


def _refusal(home: Home, name: str) -> str | None:
    """Why a browser that believes the home's authority refuses `name`; None where it does not, or nobody answers."""
    browser = ssl.create_default_context(cafile=str(home.pki / "web-ca.crt"))
    try:
        with (
            socket.create_connection((home.called("gateway"), home.settings.https_port), timeout=_SECONDS) as plain,
            browser.wrap_socket(plain, server_hostname=name),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return None  # that it does not answer is said above
