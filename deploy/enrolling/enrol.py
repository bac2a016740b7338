"""Enrols and revokes rooms and trusted clients: name, certificate and rights in one go, with the audit event first.

Each may be interrupted anywhere and is finished by a second try; one at a time, so that two tries never mix.
"""

import contextlib
import os
import re
from pathlib import Path

from auth_service import config as auth_config
from auth_service.home.identity_rows import IdentityRole, IdentityRow, check_name
from auth_service.hub import accounts, named
from auth_service.hub.accounts import Accounts
from deploy.allowing import rights
from deploy.enrolling import room_file
from deploy.enrolling.opening import DeviceRef
from deploy.folder import home as homes
from deploy.live_broker import broker, taking_up
from deploy.pki.files import write
from device_agents.joining.room_file import NAME as ROOM_FILE
from shared.keeping import disks
from shared.running.config import ConfigError
from shared.words import topics
from shared.words.problem import HomeError

_REF = re.compile(r"([a-z][a-z0-9-]{0,31})/([a-z][a-z0-9-]{0,31})")
_UNFINISHED = ".enrolling"
"""In the folder of a certificate whose enrolment is not finished; holds the name."""


def device_ref(text: str) -> DeviceRef:
    """`hall/lamp` as room and device. Raises HomeError("invalid-value")."""
    match = _REF.fullmatch(text)
    if match is None:
        raise HomeError("invalid-value", f"{text!r} is no device; write ROOM/DEVICE, such as hall/lamp.")
    return match[1], match[2]


async def unheard(home: homes.Home, may: list[DeviceRef]) -> tuple[str, ...]:
    """Those of which nobody knows yet whether they are there, as `hall/lamp`: their room never came up.

    Raises HomeError where one is not there: not-found (its room), unknown-device.
    """
    return await named.check_places(auth_config.read(home.config("auth")), ("/".join(device) for device in may))


async def add_client(home: homes.Home, name: str, may: list[DeviceRef], out: Path) -> None:
    """Enrol a trusted client; writes ca.crt, client.crt and client.key to `out`.

    Raises HomeError: invalid-value, already-exists, broker-unreachable (nothing is done), and as `unheard` does.
    """
    with homes.turn(home.var, f"homesystem client add {name}") as home:
        await unheard(home, may)
        async with _book(home) as book:
            await _enrol(home, book, name, "client", rights.client_role(name, may), out)


async def add_room(home: homes.Home, name: str, out: Path | None) -> None:
    """Enrol a room; writes ca.crt, room.crt, room.key and room.toml to `out`, or into the home where it runs.

    Raises HomeError: invalid-value, already-exists, broker-unreachable (nothing is done).
    """
    with homes.turn(home.var, f"homesystem room add {name}") as home:
        async with _book(home) as book:
            await _enrol(home, book, name, "room", rights.room_role(name), out)


async def renew(home: homes.Home, name: str, role: IdentityRole, out: Path) -> int:
    """Another certificate and key for a room or client that slept past its end, or is not ours: written to `out`.

    Its name, rights and history stay; what it had before is put on the revocation list, and its connection dropped.
    Returns how many were put there. May be repeated, as after an interruption. Raises HomeError: already-exists (a key
    that lies in `out`), broker-unreachable, and as `check_standing` does.
    """
    await check_standing(home, name, role)
    with homes.turn(home.var, f"homesystem {role} renew {name}") as home:
        _check_out(home, out, role, name, writes=(f"{role}.key", f"{role}.crt"))
        async with _book(home) as book:
            await book.renew_identity(name, role)
        authority = home.authority()
        write(out / _UNFINISHED, name.encode(), 0o600)
        (out / f"{role}.key").unlink(missing_ok=True)  # of a try that was interrupted
        authority.ensure_client(name, role, folder=out, stem=role)
        write(out / "ca.crt", (home.pki / "device-ca.crt").read_bytes(), 0o644)
        if role == "room":  # for a Pi that begins anew; one that has its own keeps that
            room_file.write_to(out, home, name)
        replaced = authority.replace(name)
        taking_up.reload(home)
        broker.drop(home, [name])
        (out / _UNFINISHED).unlink()
    return replaced


