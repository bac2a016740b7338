"""An authority is followed by another one: what lies in the vault meanwhile, and how a step is taken.

Beside the authority (`device-ca`) lies the one that follows (`device-ca-next`), the former's word for its key (the
voucher), or when it is to be over, and which phase it has come to. Killed at any step, it stands where it stood, or at
the next step.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.pki import building, reading
from deploy.pki.building import Key
from deploy.pki.files import sync, write
from deploy.pki.leaf import DEVICE_CA
from shared.running.config import ConfigError
from shared.trust.signing import Phase
from shared.words.problem import HomeError

NEXT = f"{DEVICE_CA}-next"
RECORD = "former"
"""A folder of the vault: the certificates of authorities that have ended, for whoever looks into old records."""


class Rotation:
    """Of one of the vault's authorities: `following` is how the files of the one that follows are called, `order` the
    phases that it comes to. One process at a time takes steps: the signer, or who holds the home's turn.
    """

    def __init__(
        self,
        vault: Path,
        authority: str = DEVICE_CA,
        *,
        following: str = NEXT,
        order: tuple[Phase, ...] = (Phase.BELIEVED, Phase.SIGNING, Phase.SERVING),
    ) -> None:
        self._vault = vault
        self._authority = authority
        self._order = order
        self._certificate, self._key = vault / f"{following}.crt", vault / f"{following}.key"
        self._voucher, self._phase = vault / f"{following}.voucher", vault / f"{following}.phase"
        self._changes = vault / f"{following}.changes"

    def phase(self) -> Phase | None:
        """How far it has come; None where no authority follows. Raises ConfigError where that cannot be read."""
        self._end_what_was_begun()
        if not self._certificate.exists():
            return None
        try:
            return Phase(self._phase.read_text()) if self._phase.exists() else Phase.BELIEVED
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self._phase}: cannot be read ({error}); restore it from a backup") from error

    def voucher(self) -> bytes:
        """The former authority's word for the key of the one that follows, PEM."""
        return self._voucher.read_bytes()

    def changes_at(self) -> dt.datetime | None:
        """When it is to be over, where that was noted. Raises ConfigError where that cannot be read."""
        try:
            return dt.datetime.fromisoformat(self._changes.read_text()) if self._changes.exists() else None
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self._changes}: cannot be read ({error}); restore it from a backup") from error

    def plan(self, changes_at: dt.datetime) -> bool:
        """Note when it is to be over; False where that was noted."""
        if self.changes_at() == changes_at:
            return False
        write(self._changes, changes_at.isoformat().encode(), 0o600)
        return True

    def begin(
        self,
        make: Callable[[Key], x509.Certificate],
        vouch: Callable[[x509.Certificate], x509.Certificate] | None = None,
        changes_at: dt.datetime | None = None,
    ) -> bool:
        """Make the authority that follows: from now on both are to be believed. False where there is one already."""
        if self.phase() is not None:
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        made = make(key)
        write(self._key, building.private_bytes(key), 0o600)
        if vouch is not None:
            write(self._voucher, building.pem(vouch(made)), 0o644)
        if changes_at is not None:
            self.plan(changes_at)
        write(self._certificate, building.pem(made), 0o644)  # the last: with it, everything is there
        return True

    def move(self, to: Phase) -> bool:
        """Have the one that follows sign for more; False where it does. Raises HomeError("invalid-value")."""
        phase = self.phase()
        if phase is None or self._order.index(to) > self._order.index(phase) + 1:
            raise HomeError("invalid-value", f"The authority that follows is not where {to.value} comes next.")
        if self._order.index(to) <= self._order.index(phase):
            return False
        write(self._phase, to.value.encode(), 0o600)
        return True

    def end(self) -> bool:
        """The one that follows takes the former's place, whose key is gone then; False where none follows.

        Raises HomeError("invalid-value") where servers do not show its certificates yet.
        """
        if (phase := self.phase()) is None:
            return False
        if phase is not self._order[-1]:
            raise HomeError("invalid-value", "The authority that follows does not sign for the servers yet.")
        ended = reading.certificate(self._vault / f"{self._authority}.crt")
        since = f"{ended.not_valid_before_utc:%Y-%m-%d}"
        kept = self._vault / RECORD / f"{self._authority}-{since}-{ended.serial_number:x}.crt"
        write(kept, building.pem(ended), 0o644)
        kept.parent.chmod(0o700)
        self._key.replace(self._vault / f"{self._authority}.key")
        self._end_what_was_begun()
        return True

    def _end_what_was_begun(self) -> None:
        """An end that was interrupted: its key has moved, and the certificate not yet, or what lay beside them."""
        if self._key.exists():
            return
        if self._certificate.exists():
            key = self._vault / f"{self._authority}.key"
            if not reading.belong_together(reading.private_key(key), reading.certificate(self._certificate)):
                raise ConfigError(f"{self._key}: is gone; restore {self._vault} from a backup")
            sync(self._vault)
            self._certificate.replace(self._vault / f"{self._authority}.crt")
            sync(self._vault)
        for beside in (self._phase, self._voucher, self._changes):
            beside.unlink(missing_ok=True)
