"""A folder as a target, on a disk that is mounted: an external drive, or a share of another machine."""

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

from deploy.pki import files
from shared.words.problem import HomeError

T = TypeVar("T")
_BEGUN = ".homesystem*.new"


class FolderTarget:
    """See targets.Target."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def names(self) -> set[str]:
        """What lies there; nothing where the folder is not there."""
        with self._reached():
            return {path.name for path in self._folder.iterdir() if path.is_file()} if self._folder.is_dir() else set()

    def write(self, name: str, content: bytes) -> None:
        """Something small, in the place of what was called so."""
        with self._reached():
            files.write(self._folder / name, content, 0o600)

    def read(self, name: str) -> bytes:
        """Something small."""
        with self._reached():
            return (self._folder / name).read_bytes()

    def make(self, name: str, write: Callable[[Path], T]) -> T:
        """By the writer itself, which works under another name until all is there."""
        return write(self._folder / name)

    def fetch(self, name: str, into: Path) -> None:
        """Copy a file from there."""
        with self._reached():
            shutil.copyfile(self._folder / name, into)

    def remove(self, names: Collection[str]) -> None:
        """Take files away."""
        with self._reached():
            for name in names:
                (self._folder / name).unlink(missing_ok=True)
            files.sync(self._folder)

    def tidy(self) -> None:
        """Take away what an interrupted write left."""
        with self._reached():
            for path in self._folder.glob(_BEGUN):
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise HomeError("not-found", f"{error.filename} is not there.") from error
        except OSError as error:
            raise HomeError(
                "no-proof",
                f"The backups' target {self.name} cannot be used: {error.strerror or error}. See whether its disk is "
                "plugged in, mounted and has room.",
            ) from error
