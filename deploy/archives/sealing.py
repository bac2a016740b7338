"""Archives that only the household can read: age, by an X25519 key that the hub does not have.

What is sealed streams through, however large it is. The format is that of age-encryption.org/v1, so that any program
named age opens it, with the same key file.
"""

import base64
import contextlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import pyrage
from pyrage import passphrase as passphrases
from pyrage import x25519

from shared.words.problem import HomeError

SUFFIX = ".age"
LEAST_LETTERS = 12
"""Of a passphrase: what it protects may lie where strangers take it away, and try in peace."""
_MAGIC, _ARMOUR = b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----"
_BEGINNING = "AGE-SECRET-KEY-1"
_EXCESSIVE = "work parameter"
_MEASURED, _ASKED = 3, 40


class Key:
    """The household's key: who has it opens what was sealed for `recipient`."""

    def __init__(self, identity: x25519.Identity) -> None:
        self._identity = identity

    @property
    def recipient(self) -> str:
        """The public half: whoever has it can seal, and open nothing."""
        return str(self._identity.to_public())

    def written(self) -> bytes:
        """The key file, as `age-keygen` writes one."""
        told = "# The key of a Home System's backups. Whoever has it reads them; without it nobody does.\n"
        return f"{told}# public key: {self.recipient}\n{self._identity}\n".encode()

    def open(self, sealed: IO[bytes], plain: IO[bytes]) -> None:
        """Write what is in `sealed` to `plain`, which is of no use before this has returned.

        Raises HomeError("invalid-value") where the key is another one, or what is sealed is not whole; OSError.
        """
        try:
            pyrage.decrypt_io(sealed, plain, [self._identity])
        except pyrage.DecryptError as error:
            raise HomeError("invalid-value", "it is sealed for another key, or damaged at its beginning") from error
        except OSError as error:
            if error.errno is not None:  # of the disk, and not of what is sealed
                raise
            raise HomeError("invalid-value", "it was cut off or changed") from error


def new_key() -> Key:
    """One that nobody ever had."""
    return Key(x25519.Identity.generate())


def key_of(text: bytes) -> Key:
    """The key in a key file that no passphrase protects. Raises HomeError("invalid-value")."""
    for line in text.decode(errors="replace").splitlines():
        if line.strip().upper().startswith(_BEGINNING):
            try:
                return Key(x25519.Identity.from_str(line.strip()))
            except pyrage.IdentityError as error:
                raise HomeError("invalid-value", f"the key in it cannot be used: {error}") from error
    raise HomeError("invalid-value", "there is no key in it")


def is_sealed(path: Path) -> bool:
    """Whether a file is one of age's, as text or not. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_ARMOUR)).startswith((_MAGIC, _ARMOUR))


def protect(key: Key, passphrase: str) -> bytes:
    """The key file under a passphrase, as text; made as dear to try as this machine can bear.

    How fast that is the library measures each time, and takes a busy moment for a slow machine: the dearest counts.
    """
    made: list[bytes] = [passphrases.encrypt(key.written(), passphrase, armored=True) for _ in range(_MEASURED)]
    return max(made, key=_work)


def unprotect(text: bytes, passphrase: str) -> Key:
    """The key under a passphrase. Raises HomeError("invalid-value") for a wrong one."""
    # A busy moment is taken for a slow machine, and the work is refused before it is begun: it is asked once more.
    for further in range(_ASKED, -1, -1):
        try:
            return key_of(passphrases.decrypt(text, passphrase))
        except pyrage.DecryptError as error:
            if _EXCESSIVE not in str(error).casefold():
                raise HomeError("invalid-value", "that is not its passphrase") from error
            if further:
                continue
            raise HomeError(
                "invalid-value",
                "the passphrase was put to it by a faster machine than this one, which refuses the work; open it with "
                "`age -d` (Debian's package age), and give what that writes as --key",
            ) from error
    raise AssertionError("the last try ends it")


def _work(protected: bytes) -> int:
    """How often the work was doubled, by the file's own word (age-encryption.org/v1, the scrypt recipient)."""
    body = b"".join(protected.split(b"\n")[1:-2])
    found = re.search(rb"-> scrypt \S+ (\d+)\n", base64.b64decode(body))
    return int(found[1]) if found is not None else 0


def check_recipient(recipient: str) -> None:
    """Raises HomeError("invalid-value") where nothing can be sealed for it."""
    try:
        x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise HomeError("invalid-value", f"{recipient} is no public key of age: {error}") from error


@contextlib.contextmanager
def sealed_into(file: IO[bytes], recipient: str | None) -> Iterator[IO[bytes]]:
    """Where to write what is to be sealed into `file` for a recipient; for none it is written as it is.

    Raises OSError where `file` takes no more.
    """
    if recipient is None:
        yield file
        return
    check_recipient(recipient)
    failures: list[BaseException] = []
    reading, writing = os.pipe()

    def seal() -> None:
        with os.fdopen(reading, "rb") as plain:
            try:
                pyrage.encrypt_io(plain, file, [x25519.Recipient.from_str(recipient)])
            except (pyrage.EncryptError, OSError) as error:
                failures.append(error)

    thread = threading.Thread(target=seal, name="sealing")
    thread.start()
    try:
        with os.fdopen(writing, "wb") as entrance:
            yield entrance
    except BrokenPipeError:
        thread.join()
        if not failures:
            raise
    finally:
        thread.join()
    if failures:
        raise OSError(str(failures[0]).removeprefix("OSError: ")) from failures[0]


def seal(content: bytes, recipient: str) -> bytes:
    """Something small, sealed."""
    check_recipient(recipient)
    sealed: bytes = pyrage.encrypt(content, [x25519.Recipient.from_str(recipient)])
    return sealed


def opened_by(keys: Iterable[Key], sealed: IO[bytes], plain: IO[bytes]) -> Key:
    """Open by the first of several keys that fits; which it was. Raises HomeError("invalid-value"), OSError."""
    failure = HomeError("invalid-value", "no key is at hand")
    for key in keys:
        sealed.seek(0)
        plain.seek(0)
        plain.truncate()
        try:
            key.open(sealed, plain)
        except HomeError as error:
            failure = error
        else:
            return key
    raise failure
