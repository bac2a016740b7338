"""Erases a home from this machine: a mark first, then the keys, then all else, the mark last.

Whatever interrupts it, it is begun again and finishes: nothing may be asked of a home of which half is left.
"""

import glob
import secrets
import shutil
from pathlib import Path

from deploy.archives import backup, scratch
from deploy.folder import unfinished
from deploy.pki.files import sync, write

_KEYS_FIRST = ("vault", "signer", "pki", "secrets", "mosquitto", "data", "parts", "services", "agents")
"""Without its keys nothing of what is left is worth anything to whoever finds it."""
_MOMENT = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]"
_OF_A_HOME = ("home.toml", unfinished.RESET, "pki", "vault", "data")


def begun(var: Path) -> bool:
    """Whether somebody began to erase this home and did not come to an end."""
    return (var / unfinished.RESET).exists()


def folders(var: Path) -> list[Path]:
    """Everything on this machine that is of this home: the signer's folder first, the home's own last.

    Also what restoring put aside, or left half done: it has the same keys.
    """
    apart = [backup.place(var, name) for name in backup.APART]
    names = [f"{glob.escape(var.name)}.erasing-*"]
    for folder in (var, *apart):
        name = glob.escape(folder.name)
        names += [f"{name}.before-{_MOMENT}", f".{name}.restoring-*", f".{name}-????????"]
    found = [path for name in names for path in sorted(var.parent.glob(name)) if _is_of_a_home(path)]
    apart.append(var.with_name(f"{var.name}-upgrade"))  # a copy of the home as it was before, where one was cut off
    return [*filter(Path.is_dir, apart), *found, var]


def erase(var: Path) -> list[Path]:
    """Erase it; the folders that were emptied or taken away. It must not run. Raises OSError.

    The folders of the home and of its signer stay, empty: they may be disks of their own, and their owner is right.
    """
    write(var / unfinished.RESET, b"homesystem factory-reset was begun here; run it again.\n", 0o600)
    found = folders(var)
    for number, folder in enumerate(found):
        if folder in (var, signer_of(var)):
            _empty(folder, but=unfinished.RESET if folder == var else None)
            continue
        # Under a name that says so: of what is half gone nobody could tell any more whose it was.
        named = folder
        if not folder.match("*.erasing-*"):
            named = folder.rename(var.with_name(f"{var.name}.erasing-{number}-{secrets.token_hex(4)}"))
        shutil.rmtree(named)
        sync(var.parent)
    for prefix in (scratch.OPENED, scratch.VERIFY, scratch.FETCHED):
        scratch.clear(var.parent, prefix)
    (var / unfinished.RESET).unlink()
    sync(var)
    return found


def _is_of_a_home(path: Path) -> bool:
    """Not only by its name: another's folder may be called alike."""
    if path.is_symlink() or not path.is_dir():
        return False
    return ".erasing-" in path.name or any((path / name).exists() for name in _OF_A_HOME)


def signer_of(var: Path) -> Path:
    """Where the signer of that home has the authorities' keys, if it has a user of its own."""
    return backup.place(var, backup.SIGNER)


def _empty(folder: Path, *, but: str | None) -> None:
    """Every entry but the mark, the keys first; links are taken away and not followed."""
    order = {name: place for place, name in enumerate(_KEYS_FIRST)}
    for path in sorted(folder.iterdir(), key=lambda path: (order.get(path.name, len(order)), path.name)):
        if path.name == but:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        sync(folder)
