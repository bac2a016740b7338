"""A checkout of git: the newer commit, and what is there with its environment, to go back to without a network."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from deploy.upgrading import copying
from deploy.upgrading.place import Place, UpgradeError, run, say, shown

_LENGTH = "--short=12"


def newer(place: Place) -> Path:
    """The file that says which commit is the newer one."""
    return place.state / "newer"


def former(place: Place) -> Path:
    """The file that says which commit was there; its environment lies beside it."""
    return place.state / "former"


def _kept(place: Place) -> Path:
    return place.state / "venv"


def installed(place: Place) -> str:
    """The commit that is there, by its beginning."""
    return _git(place, "rev-parse", _LENGTH, "HEAD")


def fetch(place: Place, files: Sequence[Path]) -> str:
    """Fetch what is newer; the commit, by its beginning, "" where there is none.

    Raises UpgradeError where a file is named, where the checkout was changed, or went another way than its origin.
    """
    if files:
        raise UpgradeError(f"{place.code} came from git: leave the file out, or install it by apt")
    if changed := _git(place, "status", "--porcelain", "--untracked-files=no"):
        names = ", ".join(line.split(None, 1)[1] for line in changed.splitlines()[:5])
        raise UpgradeError(f"{place.code} was changed here ({names}): put that away first, as by git stash")
    shown(["git", *_as(place), "fetch", "--quiet"])
    after = _git(place, "rev-parse", _LENGTH, "@{upstream}")
    here = installed(place)
    if after == here or _is_ahead(place, "@{upstream}", "HEAD"):
        return ""
    if not _is_ahead(place, "HEAD", "@{upstream}"):
        raise UpgradeError(f"{place.code} has commits of its own beside {after}: bring them together by git first")
    newer(place).write_text(after)
    return after


def _is_ahead(place: Place, one: str, other: str) -> bool:
    """Whether `other` has all that `one` has."""
    return _git(place, "merge-base", one, other) == _git(place, "rev-parse", one)


def check(_place: Place) -> None:
    """Git has what it needs by now; what its environment needs comes when it is installed."""


def needed(place: Place) -> int:
    """How much the newer environment may take besides, in bytes."""
    return copying.size(place.code / ".venv")


def taken(place: Place) -> int:
    """How much is kept to go back to."""
    return copying.size(place.code / ".venv")


def repack(place: Place) -> None:
    """Keep the environment, since an index of programs need not answer when one goes back."""
    part = place.state / ".venv.part"
    for folder in (part, _kept(place)):
        shutil.rmtree(folder, ignore_errors=True)
    run(["cp", "-a", "--reflink=auto", place.code / ".venv", part])
    former(place).write_text(_git(place, "rev-parse", "HEAD"))
    part.rename(_kept(place))
    os.sync()


def install(place: Place, *, again: bool) -> None:
    """The newer commit, and all that follows it. Raises UpgradeError."""
    _unlock(place, again=again)
    _git(place, "reset", "--hard", "--quiet", newer(place).read_text())
    shown([place.code / "deploy" / "install.sh", place.kind])


def reinstall(place: Place) -> None:
    """The former commit with its environment, and all that follows it. Raises UpgradeError."""
    say("Putting the former version back …")
    _unlock(place, again=True)
    _git(place, "reset", "--hard", "--quiet", former(place).read_text())
    venv = place.code / ".venv"
    shutil.rmtree(venv, ignore_errors=True)
    run(["cp", "-a", "--reflink=auto", _kept(place), venv])
    shown([place.code / "deploy" / "install.sh", place.kind])


def _unlock(place: Place, *, again: bool) -> None:
    """One that was killed amid a change left a lock behind; nobody else works in a checkout that is root's."""
    if again:
        (place.code / ".git" / "index.lock").unlink(missing_ok=True)


def forget(place: Place) -> None:
    """Delete what was only for this upgrade."""
    for path in (newer(place), former(place)):
        path.unlink(missing_ok=True)
    for folder in (place.state / ".venv.part", _kept(place)):
        shutil.rmtree(folder, ignore_errors=True)


def _as(place: Place) -> tuple[str, ...]:
    return ("-c", f"safe.directory={place.code}", "-C", str(place.code))


def _git(place: Place, *words: str) -> str:
    return run(["git", *_as(place), *words]).strip()
