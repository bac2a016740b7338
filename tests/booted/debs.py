"""The packages that a home is set up from: this checkout's last commit, packed for a Debian, and once more as newer."""

import platform
from pathlib import Path
from typing import NamedTuple

from deploy.debs import building
from deploy.debs.packages import AGENT, HUB, Package
from deploy.debs.targets import ARCHITECTURES, SUITES, Target

NEWER = "0.1.99"
"""A version that is said to come after this checkout's; its content is the same."""


class Packages(NamedTuple):
    """The files: the hub's and the agent's, both as a newer version, and the hub's for the next Debian, if any."""

    hub: Path
    agent: Path
    newer_hub: Path
    newer_agent: Path
    next_hub: Path | None


def made(checkout: Path, suite: str, folder: Path) -> Packages:
    """Build them, for this machine's processor; packed without much effort, since nobody keeps them."""
    commit = building.newest(checkout)
    processor = next(one for one in ARCHITECTURES if one.machine == platform.machine())
    number = next(number for number, one in enumerate(SUITES) if one.name == suite)
    here = Target(SUITES[number], processor)
    later = Target(SUITES[number + 1], processor) if number + 1 < len(SUITES) else None

    def built(package: Package, target: Target, version: str | None = None) -> Path:
        return building.build(commit, package, target, folder, version, quick=True).path

    return Packages(
        hub=built(HUB, here),
        agent=built(AGENT, here),
        newer_hub=built(HUB, here, NEWER),
        newer_agent=built(AGENT, here, NEWER),
        next_hub=built(HUB, later, NEWER) if later is not None else None,
    )
