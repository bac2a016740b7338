"""The key that is made here and never leaves, and the request for its certificate. OpenSSL does both.

In a folder that a second try finds again: whoever is interrupted asks with the same key.
"""

import subprocess
from pathlib import Path

from device_agents import files
from shared.words.problem import HomeError

KEY, REQUEST, CERTIFICATE, AUTHORITY = "room.key", "room.csr", "room.crt", "ca.crt"
_SECONDS = 60


def request(folder: Path) -> str:
    """The signing request (PEM) for the key in `folder`, both made where they are missing. Raises HomeError."""
    key = folder / KEY
    if not _public(key):
        _make(key, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out")
        (folder / REQUEST).unlink(missing_ok=True)
    path = folder / REQUEST
    if not path.exists():
        # Whose it is the hub knows by the token: the name in the request counts for nothing.
        _make(path, "req", "-new", "-key", str(key), "-subj", "/CN=room", "-out")
    return path.read_text(encoding="ascii")


def take(folder: Path, certificate: str, authority: str) -> None:
    """Keep what the hub gave for the key. Raises HomeError("invalid-value") for what does not belong to it."""
    write(folder / AUTHORITY, authority)
    write(folder / f"{CERTIFICATE}.new", certificate)
    new = folder / f"{CERTIFICATE}.new"
    if _said("x509", "-in", str(new), "-noout", "-pubkey") != _public(folder / KEY):
        raise HomeError("invalid-value", "The hub gave a certificate for another key. Paste the line again.")
    if _said("verify", "-CAfile", str(folder / AUTHORITY), str(new)) is None:
        raise HomeError("invalid-value", "The hub gave a certificate that its own authority did not sign.")
    _settle(new, folder / CERTIFICATE)


def has_certificate(folder: Path) -> bool:
    """Whether the hub's answer lies there, whole."""
    return (folder / CERTIFICATE).exists() and (folder / AUTHORITY).exists()


def _public(key: Path) -> str | None:
    return _said("pkey", "-in", str(key), "-pubout") if key.exists() else None


def _make(path: Path, *words: str) -> None:
    """Each file appears whole, and on the card, or not at all."""
    beside = path.with_name(f"{path.name}.making")
    if _said(*words, str(beside)) is None:
        raise HomeError("failed", f"No key or request can be made in {path.parent}: is the card full?")
    _settle(beside, path)


def _said(*words: str) -> str | None:
    """What openssl says; None where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - words of ours
            ["openssl", *words],  # noqa: S607 - Debian's, by root's own PATH
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise HomeError("failed", "openssl is not installed; run: sudo apt-get install openssl") from error
    return done.stdout if done.returncode == 0 else None


def write(path: Path, text: str) -> None:
    """Whole, and on the card, or not at all."""
    beside = path.with_name(f"{path.name}.making")
    beside.write_text(text)
    _settle(beside, path)


def _settle(beside: Path, path: Path) -> None:
    files.sync(beside)
    files.move(beside, path)
