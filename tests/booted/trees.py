"""Debian systems as folders: a small one of each suite, made once and kept, and a copy of it for each machine."""

import configparser
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.booted import lan, supply

PACKAGES = [
    *("systemd", "systemd-sysv", "dbus", "udev", "ca-certificates"),
    *("sudo", "iproute2", "iputils-ping", "procps", "tzdata"),
]
"""What Debian's installer leaves on any machine, as far as the guide may count on it."""
TOOLS = ["libfaketime"]
"""What only the tests use; it brings along nothing that the guide would have to ask for."""
PERSON = "me"
"""Who does what the guide says: a user who may use sudo, as the installer makes them."""
ZONE = "Europe/Madrid"
_RECIPE = 1
"""To be counted up when `_finish` changes: older trees are then made anew."""
CACHES = ("packages", "pip")
PIP_CACHE = "/var/cache/house-pip"


class UnavailableError(Exception):
    """No tree can be made here; the message says why."""


def cache() -> Path:
    """Where trees and packages are kept: HOMESYSTEM_HOUSE_CACHE, or a folder of the user's cache."""
    named = os.environ.get("HOMESYSTEM_HOUSE_CACHE")
    folder = Path(named) if named else Path.home() / ".cache" / "homesystem-house"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def mirror() -> str:
    """Where this machine gets Debian from. Raises UnavailableError where its apt sources name no Debian archive."""
    if named := os.environ.get("HOMESYSTEM_HOUSE_MIRROR"):
        return named
    for path in sorted((Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*"))):
        lines = path.read_text().splitlines() if path.is_file() else []
        for line in lines:
            if not line.lstrip().startswith("#") and (match := re.search(r"https?://\S+/debian/?(?=\s|$)", line)):
                return match[0]
    raise UnavailableError("the apt sources of this machine name no Debian archive (HOMESYSTEM_HOUSE_MIRROR may)")


def base(suite: str, authorities: list[Path]) -> Path:
    """The kept tree of a suite, made where it is missing; it trusts `authorities` as well as this machine's.

    Raises UnavailableError where debootstrap fails.
    """
    trusted = [*authorities, *sorted(Path("/usr/local/share/ca-certificates").rglob("*.crt"))]
    key = hashlib.sha256(
        json.dumps([_RECIPE, PACKAGES, TOOLS, [path.read_text() for path in trusted]]).encode()
    ).hexdigest()[:12]
    tree = cache() / f"{suite}-{key}"
    with _alone(cache() / f"{suite}.lock"):
        if tree.exists():
            return tree
        part = cache() / f"{suite}-part"
        shutil.rmtree(part, ignore_errors=True)
        command = [
            "debootstrap",
            "--variant=minbase",
            f"--include={','.join([*PACKAGES, *TOOLS])}",
            suite,
            str(part),
            mirror(),
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise UnavailableError(f"debootstrap {suite} failed: {' | '.join(made.stdout.splitlines()[-3:])}")
        _finish(part, trusted)
        for old in cache().glob(f"{suite}-*"):
            if old != part and old.is_dir():
                shutil.rmtree(old)
        part.rename(tree)
    return tree


def copy(tree: Path, target: Path, name: str, hosts: dict[str, str]) -> Path:
    """A machine of its own out of a kept tree: its name, and the names that the home's router would tell it."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(tree), str(target)], check=True)
    (target / "etc/hostname").write_text(f"{name}\n")
    known = [f"{address} {' '.join(names.split())}" for names, address in hosts.items()]
    lines = ["127.0.0.1 localhost", f"127.0.1.1 {name}", "::1 localhost ip6-localhost ip6-loopback", *known]
    (target / "etc/hosts").write_text("\n".join(lines) + "\n")
    return target


def _finish(tree: Path, trusted: list[Path]) -> None:
    """What the installer asks for, and how this home reaches its packages."""
    (tree / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
    proxy = f"http://{lan.ROUTER}:{supply.PORT}"
    apt = [
        f'Acquire::http::Proxy "{proxy}";',
        f'Acquire::https::Proxy "{proxy}";',
        'Acquire::http::Pipeline-Depth "0";',
    ]
    apt += ['APT::Keep-Downloaded-Packages "false";', 'Acquire::Languages "none";', *_beliefs_about_dates()]
    (tree / "etc/apt/apt.conf.d/90house").write_text("\n".join(apt) + "\n")
    (tree / "etc/dpkg/dpkg.cfg.d/house").write_text("force-unsafe-io\n")
    (tree / "etc/pip.conf").write_text(_pip(proxy))
    (tree / PIP_CACHE.lstrip("/")).mkdir()
    for path in trusted:
        shutil.copy(path, tree / "usr/local/share/ca-certificates" / path.name)
    _within(tree, "update-ca-certificates")
    _within(
        tree, f"useradd --create-home --shell /bin/bash {PERSON} && adduser {PERSON} sudo || usermod -aG sudo {PERSON}"
    )
    (tree / "etc/sudoers.d/house").write_text(f"{PERSON} ALL=(ALL) NOPASSWD: ALL\n")
    (tree / "etc/sudoers.d/house").chmod(0o440)
    zone = tree / "etc/localtime"
    zone.unlink(missing_ok=True)
    zone.symlink_to(f"/usr/share/zoneinfo/{ZONE}")
    if (tree / "etc/timezone").exists():  # Debian 12 has one, 13 has none
        (tree / "etc/timezone").write_text(f"{ZONE}\n")
    (tree / "etc/machine-id").write_text("")  # a machine of its own at its first boot


def _beliefs_about_dates() -> list[str]:
    """Whether this machine's apt looks at the dates of what it gets; its trees do alike."""
    dump = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False).stdout
    return [line for line in dump.splitlines() if re.match(r"Acquire::Check-(Valid-Until|Date) ", line)]


def _pip(proxy: str) -> str:
    """pip's settings: this machine's index, over the proxy, with a cache that outlives the machine."""
    ours = configparser.ConfigParser(interpolation=None)
    ours.read(["/etc/pip.conf", Path.home() / ".config/pip/pip.conf"])
    settings = {
        name: ours["global"][name] for name in ("index-url", "extra-index-url") if ours.has_option("global", name)
    }
    settings |= {"proxy": proxy, "cert": "/etc/ssl/certs/ca-certificates.crt", "cache-dir": PIP_CACHE}
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())


def _within(tree: Path, command: str) -> None:
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
    made = subprocess.run(
        ["chroot", str(tree), "/bin/sh", "-c", command], env=path, capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise UnavailableError(f"in the new tree, `{command}` failed: {made.stderr.strip()[-300:]}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One run makes a tree, others wait for it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
