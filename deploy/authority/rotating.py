"""Lets another device authority follow the one that there is: small steps, each of which may be taken again.

The signer keeps how far it has come (deploy/pki/rotation.py); here the home's files and the broker are brought along,
in the one order in which nobody is refused: who is believed, then who shows certificates of the new one, then the
servers, and in the end who is believed no longer. To be called in the home's turn.
"""

import asyncio
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.authority import behind
from deploy.authority.behind import Behind
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.live_broker import broker, descriptions, taking_up
from deploy.pki import reading
from deploy.pki.files import sync, write
from deploy.pki.leaf import DEVICE_CA
from shared.running.config import ConfigError
from shared.trust.signing import Following
from shared.words.names import Severity
from shared.words.problem import HomeError

ENDING = "authority-ending.json"
"""In the home: who is cut off, from the decision that the former authority ends until that is done."""


class Left(NamedTuple):
    """A room or client that is cut off."""

    name: str
    role: str


class Standing(NamedTuple):
    """How far it has come, and who is behind; `ending`: it was decided that the former authority ends."""

    following: Following
    behind: list[Behind]
    ending: bool


def look(home: Home) -> Standing:
    """Where the home stands. Raises HomeError, ConfigError."""
    following = home.authority().authorities.following()
    left = behind.of(following, _told(home), _here(home)) if following.holders else []
    return Standing(following, left, ending=_ending(home) is not None)


def begin(home: Home) -> bool:
    """Have another authority sign for rooms, clients and the hub's own callers, which the servers believe by then.

    False where it does already, and where the end of the one before was only to be finished. Raises HomeError, also
    "no-proof": then nothing is begun.
    """
    if (left := _ending(home)) is not None:
        _end(home, left)
        return False
    authorities = home.authority().authorities
    if authorities.following().phase is None:
        _prove(home, "home:authority-followed")
        authorities.rotate("begin")
    return _bring_along(home)


def end(home: Home, *, without: Collection[str] = ()) -> list[Left]:
    """End the former authority; who is cut off by that.

    Raises HomeError("invalid-value") where none follows another, and where somebody is behind who is not named in
    `without`; then nothing is done.
    """
    standing = look(home)
    if standing.following.phase is None and not standing.ending:
        raise HomeError("invalid-value", "No authority follows another: there is nothing to end.")
    left = _ending(home)
    if left is None:
        if unnamed := [one.name for one in standing.behind if one.name not in without]:
            said = " ".join(f"--without {one.name}" for one in standing.behind)
            raise HomeError(
                "invalid-value",
                f"{', '.join(unnamed)} would be cut off; `homesystem authority list` says why. To end the former "
                f"authority all the same: homesystem authority rotate --finish {said}",
            )
        left = [Left(one.name, one.role) for one in standing.behind]
        write(home.var / ENDING, msgspec.json.encode(left), 0o600)
    _end(home, left)
    return left


def go_on(home: Home) -> bool:
    """What a daily timer does: finish what was interrupted, and end the former authority once everybody has followed.

    Whether the former authority ended just now. To be called once certificates were renewed, as that shows whether
    another follows.
    """
    if len(reading.certificates(home.pki / f"{DEVICE_CA}.crt")) == 1 and not (home.var / ENDING).exists():
        return False
    if _ending(home) is None:
        if home.authority().authorities.following().phase is None:
            return False
        _bring_along(home)
        if look(home).behind:
            return False
    end(home)
    return True


def _bring_along(home: Home) -> bool:
    """What follows from an authority that was made; False where it did."""
    authority = home.authority()
    # The lists first: of an authority without one the broker refuses everybody.
    authority.write_crl()
    authority.publish(DEVICE_CA)
    taking_up.reload(home)
    changed = authority.authorities.rotate("sign")
    homes.renew(home)
    taking_up.reload(home)
    return changed


def _end(home: Home, left: list[Left]) -> None:
    authorities = home.authority().authorities
    if authorities.following().phase is not None:
        _bring_along(home)
        authorities.rotate("serve")
        homes.renew(home)
        taking_up.reload(home)  # it sees that the broker serves the new one before there is no way back
        _prove(home, "home:authority-ended")
        authorities.rotate("end")
    homes.renew(home)
    taking_up.reload(home)
    # Also who has followed: somebody else may have come in under that name by what the former authority signed.
    broker.drop(home, sorted({one.name for one in left} | broker.others(home)))
    (home.var / ENDING).unlink(missing_ok=True)
    sync(home.var)


def note(home: Home, what: str, detail: dict[str, str] | None = None, *, severity: Severity | None = None) -> None:
    """Write down a step that no signer takes: its work is ours then. Raises HomeError("no-proof")."""

    async def write_down() -> None:
        async with accounts.opened(auth_config.read(home.config("auth"))) as book:
            await book.note_authority(what, detail, severity=severity)

    asyncio.run(write_down())


def _prove(home: Home, what: str) -> None:
    """The signer writes it down by itself; where none runs, its work is ours."""
    if home.signer() is None:
        note(home, what)


def _ending(home: Home) -> list[Left] | None:
    path = home.var / ENDING
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Left]) if path.exists() else None
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); remove it, then try again") from error


def _told(home: Home) -> dict[str, str | None]:
    return {room: told.certificate for room, told in descriptions.read(home).items()}


def _here(home: Home) -> set[str]:
    """Rooms that run on the hub: theirs is renewed with the hub's own."""
    follows = reading.certificates(home.pki / f"{DEVICE_CA}.crt")[0]
    files = [home.pki / f"{path.stem}.crt" for path in (home.var / "agents").glob("*.toml")]
    return {file.stem for file in files if file.exists() and reading.is_signed_by(reading.certificate(file), follows)}
