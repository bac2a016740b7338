"""The packages that a home is set up from: this checkout's last commit, packed for a Debian, and once more as newer."""

import platform
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from deploy.debs import building
from deploy.debs.packages import AGENT, HUB, Package
from deploy.debs.targets import ARCHITECTURES, SUITES, Target

NEWER = "0.1.99"
"""A version that is said to come after this checkout's; its content is the same."""


FAULTY = "0.1.98"
"""Newer as well: with it the accounts get another form, and no room obeys."""
LATER = "0.1.98.1"
_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.create_table("planted", sa.Column("id", sa.Integer, primary_key=True))
"""


class Packages(NamedTuple):
    """The files: the hub's and the agent's, both as a newer version, and the hub's for the next Debian, if any."""

    hub: Path
    agent: Path
    newer_hub: Path
    newer_agent: Path
    next_hub: Path | None
    faulty_hub: Path
    faulty_agent: Path
    later_hub: Path


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
        faulty_hub=altered(built(HUB, here), FAULTY, plant),
        faulty_agent=altered(built(AGENT, here), FAULTY, plant_end),
        later_hub=altered(built(HUB, here), LATER, lambda _: None),
    )


def altered(path: Path, version: str, change: Callable[[Path], None]) -> Path:
    """A package as it is, but for its version and what `change` does in the folder of its code."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made) / "root"
        subprocess.run(["dpkg-deb", "--raw-extract", path, root], check=True)
        control = root / "DEBIAN/control"
        before = next(line for line in control.read_text().splitlines() if line.startswith("Version: "))
        own = before.partition("+")[2]
        control.write_text(control.read_text().replace(before.removeprefix("Version: "), f"{version}+{own}"))
        change(root / "usr/lib/homesystem")
        target = path.with_name(path.name.replace(before.removeprefix("Version: "), f"{version}+{own}"))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "-z0", "--build", root, target], check=True)
    return target


def plant(code: Path) -> None:
    """A fault that shows only when it is tried: no wish is obeyed, and the accounts get another form."""
    steps = code / "auth_service/migrations/versions"
    head = max(path.name for path in steps.glob("m[0-9]*.py"))[1:5]
    (steps / "m9999_planted.py").write_text(_MIGRATION.format(head=head))
    agent = code / "device_agents/obeying/commands.py"
    agent.write_text(agent.read_text() + "\n\nCommands.obey = lambda *_, **__: None\n")


def plant_end(code: Path) -> None:
    """An agent that finds a room's file right, and ends as soon as it begins."""
    agent = code / "device_agents/__main__.py"
    first = "import device_agents.lean"
    ends = f'if "--check-config" not in sys.argv:\n    raise SystemExit(1)\n{first}'
    assert first in agent.read_text()
    agent.write_text(agent.read_text().replace(first, ends, 1))
