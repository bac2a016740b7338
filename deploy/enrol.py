"""Enrols and revokes rooms and trusted clients: name, certificate and rights in one go, with the audit event first."""

import re
from pathlib import Path

from auth_service import accounts
from auth_service import config as auth_config
from auth_service.identity_rows import IdentityRow
from deploy import control, rights
from deploy import home as homes
from deploy.pki.files import write
from shared.problem import HomeError

DeviceRef = tuple[str, str]
_REF = re.compile(r"([a-z][a-z0-9-]{0,31})/([a-z][a-z0-9-]{0,31})")


def device_ref(text: str) -> DeviceRef:
    """`hall/lamp` as room and device. Raises HomeError("invalid-value")."""
    match = _REF.fullmatch(text)
    if match is None:
        raise HomeError("invalid-value", f"{text!r} is no device; write ROOM/DEVICE, such as hall/lamp.")
    return match[1], match[2]


async def add_client(home: homes.Home, name: str, may: list[DeviceRef], out: Path) -> None:
    """Enrol a trusted client; writes ca.crt, client.crt and client.key to `out`.

    Raises HomeError: invalid-value, already-exists, not-found (a room in `may`).
    """
    _check_out(out, "client.key")
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        known = {row.name for row in await book.list_identities() if row.role == "room" and row.revoked_at is None}
        for room, _ in may:
            if room not in known:
                raise HomeError("not-found", f"There is no room {room}; these are enrolled: {_listed(known)}.")
        await book.enrol_identity(name, "client")
    home.authority().ensure_client(name, "client", folder=out, stem="client")
    _copy_authority(home, out)
    control.add(home, rights.client_role(name, may))


async def add_room(home: homes.Home, name: str, out: Path | None) -> None:
    """Enrol a room; writes ca.crt, room.crt and room.key to `out`, or into the home where the agent runs here."""
    if out is not None:
        _check_out(out, "room.key")
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        await book.enrol_identity(name, "room")
    if out is None:
        home.authority().ensure_client(name, "room")
    else:
        home.authority().ensure_client(name, "room", folder=out, stem="room")
        _copy_authority(home, out)
    control.add(home, rights.room_role(name))


async def revoke(home: homes.Home, name: str, role: str) -> bool:
    """Take a room's or client's name, certificate, rights and connection; True if a running broker dropped it at once.

    Raises HomeError("not-found") when there is no such room or client.
    """
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        if not any(row.name == name and row.role == role for row in await book.list_identities()):
            raise HomeError("not-found", f"There is no {role} {name}; `homesystem {role} list` names them all.")
        await book.revoke_identity(name)
    # First the handshake, then the rights and the connection: a dropped client knocks again at once.
    home.authority().revoke(name)
    control.reload(home)
    return control.shut_out(home, name, is_room=role == "room")


async def identities(home: homes.Home, role: str) -> list[IdentityRow]:
    """Every room or client that was ever enrolled, revoked ones too."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        return [row for row in await book.list_identities() if row.role == role]


def _check_out(out: Path, key: str) -> None:
    if (out / key).exists():
        raise HomeError("already-exists", f"{out / key} exists and would be lost; choose another folder.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        out.chmod(0o700)
    except OSError as error:
        raise HomeError("invalid-value", f"{out} cannot be written: {error.strerror}.") from error


def _copy_authority(home: homes.Home, out: Path) -> None:
    write(out / "ca.crt", (home.pki / "device-ca.crt").read_bytes(), 0o644)


def _listed(known: set[str]) -> str:
    return ", ".join(sorted(known)) or "none"