async def check_standing(home: homes.Home, name: str, role: IdentityRole) -> None:
    """Whether there is one to renew.

    Raises HomeError: not-found (no such room or client, or it was revoked), invalid-value (it has no rights to keep),
    broker-unreachable.
    """
    async with _book(home) as book:
        await book.check_standing(name, role)
    if not broker.standing(home, name).holds:
        what = "--may ROOM/DEVICE for each that it may use" if role == "client" else "which prints a line"
        raise HomeError(
            "invalid-value",
            f"The {role} {name} was never given its rights at the broker: its enrolment was interrupted, and another "
            f"certificate would let it do nothing. This finishes it: homesystem {role} add {name}, {what}.",
        )


async def revoke(home: homes.Home, name: str, role: IdentityRole) -> bool:
    """Take a room's or client's name, certificate, rights and connection; False where no broker runs to drop one.

    A second try does every step anew. Raises HomeError: not-found, broker-unreachable or internal when it is not known
    that the connection is gone, which is said in the words that a person needs then.
    """
    with homes.turn(home.var, f"homesystem {role} revoke {name}") as home:
        unwritten, left = await _take_back(home, name, role)
        try:
            try:
                # First the handshake, then the rights and the connection: a dropped client knocks again at once.
                home.authority().revoke(name)
                taking_up.reload(home)
            finally:  # whatever keeps it from the list, or the list from the broker, it loses rights and connection
                dropped = broker.shut_out(home, name, left=left, is_room=role == "room")
        except (HomeError, ConfigError, OSError) as error:
            is_revoked = "its name is revoked, but " if unwritten is None else ""
            raise _not_yet(
                f"{name} is NOT SHUT OUT YET: {is_revoked}it may still be connected and have its rights, or be let in "
                "again",
                f"homesystem {role} revoke {name}",
                error,
                "; restarting the broker drops every connection at once",
            ) from error
        if unwritten is not None:
            raise _not_yet(
                f"{name} is shut out of the broker, and its name is NOT REVOKED YET, so that it may come back",
                f"homesystem {role} revoke {name}",
                unwritten,
            ) from unwritten
        return dropped


async def _take_back(
    home: homes.Home, name: str, role: IdentityRole
) -> tuple[HomeError | ConfigError | None, frozenset[str]]:
    """Take the name in the accounts; why that is not written, and where a room may have left something retained.

    Neither a full disk nor torn accounts keep a thief connected: where these cannot be opened, the authority's word is
    enough that there is such a one. Raises HomeError, ConfigError where nobody knows of one.
    """
    try:
        async with _book(home) as book:
            if not any(row.name == name and row.role == role for row in await book.list_identities()):
                raise HomeError("not-found", f"There is no {role} {name}; `homesystem {role} list` names them all.")
            unwritten = None
            try:
                await book.revoke_identity(name)
            except HomeError as error:
                unwritten = error
            return unwritten, _topics(name, await book.devices_of(name)) if role == "room" else frozenset()
    except (HomeError, ConfigError) as error:
        if (isinstance(error, HomeError) and error.slug == "not-found") or not _is_certified(home, name, role):
            raise
        return error, frozenset()


def _is_certified(home: homes.Home, name: str, role: IdentityRole) -> bool:
    """Whether it has a certificate that still counts, which the authority knows without the accounts."""
    return any((end.name, end.role) == (name, role) for end in home.authority().authorities.ends())


def _not_yet(what: str, again: str, error: HomeError | ConfigError | OSError, more: str = "") -> HomeError:
    told = error.detail.removesuffix(".") if isinstance(error, HomeError) else str(error)
    if isinstance(error, OSError):
        told = disks.fault(error) or told
    slug = error.slug if isinstance(error, HomeError) else "internal"
    return HomeError(slug, f"{what}. {told[:1].upper()}{told[1:]}. Mend that and run `{again}` again{more}.")


