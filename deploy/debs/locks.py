"""Lock files, read for a target: which of their programs are wanted there, and with which hashes. Pure."""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import Requirement

from deploy.debs.targets import Target

_HASH = re.compile(r"--hash=(\S+)")


class Pin(NamedTuple):
    """One line of a lock file: a program in one version, where it is wanted (None: everywhere), its hashes."""

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]


def read(text: str) -> list[Pin]:
    """Every pin of a lock file. Raises ValueError for a line that pins nothing, or that any file would satisfy."""
    pins: list[Pin] = []
    for line in text.replace("\\\n", " ").splitlines():
        wanted, _, _ = line.partition(" --hash")
        if not wanted.strip() or wanted.lstrip().startswith("#"):
            continue
        requirement = Requirement(wanted.strip())
        versions = [one.version for one in requirement.specifier if one.operator == "=="]
        hashes = tuple(_HASH.findall(line))
        if len(versions) != 1 or not hashes:
            raise ValueError(f"this line of the lock file pins no version, or has no hash: {wanted.strip()}")
        pins.append(Pin(requirement.name, versions[0], requirement.marker, hashes))
    return pins


def chosen(locks: Iterable[Iterable[Pin]], target: Target, without: Collection[str] = ()) -> list[Pin]:
    """What several lock files want on a target, by name. Raises ValueError where they want two versions of one."""
    found: dict[str, Pin] = {}
    for pin in (one for lock in locks for one in lock):
        if pin.name in without or (pin.marker is not None and not pin.marker.evaluate(target.markers)):
            continue
        other = found.setdefault(pin.name, pin)
        if other.version != pin.version:
            raise ValueError(f"the lock files want {pin.name} {other.version} and {pin.version}: `make lock`")
    return [found[name] for name in sorted(found)]


def written(pins: Iterable[Pin]) -> str:
    """The pins as pip reads them, without markers: whoever asks has judged them already."""
    return "".join(f"{pin.name}=={pin.version} {' '.join(f'--hash={one}' for one in pin.hashes)}\n" for pin in pins)
