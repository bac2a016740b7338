"""The household's key: made once, kept off the hub, and found again where something is to be opened."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from deploy.archives import sealing
from deploy.archives.plan import Plan
from deploy.archives.sealing import Key
from deploy.pki.files import sync
from shared.words.problem import HomeError

BESIDE = "homesystem-key*.age"
"""Keys under their passphrase, as they lie beside the archives that they open."""
_TRIES = 3
Ask = Callable[[str], str]


def ask(question: str) -> str:
    """A passphrase from the terminal, which does not show it; from a pipe its next line. Never from the command line,
    which everybody on the machine reads. Raises HomeError("invalid-value") where there is none.
    """
    if sys.stdin.isatty():
        return getpass.getpass(f"{question}: ")
    if not (line := sys.stdin.readline()):
        raise HomeError("invalid-value", f"{question}: there is no terminal to ask at, and nothing on the pipe.")
    return line.rstrip("\r\n")


def ask_new() -> str:
    """A passphrase for a new key, asked twice. Raises HomeError("invalid-value") where it is soon guessed."""
    from auth_service.people import password_policy
    from auth_service.people.password_form import canonical

    first = ask("Passphrase for the key of the backups")
    if len(first) < sealing.LEAST_LETTERS:
        raise HomeError(
            "invalid-value",
            f"The passphrase is too short: {sealing.LEAST_LETTERS} characters or more, such as four words that have "
            "nothing to do with one another. Whoever gets hold of the backups can try as many as they like.",
        )
    try:
        password_policy.check(first, email="", name="")
    except HomeError as error:
        told = error.detail.replace("password", "passphrase")
        raise HomeError("invalid-value", told) from None
    if sys.stdin.isatty() and canonical(first) != canonical(ask("Again")):
        raise HomeError("invalid-value", "The two are not the same; nothing was made.")
    return first


def write(path: Path, content: bytes) -> None:
    """A key file: whole or not at all, its owner's alone, and never over another. Raises HomeError: already-exists."""
    if path.exists():
        raise HomeError("already-exists", f"{path} exists, and may be the key of older backups; name another file.")
    begun = path.with_name(f".{path.name}.new")
    begun.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        begun.replace(path)
        sync(path.parent)
    except OSError as error:
        raise HomeError("no-proof", f"{path} cannot be written: {error.strerror}.") from error
    finally:
        begun.unlink(missing_ok=True)


def read(path: Path, asked: Ask = ask) -> Key:
    """The key in a key file, whose passphrase is asked for where it has one. Raises HomeError("invalid-value")."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HomeError("invalid-value", f"{path}: the key cannot be read: {error.strerror}.") from error
    try:
        if not sealing.is_sealed(path):
            return sealing.key_of(content)
        return _unprotected([content], f"Passphrase of {path.name}", asked)[0]
    except HomeError as error:
        raise HomeError("invalid-value", f"{path}: {error.detail}.") from error


def at_hand(archive: Path, named: Path | None, plan: Plan, asked: Ask = ask) -> Iterator[Key]:
    """Keys that may open an archive: the one that is named, else those that lie beside it, else that of the plan.

    Raises HomeError("invalid-value") where there is none, or the passphrase is wrong.
    """
    if named is not None:
        yield read(named, asked)
        return
    beside = [path.read_bytes() for path in sorted(archive.parent.glob(BESIDE))]
    if not (known := beside or ([plan.key.encode()] if plan.key is not None else [])):
        raise HomeError(
            "invalid-value",
            f"{archive} is sealed: name the file of its key, which `homesystem backup key` wrote: --key FILE.",
        )
    yield from _unprotected(known, "Passphrase of the backups' key", asked)


def _unprotected(protected: Sequence[bytes], question: str, asked: Ask) -> list[Key]:
    """Those of several keys that one passphrase opens. Raises HomeError("invalid-value") where it opens none."""
    tries = _TRIES if sys.stdin.isatty() else 1
    while True:
        tries -= 1
        passphrase, found = asked(question), list[Key]()
        failure = HomeError("invalid-value", "no key")
        for one in protected:
            try:
                found.append(sealing.unprotect(one, passphrase))
            except HomeError as error:
                failure = error
        if found:
            return found
        if tries == 0 or "age -d" in failure.detail:
            raise failure
        print(f"{failure.detail.capitalize()}.", file=sys.stderr)
