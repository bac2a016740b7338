"""Of the files of packages that somebody names, the one for this machine. Nothing is changed.

A commit has a package for each Debian, and the newer Debian's counts as the newer version; what tells them apart is the
Python that each asks for by name. It may be there though the Debian is another one, as after an upgrade of Debian.
"""

import contextlib
import functools
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.upgrading.place import Place, UpgradeError, run, say

QUIET = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
APT = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Get::Always-Include-Phased-Updates=true")


class _File(NamedTuple):
    """A package's file. `python`: the package of the interpreter that it asks for, empty where it asks for none."""

    path: Path
    package: str
    processor: str
    version: str
    python: str


class _Here(NamedTuple):
    """This machine. `release`: Debian's number, empty where it has none, as before a release."""

    package: str
    processor: str
    release: str


def chosen(place: Place, files: Sequence[Path]) -> Path:
    """The newest for this machine: a pattern in a shell names former files and those for another Debian, too.

    Raises UpgradeError where one is not there, or is no package, where none is for this machine, and where the one
    that is was cut off.
    """
    for file in files:
        if not file.is_file():
            raise UpgradeError(
                f"{file} is not there; name the package's file, or none to have apt look for a newer one"
            )
    here = _here(place)
    named = [_read(file) for file in files]
    ours = [one for one in named if (one.package, one.processor) == (here.package, here.processor)]
    ours.sort(key=functools.cmp_to_key(_order), reverse=True)
    best = next((one for one in ours if _is_for(here, one)), None) or next(filter(_is_had_by_apt, ours), None)
    if best is None:
        debian = f" and Debian {here.release}" if here.release else ""
        suffix = f"+deb{here.release}" if here.release else ""
        raise UpgradeError(
            f"{'this file is not' if len(named) == 1 else 'none of these files is'} for this machine: "
            f"{'; '.join(_told(here, one) for one in named)}. Needed is {here.package} for {here.processor}{debian}: "
            f"{here.package}_…{suffix}_{here.processor}.deb"
        )
    _ask(best.path, "--contents")  # unpacks all of it, before anything is stopped: a download may lack its end
    if len(files) > 1:
        say(f"Of these files it is {best.path}, the newest for this machine.")
    return best.path


def _here(place: Place) -> _Here:
    release = ""
    with contextlib.suppress(OSError):  # a machine that does not say what it is
        release = platform.freedesktop_os_release().get("VERSION_ID", "")
    return _Here(place.package, run(["dpkg", "--print-architecture"]).strip(), release)


def _read(file: Path) -> _File:
    python = re.search(r"\bpython3\.\d+\b", field(file, "Depends"))
    package, processor, version = (field(file, name) for name in ("Package", "Architecture", "Version"))
    return _File(file, package, processor, version, python[0] if python else "")


def _is_for(here: _Here, file: _File) -> bool:
    """Whether it was built for this Debian, or finds its Python here all the same."""
    is_built_for_it = here.release != "" and file.version.endswith(f"+deb{here.release}")
    return is_built_for_it or file.python == "" or _is_installed(file.python)


def _is_installed(package: str) -> bool:
    asked = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    return done.returncode == 0 and done.stdout.strip() == "installed"


def _is_had_by_apt(file: _File) -> bool:
    """Whether apt would install it, with the Python that is not here yet."""
    try:
        run([*APT, "--simulate", "install", file.path], env=os.environ | QUIET)
    except UpgradeError:
        return False
    return True


def _told(here: _Here, file: _File) -> str:
    """Why it is not this one."""
    if file.package != here.package:
        return f"{file.path.name} is {file.package}"
    if file.processor != here.processor:
        return f"{file.path.name} is for {file.processor}"
    return f"{file.path.name} needs {file.python}, which is not here, and apt would not install it"


def _order(one: _File, other: _File) -> int:
    return is_newer(one.version, other.version) - is_newer(other.version, one.version)


def field(file: Path, name: str) -> str:
    """What a package's file says of itself; "" where it does not. Raises UpgradeError where it is none."""
    return _ask(file, "-f", name).strip()


def _ask(file: Path, option: str, *more: str) -> str:
    """What dpkg-deb says of it. Raises UpgradeError that names the file, and what to do about it."""
    try:
        return run(["dpkg-deb", option, file, *more])
    except UpgradeError as error:
        raise UpgradeError(
            f"{file} is no whole package: its download was cut off or spoilt, or it is another kind of file. Nothing "
            "was changed. Fetch it anew, and compare its sum where SHA256SUMS lies beside it: "
            f"sha256sum --check --ignore-missing SHA256SUMS ({error})"
        ) from error


def is_newer(one: str, other: str) -> bool:
    """By dpkg's order of versions."""
    return subprocess.run(["dpkg", "--compare-versions", one, "gt", other], check=False).returncode == 0  # noqa: S603, S607