async def call_off(home: homes.Home, name: str, role: IdentityRole) -> bool:
    """End the line or code that was shown for a new name before anybody came; False where none was.

    The name stays free. Raises HomeError("no-proof").
    """
    with homes.turn(home.var, f"homesystem {role} revoke {name}") as home:
        async with contextlib.AsyncExitStack() as end:
            try:
                book = await end.enter_async_context(_book(home))
            except (HomeError, ConfigError):
                return False  # `revoke` finds it out as well, and shuts out all the same whom it can
            if any(row.name == name for row in await book.list_identities()):
                return False  # there is more to take away
            return await book.close_window(name, role)


async def identities(home: homes.Home, role: str) -> list[IdentityRow]:
    """Every room or client that was ever enrolled, revoked ones too."""
    async with _book(home) as book:
        return [row for row in await book.list_identities() if row.role == role]


def _book(home: homes.Home) -> "contextlib.AbstractAsyncContextManager[Accounts]":
    return accounts.opened(auth_config.read(home.config("auth")))


async def _enrol(
    home: homes.Home, book: Accounts, name: str, role: IdentityRole, may: rights.Role, out: Path | None
) -> None:
    """The name first, with its proof; the rights last, so that whoever has them is enrolled."""
    check_name(name, role)
    # Asked before anything is changed, so that an enrolment is not even begun while the broker is not to be had.
    holds = broker.standing(home, name).holds
    known = {row.name: row for row in await book.list_identities()}.get(name)
    unfinished = known is not None and known.role == role and known.revoked_at is None and not holds
    if out is not None and (known is None or unfinished):
        more = (ROOM_FILE,) if role == "room" else ()
        _check_out(home, out, role, name, writes=(f"{role}.key", f"{role}.crt", *more))
    if not unfinished:
        await book.enrol_identity(name, role)
    else:
        await book.resume_identity(name, role)
        if out is not None:
            (out / f"{role}.key").unlink(missing_ok=True)
    if out is None:
        home.authority().ensure_client(name, role)
    else:
        write(out / _UNFINISHED, name.encode(), 0o600)
        home.authority().ensure_client(name, role, folder=out, stem=role)
        if unfinished and home.authority().replace(name):
            # A key of the first try may lie anywhere, and is worth nothing from now on.
            taking_up.reload(home)
        write(out / "ca.crt", (home.pki / "device-ca.crt").read_bytes(), 0o644)
        if role == "room":
            room_file.write_to(out, home, name)
    broker.grant(home, may)
    if out is not None:
        (out / _UNFINISHED).unlink()


def _check_out(home: homes.Home, out: Path, role: str, name: str, *, writes: tuple[str, ...]) -> None:
    """A folder of its own, made for nobody else to read; one that exists is left as it is, with all that lies in it."""
    mark, ca = out / _UNFINISHED, out / "ca.crt"
    try:
        if not (mark.exists() and mark.read_text() == name):
            lost = [file for file in writes if (out / file).exists()]
            if ca.exists() and ca.read_bytes() != (home.pki / "device-ca.crt").read_bytes():
                lost.append(ca.name)
            if lost:
                text = f"{out} holds {', '.join(lost)}, which would be lost; choose another folder for {role} {name}."
                raise HomeError("already-exists", text)
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeError("invalid-value", f"{out} cannot be written: {error.strerror}.") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise HomeError("invalid-value", f"{out} cannot be written: it is not ours; choose another folder.")


def _topics(room: str, devices: tuple[str, ...]) -> frozenset[str]:
    """Where a room may have left something retained."""
    builds = (topics.state, topics.acknowledgement, topics.event)
    of_devices = (build(room, device) for device in devices for build in builds)
    return frozenset([*of_devices, topics.description(room), topics.availability(room), topics.room_file(room)])
