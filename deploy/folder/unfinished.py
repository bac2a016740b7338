"""A home in the making: from its first file until it is whole, `home.toml.unfinished` stands for `home.toml`.

Whoever was stopped in between begins anew: nobody has seen what they made, and it may be of other answers.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from deploy.pki.files import sync, write
from shared.running.config import ConfigError

NAME = "home.toml.unfinished"
RESET = "factory-reset.unfinished"
"""Stands in a home that somebody began to erase."""
_PRECIOUS = (
    "pki/ca",
    "signer/vault",
    "data",
    "secrets",
    *(f"{folder}/{part}/data" for folder in ("parts", "services") for part in ("auth", "alerts")),
)
"""What no other home has: never taken for a beginning unless the mark says so."""


def check(var: Path) -> None:
    """Raises ConfigError where no new home may be made in `var`. Writes nothing."""
    check_reset(var)
    if (var / "home.toml").exists():
        raise ConfigError(
            f"{var}: there is a home here already; `homesystem doctor` looks at it, `homesystem rename` gives the hub "
            "another name, the other settings stand in its *.toml. For a second home set HOMESYSTEM_VAR to another "
            "folder"
        )
    if not (var / NAME).exists() and (kept := [name for name in _PRECIOUS if any(_inside(var / name))]):
        raise ConfigError(
            f"{var}: {' and '.join(kept)} of a home lie here, and its home.toml does not; bring that back from a "
            "backup, or choose another folder with HOMESYSTEM_VAR (if no home was ever finished here, take them away)"
        )


def check_reset(var: Path) -> None:
    """Raises ConfigError where somebody began to erase the home: what is left of it serves nobody."""
    if (var / RESET).exists():
        raise ConfigError(f"{var}: this home is being erased; run `homesystem factory-reset` again, which finishes it")


def begin(var: Path, content: bytes, remains: Iterable[str]) -> None:
    """Begin a home whose `home.toml` will be `content`, with nothing left of an earlier try: of `remains`, files and
    folders of the home. Raises ConfigError as `check` does.
    """
    check(var)
    # The mark first: whatever comes after it may be taken away again.
    write(var / NAME, content, 0o644)
    for name in remains:
        path = var / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def finish(var: Path) -> None:
    """From now on there is a home here."""
    (var / NAME).replace(var / "home.toml")
    sync(var)


def _inside(folder: Path) -> Iterable[Path]:
    return folder.iterdir() if folder.is_dir() else ()
