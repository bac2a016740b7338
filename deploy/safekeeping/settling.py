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
from deploy.allowing import orders
from deploy.archives.backup import HOME, Label
from deploy.archives.present import Present, authority_of, gone, known, vault_of
from deploy.archives.revocations import Revoked
from deploy.folder import parting, parts
from deploy.pki.authorities import Authorities
from deploy.pki.files import write
from deploy.pki.leaf import DEVICE_CA, WEB_CA
from deploy.running import still
from shared.running.config import ConfigError
from shared.words.names import is_identity, is_reserved
from shared.words.problem import HomeError

Ask = Callable[[Collection[str]], Collection[str]]
"""Of these names, which were revoked, lost or stolen since the backup? Raises HomeError where nobody can say."""


class Settled(NamedTuple):
    """Who is revoked that was not on the day of the backup, whether the home is locked down, whether its accounts lie
    on a server, where they were left as they are, and of `revoked` those that somebody named and the backup does not
    know.
    """

    revoked: tuple[str, ...]
    locked_down: bool
    elsewhere: bool = False
    unknown: tuple[str, ...] = ()


def settle(
    work: Mapping[str, Path],
    var: Path,
    label: Label,
    present: Present | None,
    ask: Ask,
    now: dt.datetime,
    listed: Revoked | None = None,
) -> Settled:
    """Settle the folders `work` of an archive that is to lie in `var`; `present` is the home that is there now, and
    `listed` who was revoked up to a moment after the backup, by the home's own word.

    `ask` is asked of everybody where neither is there. Raises HomeError, ConfigError; the folders are then
    of no use.
    """
    if parts.are_contained(work[HOME]) != parts.are_contained(var):
        raise HomeError(
            "invalid-value",
            "Of the backup and what is here, one is for containers and the other is not, and their configurations name "
            "other files: bring it back where it is from (docs/containers.md).",
        )
    if parts.are_served(var) or still.is_of_systemd(var):
        parting.part(var, work[HOME])  # a backup from before services had users of their own
    config = _moved(auth_config.read(parts.config(work[HOME], "auth")), var, work[HOME])
    authorities = Authorities(vault_of(work), demo=False, now=now)  # none is made, so none is marked as a demo's
    for name in (DEVICE_CA, WEB_CA):
        authorities.adopt(name, work[HOME] / "pki" / f"{name}.crt")
    is_same = present is not None and authority_of(work).read_bytes() == present.authority
    since = present if is_same else None
    standing, out = asyncio.run(_standing(config, authorities))
    named = set(ask(sorted(standing) if since is None and listed is None else ()))
    if wrong := sorted(name for name in named if not is_identity(name) or is_reserved(name)):
        raise HomeError("invalid-value", f"{', '.join(wrong)}: that is no name of a room or of a client.")
    unknown = tuple(sorted(named - standing - out))
    if since is not None:
        authorities.take_over(since.issued)
        named |= (gone(since.issued) | set(since.accounts.revoked if since.accounts else ())) & standing
    if listed is not None:
        authorities.take_over(listed.issued)
        named |= (gone(listed.issued) | set(listed.names)) & standing
    # Accounts that cannot be read may have been torn by whoever the lockdown was for; `repair` does the same with them.
    locked_down = since is not None and (since.accounts is None or since.accounts.locked_down)
    is_here = config.database.startswith("sqlite")
    if is_here:
        asyncio.run(_accounts(config, label, named - out, now, locked_down=locked_down))
    for name in named | out:
        authorities.revoke(name)
    write(work[HOME] / "pki" / "crl.pem", authorities.crl(), 0o644)
    parts.hand_out(work[HOME])
    _shut_out(parts.folder(work[HOME], "broker") / "mosquitto" / "dynamic-security.json", sorted(named | out))
    return Settled(tuple(sorted(named - out)), locked_down and is_here, elsewhere=not is_here, unknown=unknown)


async def _standing(config: AuthConfig, authorities: Authorities) -> tuple[set[str], set[str]]:
    """Of the archive's rooms and clients, those that may connect by it, and those that were revoked by then."""
    from auth_service.hub import restored

    issued = authorities.issued()
    names, out = set(known(issued)), gone(issued)
    if config.database.startswith("sqlite"):
        rows, _ = await restored.read(config.database)
        names |= {row.name for row in rows if row.role in ("room", "client")}
        out |= {row.name for row in rows if row.revoked_at is not None}
    return names - out, out


async def _accounts(
    config: AuthConfig, label: Label, revoked: Collection[str], now: dt.datetime, *, locked_down: bool
) -> None:
    from auth_service.hub import restored

    async with restored.opened(config, now=lambda: now) as accounts:
        await accounts.settle(made_at=label.at, revoked=revoked, locked_down=locked_down)


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


def _shut_out(path: Path, names: Collection[str]) -> None:
    """In the file that the broker begins with: who is to have no rights is in it, as one that is disabled."""
    try:
        document: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path.name} of this backup cannot be read ({error}); try an older one") from error
    for name in names:
        document = orders.applied(document, orders.shut_out(orders.written(document, name)))
    write(path, msgspec.json.format(msgspec.json.encode(document), indent=1), 0o600)
