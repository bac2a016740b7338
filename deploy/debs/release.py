"""What lies beside the packages for whoever gets them elsewhere: one file with all hashes, and whose word it is."""

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

SUMS = "SHA256SUMS"
NAMESPACE = "home-system"
"""What a signature is for: one of another kind of file by the same key is none of these."""


class SigningError(Exception):
    """The hashes could not be signed; the message has ssh-keygen's last words."""


def sum_up(folder: Path, files: Iterable[Path]) -> Path:
    """Write the hashes of these files of a folder, as `sha256sum --check` reads them; a former signature goes."""
    path = folder / SUMS
    signature(path).unlink(missing_ok=True)
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    path.write_text("".join(lines))
    return path


def sign(path: Path, key: Path) -> Path:
    """Sign a file with somebody's SSH key, or its public half where an agent or a stick has the other. Raises
    SigningError.

    OpenSSH is on every Debian, and the key is one that a person has already.
    """
    target = signature(path)
    target.unlink(missing_ok=True)
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0 or not target.exists():
        raise SigningError(f"{path} is not signed with {key}: {' / '.join(done.stderr.strip().splitlines()[-2:])}")
    return target


def signature(path: Path) -> Path:
    """Where a file's signature lies."""
    return path.with_name(f"{path.name}.sig")
