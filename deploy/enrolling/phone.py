"""What `homesystem client add NAME --p12` shows: an address as a QR code, and the code that is typed there."""

import sys
from typing import NamedTuple

from deploy.enrolling.opening import Opening
from deploy.folder import home as homes
from gateway.pages import qr
from shared.trust import authority
from shared.words import join_code

_ADDRESS = "https://{host}:{port}/join/phone"
_BLACK, _PLAIN = "\x1b[40;97m", "\x1b[0m"
"""Light on dark whatever the terminal's colours are: cameras want the quiet zone to be the light one."""


class Screen(NamedTuple):
    """The lines of a screen; the code stands in no address."""

    address: str
    text: str


def screen(opening: Opening, fingerprint: str | None, *, coloured: bool) -> Screen:
    """For whoever holds the phone. `fingerprint`: of the authority that browsers trust, where it is the home's own."""
    address = _ADDRESS.format(host=opening.host, port=opening.port)
    trust = f"https://{opening.host}:{opening.port}/authority"
    told = [
        *_drawn(address, coloured=coloured),
        "",
        f"1. On the phone, open   {address}",
        f"2. and type there       {join_code.shown(opening.token)}      (without the gaps)",
        "3. In the app, that is the password of the file as well.",
        "",
        f"It works once, for {opening.minutes} minutes, and makes the phone's app the client {opening.name}.",
        f"Does the phone warn of the certificate? Then stop, and have it trust the home first: {trust}",
    ]
    if fingerprint is not None:
        told.append(f"The fingerprint there must be {fingerprint}")
    return Screen(address, "\n".join(told))


def show(home: homes.Home, opening: Opening) -> None:
    """On standard output. Raises ConfigError where the hub's certificate cannot be read."""
    print(screen(opening, _fingerprint(home), coloured=sys.stdout.isatty()).text, flush=True)


def _fingerprint(home: homes.Home) -> str | None:
    now = authority.shown(homes.own_certificate(home) or home.pki / "web.crt").now
    return None if now is None else now.fingerprint


def _drawn(address: str, *, coloured: bool) -> list[str]:
    return [f"{_BLACK}{line}{_PLAIN}" if coloured else line for line in qr.lines(address)]
