"""Makes an unpacked backup fit to come back, before it lies in its place: what ended since that day stays ended.

Certificates and rights of whoever was revoked since, sessions, API tokens, codes and a lockdown of then.
"""

import asyncio
import datetime as dt
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from auth_service import config as auth_config
from auth_service.config import AuthConfig
from auth_service.home.identity_rows import IdentityRow
from deploy.allowing import orders
from deploy.pki.authorities import Authorities
from deploy.pki.files import write
from deploy.pki.leaf import DEVICE_CA
from deploy.safekeeping.backup import HOME, Label
from deploy.safekeeping.present import Present, vault_of
from shared.words.problem import HomeError

Ask = Callable[[Collection[str]], Collection[str]]
"""Of these names, which were revoked, lost or stolen since the backup? Raises HomeError where nobody can say."""


class Settled(NamedTuple):
    """Who is revoked that was not on the day of the backup, and whether the home is locked down."""

    revoked: tuple[str, ...]
    locked_down: bool


def settle(
    work: Mapping[str, Path], var: Path, label: Label, present: Present | None, ask: Ask, now: dt.datetime
) -> Settled:
    """Settle the folders `work` of an archive that is to lie in `var`; `present` is the home that is there now.

    `ask` is asked of everybody where no home is there that knows. Raises HomeError, ConfigError; the folders are then
    of no use.
    """
    folders = dict(work)
    vault = vault_of(folders)
    authorities = Authorities(vault, demo=False, now=now)  # nothing is made, so nothing is marked as a demo's
    is_same = present is not None and (vault / f"{DEVICE_CA}.crt").read_bytes() == present.authority
    known = present if is_same else None
    config = _moved(auth_config.read(folders[HOME] / "auth.toml"), var, folders[HOME])
    if known is not None:
        authorities.take_over(known.issued)
    rows, revoked, locked_down = asyncio.run(_settle(config, label, known, ask, now))
    for row in rows:
        if row.revoked_at is not None or row.name in revoked:
            authorities.revoke(row.name)
    write(folders[HOME] / "pki" / "crl.pem", authorities.crl(), 0o644)
    _shut_out(folders[HOME], [row.name for row in rows if row.revoked_at is not None or row.name in revoked])
    return Settled(tuple(revoked), locked_down)


async def _settle(
    config: AuthConfig, label: Label, known: Present | None, ask: Ask, now: dt.datetime
) -> tuple[tuple[IdentityRow, ...], list[str], bool]:
    from auth_service.hub import restored

    async with restored.opened(config, now=lambda: now) as accounts:
        rows = await accounts.identities()
        standing = [row.name for row in rows if row.revoked_at is None and row.role in ("room", "client")]
        gone = set(ask(standing) if known is None else ask([]))
        if unknown := sorted(gone - {row.name for row in rows}):
            raise HomeError(
                "not-found",
                f"There is no {', '.join(unknown)} in this backup; it has {', '.join(standing) or 'nobody'}.",
            )
        if known is not None:
            gone |= {line.name for line in known.issued if line.gone} | set(known.accounts.revoked)
        revoked = [name for name in standing if name in gone]
        locked_down = known is not None and known.accounts.locked_down
        await accounts.settle(made_at=label.at, revoked=revoked, locked_down=locked_down)
        return rows, revoked, locked_down


def _moved(config: AuthConfig, var: Path, work: Path) -> AuthConfig:
    """The files of the archive, which its configuration names by where they will lie.

    Whoever broke into the home could write that configuration, and it is root that opens them here: one that is named
    elsewhere is refused. Raises HomeError("invalid-value").
    """

    def moved(path: Path) -> Path:
        plain = Path(os.path.normpath(path))
        if not plain.is_relative_to(var):
            raise HomeError("invalid-value", f"auth.toml in this backup names {path}, which is no file of the home.")
        return work / plain.relative_to(var)

    kind, slashes, path = config.database.partition("///")
    is_file = kind.startswith("sqlite")
    return msgspec.structs.replace(
        config,
        database=f"{kind}{slashes}{moved(Path(path))}" if is_file else config.database,
        spool=moved(config.spool),
        pepper_file=moved(config.pepper_file),
    )


def _shut_out(home: Path, names: Collection[str]) -> None:
    """In the file that the broker begins with; it has who is to have no rights as one that is disabled."""
    path = home / "mosquitto" / "dynamic-security.json"
    document: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    for name in names:
        document = orders.applied(document, orders.shut_out(orders.written(document, name)))
    write(path, msgspec.json.format(msgspec.json.encode(document), indent=1), 0o600)
