"""Which Debian packages the compiled parts of wheels need: what `dpkg-shlibdeps` would say, for any processor.

dpkg-shlibdeps wants the target's own libraries beside it; these parts link to four libraries of the compiler and glibc.
"""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

_ELF = b"\x7fELF"
_GLIBC = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "ld-linux")
_PACKAGES = {"libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1"}
_NEEDED = re.compile(r"\(NEEDED\).*\[(.+?)\]")
_VERSION = re.compile(r"Name: GLIBC_2\.(\d+)")


def compiled(folder: Path) -> list[Path]:
    """Every shared object in a tree."""
    return [path for path in sorted(folder.rglob("*.so*")) if path.is_file() and path.read_bytes()[:4] == _ELF]


def dependencies(objects: Iterable[Path]) -> list[str]:
    """The packages that they need. Raises ValueError for a library that is neither beside them nor known here."""
    paths = list(objects)
    if not paths:
        return []
    command = ["readelf", "--dynamic", "--version-info", "--wide", *map(str, paths)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return needed(said.stdout, {path.name for path in paths})


def needed(said: str, beside: set[str]) -> list[str]:
    """The same, from readelf's words; `beside`: the names of what the package has itself."""
    packages: set[str] = set()
    for library in sorted(set(_NEEDED.findall(said)) - beside):
        if library.startswith(_GLIBC):
            continue
        if library not in _PACKAGES:
            raise ValueError(f"nobody knows which package has {library}, to which a wheel links")
        packages.add(_PACKAGES[library])
    newest = max((int(minor) for minor in _VERSION.findall(said)), default=0)
    return [f"libc6 (>= 2.{newest})", *sorted(packages)]
