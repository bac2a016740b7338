"""What the authorities signed, in a file beside their keys: whose it is, until when, and whether it still counts."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from deploy.pki.files import locked, write
from deploy.pki.leaf import DEVICE_CA
from shared.running.config import ConfigError


class Issued(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of the authorities' own index: what was signed, and whether it still counts.

    `gone`: the name was taken back for good. The newest line of each name stays, so that this is never forgotten.
    `by`: the key of an authority that followed another (its identifier, hex) while both were believed.
    """

    serial: int
    name: str
    role: str
    not_after: dt.datetime
    revoked_at: dt.datetime | None = None
    authority: str = DEVICE_CA
    gone: bool = False
    by: str = ""


class Index:
    """The file at `path`, changed by one process at a time: a command may sign while the signer starts."""

    def __init__(self, path: Path, now: dt.datetime) -> None:
        self._path = path
        self._now = now

    def read(self) -> list[Issued]:
        """The lines, the newest last. Raises ConfigError where they cannot be read."""
        if not self._path.exists():
            return []
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Issued])
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(f"{self._path}: cannot be read ({error}); restore it from a backup") from error

    def newest(self) -> list[Issued]:
        """The newest line of each name and use."""
        return list(_newest(self.read()).values())

    def add(self, line: Issued) -> None:
        """Note what is about to be given out."""
        with self._alone():
            self._write([*self.read(), line])

    def note(self, name: str, chosen: Callable[[list[Issued]], list[Issued]], *, gone: bool) -> int:
        """Mark what `chosen` picks of a name's lines as revoked, `gone` as taken back for good; how many were good."""
        with self._alone():
            issued = self.read()
            ours = [line for line in issued if line.name == name and line.authority == DEVICE_CA]
            serials = {line.serial for line in chosen(ours)}
            marked = [
                msgspec.structs.replace(line, revoked_at=line.revoked_at or self._now, gone=line.gone or gone)
                if line.serial in serials
                else line
                for line in issued
            ]
            self._write(marked)
        return sum(old.revoked_at != new.revoked_at for old, new in zip(issued, marked, strict=True))

    def take_over(self, lines: Iterable[Issued]) -> None:
        """Add what another index of the same authorities has, and forget no revocation of either: the index of a
        backup is older than what was signed, and revoked, since.
        """
        with self._alone():
            known = {line.serial: line for line in self.read()}
            for line in lines:
                ours = known.get(line.serial, line)
                known[line.serial] = msgspec.structs.replace(
                    ours, revoked_at=ours.revoked_at or line.revoked_at, gone=ours.gone or line.gone
                )
            self._write(list(known.values()))

    def end_former(self, by: str) -> None:
        """What another key of the device CA than `by` signed is good no longer: its authority ends.

        What was taken back stays on the lists until then.
        """
        with self._alone():
            issued = self.read()
            self._write(
                [
                    msgspec.structs.replace(line, not_after=min(line.not_after, self._now))
                    if line.authority == DEVICE_CA and line.by != by and line.revoked_at is None
                    else line
                    for line in issued
                ]
            )

    def keep(self, authority: str, names: Iterable[str]) -> None:
        """Only these names of an authority's are used from now on: that of another ends without anybody's harm."""
        kept = set(names)
        with self._alone():
            issued = self.read()
            noted = [
                msgspec.structs.replace(line, gone=line.gone or (line.authority == authority and line.name not in kept))
                for line in issued
            ]
            if noted != issued:
                self._write(noted)

    def _write(self, issued: list[Issued]) -> None:
        newest = {line.serial for line in _newest(issued).values()}
        kept = [line for line in issued if line.not_after > self._now or line.serial in newest]
        write(self._path, msgspec.json.encode(kept), 0o600)

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        return locked(self._path.with_name("lock"))


def _newest(issued: list[Issued]) -> dict[tuple[str, str], Issued]:
    return {(line.authority, line.name): line for line in issued}
