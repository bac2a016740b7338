"""A folder on another machine as a target, by Debian's own `sftp`: with a key of its own, in batch, and never blindly.

What the other machine's key is was confirmed once, when the target was set up; another one is refused. Nothing of the
person's own configuration of ssh counts.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple, TypeVar

from deploy.pki.files import write
from shared.words.problem import HomeError

T = TypeVar("T")
KEY, HOSTS = "sftp-key", "sftp-hosts"
_ADDRESS = re.compile(
    r"sftp://(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[A-Za-z0-9_./@+-]*)?"
)
_SECONDS = 20
_WHOLE_SECONDS = 6 * 3600
_BEGUN = ".homesystem-begun-"


class Address(NamedTuple):
    """Where it is. `path` is from the account's own folder where it does not begin with a slash."""

    user: str
    host: str
    port: int
    path: str


def address(text: str) -> Address:
    """sftp://user@host[:port]/folder: the folder is one of the account's own; // in place of / begins at the root.

    Raises HomeError("invalid-value").
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or any(part == ".." or part.startswith("-") for part in (match["path"] or "").split("/")):
        raise HomeError("invalid-value", f"{text} is no target: write sftp://USER@HOST/FOLDER, or …@HOST:PORT/FOLDER.")
    path = (match["path"] or "/")[1:].rstrip("/") or "."
    return Address(match["user"], match["host"].strip("[]"), int(match["port"] or 22), path)


class SftpTarget:
    """See targets.Target. `folder` has the key and the known hosts; what is sent is made there first."""

    def __init__(self, where: str, folder: Path) -> None:
        self.name = where
        self._at = address(where)
        self._folder = folder

    def names(self) -> set[str]:
        """What lies there; nothing where the folder is not there."""
        try:
            said = self._batch(f"cd {self._at.path}", "ls -1a")
        except HomeError as error:
            if error.slug == "not-found":
                return set()
            raise
        return {line.strip().rsplit("/", 1)[-1] for line in said.splitlines() if not line.startswith("sftp>")}

    def write(self, name: str, content: bytes) -> None:
        """Something small, in the place of what was called so."""
        self.make(name, lambda path: write(path, content, 0o600))

    def read(self, name: str) -> bytes:
        """Something small."""
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=_BEGUN) as work:
            self.fetch(name, Path(work) / "read")
            return (Path(work) / "read").read_bytes()

    def make(self, name: str, write: Callable[[Path], T]) -> T:
        """First here, then there under another name: `sftp` sends no more than files, and what is cut off is none."""
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=_BEGUN) as work:
            made = write(Path(work) / name)
            begun = f".{name}.new"
            # The rename of OpenSSH takes the place of what is there, whole, where the server can (posix-rename).
            self._batch(
                f"cd {self._at.path}",
                f"put {Path(work) / name} {begun}",
                f"chmod 600 {begun}",
                f"rename {begun} {name}",
            )
            return made

    def fetch(self, name: str, into: Path) -> None:
        """Copy a file from there."""
        self._batch(f"cd {self._at.path}", f"get {name} {into}")

    def remove(self, names: Collection[str]) -> None:
        """Take files away."""
        if names:
            self._batch(f"cd {self._at.path}", *(f"-rm {name}" for name in names))

    def tidy(self) -> None:
        """Take away what an interrupted write left."""
        for left in self._folder.glob(f"{_BEGUN}*"):  # one command at a time makes backups (plan.alone)
            shutil.rmtree(left, ignore_errors=True)
        self._batch(f"cd {self._at.path}", "-rm .homesystem*.new")

    def lay_out(self) -> None:
        """Make the folder there, unless it is."""
        self._batch(f"-mkdir {self._at.path}", f"cd {self._at.path}")

    def _batch(self, *orders: str) -> str:
        """What the orders print. Raises HomeError: not-found (a file or folder there), no-proof."""
        at = self._at
        options = [
            *("-F", "none", "-b", "-", "-P", str(at.port), "-i", str(self._folder / KEY)),
            *(f"-o{one}" for one in _options(self._folder)),
        ]
        host = f"[{at.host}]" if ":" in at.host else at.host
        try:
            done = subprocess.run(  # noqa: S603 - the address has the form that is checked above
                [_program("sftp"), *options, f"{at.user}@{host}"],
                input="".join(f"{order}\n" for order in orders),
                capture_output=True,
                text=True,
                check=False,
                timeout=_WHOLE_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise HomeError("no-proof", f"{self.name} took longer than six hours, and was given up.") from error
        if done.returncode == 0:
            return done.stdout
        told = " ".join(done.stderr.split()) or f"sftp ended with {done.returncode}"
        if "No such file" in told or "not found" in told:
            raise HomeError("not-found", f"{self.name}: {told}")
        raise HomeError("no-proof", f"{self.name} cannot be used: {_explained(told)}")


def make_key(folder: Path) -> str:
    """The public half of the key that we come with, made where there is none, as one line for authorized_keys."""
    path = folder / KEY
    if not path.with_suffix(".pub").exists():
        path.unlink(missing_ok=True)
        words = ["-q", "-t", "ed25519", "-N", "", "-C", "homesystem-backup", "-f", str(path)]
        done = subprocess.run([_program("ssh-keygen"), *words], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise HomeError("internal", f"ssh-keygen: {done.stderr.strip()}")
    return path.with_suffix(".pub").read_text().strip()


def host_keys(at: Address) -> bytes:
    """What the other machine says its keys are: to be believed once a person has confirmed `fingerprints`."""
    words = ["-T", str(_SECONDS), "-p", str(at.port), at.host]
    done = subprocess.run([_program("ssh-keyscan"), *words], capture_output=True, check=False)  # noqa: S603
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(b"#")]
    if not lines:
        told = " ".join(done.stderr.decode(errors="replace").split())
        raise HomeError("no-proof", f"{at.host} does not answer at port {at.port}{f': {told}' if told else ''}.")
    return b"\n".join(sorted(lines)) + b"\n"


def fingerprints(keys: bytes) -> list[str]:
    """How ssh shows such keys: `SHA256:… (ED25519)`."""
    words = [_program("ssh-keygen"), "-l", "-f", "-"]
    done = subprocess.run(words, input=keys, capture_output=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise HomeError("no-proof", f"ssh-keygen: {done.stderr.decode(errors='replace').strip()}")
    return [f"{line.split()[1]} {line.split()[-1]}" for line in done.stdout.decode().splitlines()]


def is_trusted(folder: Path, keys: bytes) -> bool:
    """Whether these are the keys that were confirmed for their machine, all of them and no others."""
    return sorted([*_of_others(folder, keys), *keys.splitlines()]) == sorted(_confirmed(folder))


def trust(folder: Path, keys: bytes) -> None:
    """From now on the other machine is the one that has these keys. Machines beside it are trusted as before."""
    write(folder / HOSTS, b"\n".join([*_of_others(folder, keys), *keys.splitlines()]) + b"\n", 0o600)


def _of_others(folder: Path, keys: bytes) -> list[bytes]:
    hosts = {line.split()[0] for line in keys.splitlines()}
    return [line for line in _confirmed(folder) if line.split()[0] not in hosts]


def _confirmed(folder: Path) -> list[bytes]:
    known = folder / HOSTS
    return [line for line in known.read_bytes().splitlines() if line.strip()] if known.exists() else []


def _options(folder: Path) -> tuple[str, ...]:
    return (
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={folder / HOSTS}",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        f"ConnectTimeout={_SECONDS}",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    )


def _explained(told: str) -> str:
    if "Host key verification failed" in told or "IDENTIFICATION HAS CHANGED" in told:
        return (
            "its key is not the one that was confirmed. It may be another machine that poses as it. If you have set it "
            "up anew, confirm it once more with homesystem backup target."
        )
    if "Permission denied" in told:
        return f"it does not let us in ({told}). Our public key has to stand there in ~/.ssh/authorized_keys."
    return told


def _program(name: str) -> str:
    if (found := shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")) is None:
        raise HomeError("no-proof", f"{name} is not here: sudo apt-get install openssh-client")
    return found
