"""Mosquitto as other Debian suites have it, unpacked beside the installed one; nothing of the machine is changed.

`python -m tests.brokers [SUITE…]` fetches them (default: trixie sid). Tests ask `find` and are skipped where a suite
was not fetched. What was fetched is kept in the user's cache folder and used again.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deploy.folder import plugin
from deploy.running import up

INSTALLED = "installed"
SUITES = ("trixie", "sid")
_SOURCES = Path("/etc/apt")
_KEYRINGS = Path("/usr/share/keyrings")


class Release(NamedTuple):
    """One Mosquitto: how to run it, its plugin, and what it says its version is."""

    suite: str
    command: tuple[str, ...]
    plugin: Path

    @property
    def version(self) -> str:
        """As in `mosquitto version 2.0.11`."""
        said = subprocess.run([*self.command, "-h"], capture_output=True, text=True, check=False).stdout
        return said.split()[2]


def find(suite: str) -> Release | None:
    """What `fetch` brought for a suite, or the machine's own for INSTALLED; None where it is not there."""
    if suite == INSTALLED:
        return Release(suite, (up.mosquitto(),), plugin.find())
    root = _cache() / suite / "root"
    loader = root / "mosquitto"
    if not loader.exists():
        return None
    libraries = ":".join(str(path) for path in (*_libraries(root / "usr/lib"), *_libraries(root / "lib")))
    plugins = sorted((root / "usr/lib").rglob("mosquitto_dynamic_security.so"))
    command = (str(loader), "--library-path", libraries, str(root / "usr/sbin/mosquitto"))
    return Release(suite, command, plugins[0].resolve())


def fetch(suite: str) -> Release:
    """Download a suite's Mosquitto and the libraries it needs, from where this machine gets its own packages."""
    if (found := find(suite)) is not None:
        return found
    folder = _cache() / suite
    shutil.rmtree(folder, ignore_errors=True)
    config = _private_apt(folder, suite)
    apt = ["apt-get", "-q", "-y", "-c", str(config), "--no-install-recommends"]
    for step in (["update"], ["install", "--download-only", "mosquitto"]):
        subprocess.run([*apt, *step], check=True, stdout=sys.stderr)
    root = folder / "root"
    # Packages put their libraries into /usr/lib or /lib; one folder serves both.
    for place in ("usr/lib", "usr/lib64", "usr/sbin", "usr/bin"):
        (root / place).mkdir(parents=True)
        (root / Path(place).name).symlink_to(place)
    for package in sorted((folder / "cache/archives").glob("*.deb")):
        whole = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
        unpack = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", str(root)]
        subprocess.run(unpack, input=whole, check=True)
    # A package may leave the links by which its library is found to ldconfig.
    subprocess.run(["/sbin/ldconfig", "-n", *map(str, _libraries(root / "usr/lib"))], check=True)
    # The suite's own loader, under the name by which the hub knows a running broker.
    loader = next((root / "usr/lib").rglob("ld-linux-*.so.*"))
    shutil.copy2(loader.resolve(), root / "mosquitto")
    found = find(suite)
    assert found is not None
    return found


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homesystem" / "brokers"


def _libraries(place: Path) -> Iterator[Path]:
    """The multiarch folder of a tree, and the folder itself."""
    yield from sorted(path for path in place.glob("*-linux-gnu*") if path.is_dir())
    yield place


def _private_apt(folder: Path, suite: str) -> Path:
    """An apt that knows one suite only, and that nothing is installed."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    keys = sorted(_KEYRINGS.glob("debian-archive-*.gpg"))
    signed = f"[signed-by={','.join(map(str, keys))}] " if keys else ""
    (folder / "sources.list").write_text(f"deb {signed}{mirror()} {suite} main\n")
    config = folder / "apt.conf"
    lines = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": "false",
        "Debug::NoLocking": "true",
    }
    config.write_text("".join(f'{name} "{value}";\n' for name, value in lines.items()))
    return config


def mirror() -> str:
    """Where this machine gets Debian from."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = release["VERSION_CODENAME"].strip('"')
    for path in (_SOURCES / "sources.list", *sorted((_SOURCES / "sources.list.d").glob("*"))):
        text = path.read_text() if path.is_file() else ""
        for stanza in text.split("\n\n"):
            words = [line.split() for line in stanza.splitlines() if not line.startswith("#")]
            names = {line[0].rstrip(":").lower(): line[1:] for line in words if line}
            if codename in names.get("suites", []) and names.get("uris"):
                return names["uris"][0]
            for line in words:
                bare = [word for word in line if not word.startswith(("[", "signed-by")) and not word.endswith("]")]
                if bare[:1] == ["deb"] and codename in bare[2:3]:
                    return bare[1]
    raise SystemExit(f"no source of apt names {codename}: other suites cannot be fetched")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or SUITES:
        release = fetch(wanted)
        print(f"{release.suite}: Mosquitto {release.version} in {release.command[0]}")
