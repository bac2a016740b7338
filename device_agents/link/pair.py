"""The room's certificate and key on disk, and how the next pair takes their place: kill -9 at any step is repaired.

Beside `room.crt` and `room.key` may lie `.next` (a key that waits for its certificate, and then that), `room.crt.csr`
(what asks for it; deploy/room-renew.sh makes both), and `.old`, kept until the new pair has connected once. The file of
the authorities that the room believes goes the same way where others come with the pair; `room.crt.due` asks for a
next pair before its time.
"""

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path

from device_agents import files
from device_agents.link import belief
from shared.running.config import ConfigError
from shared.trust import authority, tls
from shared.words.problem import HomeError
from shared.words.renewing import Authorities, Certificate


class Pair:
    """The files of `identity`, for the room `room`. Blocks for the disk: not for the loop."""

    def __init__(
        self, identity: tls.Identity, room: str, checkpoint: Callable[[str], None] = lambda _name: None
    ) -> None:
        self.authorities = identity.ca
        self._room = room
        self._checkpoint = checkpoint
        self.certificate, self.key = identity.certificate, identity.key
        self.csr = _beside(self.certificate, "csr")
        self.next_certificate, self.next_key = _beside(self.certificate, "next"), _beside(self.key, "next")
        self.old_certificate, self.old_key = _beside(self.certificate, "old"), _beside(self.key, "old")
        self.next_authorities, self.old_authorities = _beside(identity.ca, "next"), _beside(identity.ca, "old")
        self.due = _beside(self.certificate, "due")

    def request(self) -> str | None:
        """The signing request that waits for an answer, where there is one with its key."""
        try:
            return self.csr.read_text(encoding="ascii") if self.next_key.exists() else None
        except (OSError, UnicodeDecodeError):
            return None

    @property
    def is_new(self) -> bool:
        """Whether the pair has not connected yet, so that the old one is still there."""
        return self.old_certificate.exists() and self.old_key.exists()

    def is_behind(self, told: Authorities) -> bool:
        """Whether the room does not believe yet who signs for rooms, or still believes somebody who has ended."""
        try:
            believed = authority.fingerprints(self.authorities)
        except ConfigError as error:
            raise HomeError("invalid-value", str(error)) from error
        return told.signs not in believed or not set(believed) <= set(told.believed)

    def ask_early(self, *, due: bool) -> None:
        """Leave word for deploy/room-renew.sh, whose timer asks for a next pair then, or take it back."""
        if due and not self.due.exists():
            files.write(self.due, b"", 0o600)
        elif not due:
            self.due.unlink(missing_ok=True)

    def take(self, answer: Certificate) -> None:
        """Let the waiting key and its certificate (PEM) take the place of the pair, and the authorities with it.

        Raises HomeError("invalid-value") for what does not fit key, room or authority: nothing is changed then. An
        authority that no other vouches for is passed over.
        """
        if not self.next_key.exists():
            raise HomeError("invalid-value", "No key waits for a certificate here.")
        self.next_authorities.unlink(missing_ok=True)
        files.write(self.next_certificate, answer.certificate.encode(), 0o644)
        self._checkpoint("certificate written")
        try:
            believed = belief.vouched(self.authorities, answer, self.next_certificate, self.next_key)
        except HomeError:
            self.next_certificate.unlink()
            raise
        if believed is not None:
            files.write(self.next_authorities, believed.encode(), 0o644)
            self._checkpoint("authorities written")
        self._swap()

    def repair(self) -> None:
        """End what an earlier process began. Raises HomeError("invalid-value") where the disk does not let us."""
        try:
            if self.next_certificate.exists() and self.next_key.exists():
                with contextlib.suppress(HomeError):
                    self._swap()
            elif not _fit(self.certificate, self.key):
                # Stopped between the two renames, on the way to the new pair or back to the old one.
                for key in (self.next_key, self.old_key):
                    if _fit(self.certificate, key):
                        files.move(key, self.key)
                        break
            if not self.next_key.exists():
                self.csr.unlink(missing_ok=True)
            self.next_authorities.unlink(missing_ok=True)
            if not self.is_new:
                self.settle()
        except OSError as error:
            raise HomeError("invalid-value", f"{self.certificate}: the renewal cannot go on ({error}).") from error

    def settle(self) -> None:
        """The pair has connected: the old one has done its duty."""
        self.old_certificate.unlink(missing_ok=True)
        self.old_key.unlink(missing_ok=True)
        self.old_authorities.unlink(missing_ok=True)

    def go_back(self) -> None:
        """The broker does not take the new pair: the old one again. The next run of the timer asks anew."""
        if self.old_authorities.exists():
            files.move(self.old_authorities, self.authorities)
            self._checkpoint("old authorities back")
        files.move(self.old_certificate, self.certificate)
        self._checkpoint("old certificate back")
        files.move(self.old_key, self.key)

    def _swap(self) -> None:
        others = self.next_authorities.exists()
        try:
            self._check(self.next_authorities if others else self.authorities)
        except HomeError:
            self.next_certificate.unlink(missing_ok=True)
            self.next_authorities.unlink(missing_ok=True)
            raise
        if _fit(self.certificate, self.key):
            if others:
                files.write(self.old_authorities, self.authorities.read_bytes(), 0o644)
            files.write(self.old_key, self.key.read_bytes(), 0o600)
            files.write(self.old_certificate, self.certificate.read_bytes(), 0o644)
        self._checkpoint("old pair kept")
        if others:
            files.move(self.next_authorities, self.authorities)
            self._checkpoint("authorities moved")
        files.move(self.next_certificate, self.certificate)
        self._checkpoint("certificate moved")
        files.move(self.next_key, self.key)
        self._checkpoint("key moved")
        self.csr.unlink(missing_ok=True)
        self.due.unlink(missing_ok=True)

    def _check(self, authorities: Path) -> None:
        """Shake hands with ourselves, as the broker would with us: authority, dates, purpose, key, name."""
        try:
            name = belief.shake_hands(authorities, self.next_certificate, self.next_key)
        except (OSError, ssl.SSLError) as error:
            raise HomeError("invalid-value", f"The new certificate cannot be used: {error}.") from error
        if name != self._room:
            raise HomeError("invalid-value", f"The new certificate is for {name}, and not for {self._room}.")


def _fit(certificate: Path, key: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        return False
    return True


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.name}.{what}")
