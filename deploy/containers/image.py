"""`make image`: lays out what the image is made of, and has Docker build it.

Code and programs are those of the hub's Debian package, of the commit, wheel by wheel as the lock file has it; with
them the driver of PostgreSQL. So the build itself needs the base and Debian's packages, and no Python registry.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.debs import building, locks, programs, tree
from deploy.debs.building import Commit
from deploy.debs.packages import HUB, NOT_PACKED
from deploy.debs.programs import UnavailableError
from deploy.debs.targets import ARCHITECTURES, SUITES, Target, targets

ROOT = Path(__file__).resolve().parents[2]
_PARTS = ("image", "postgresql")
_MORE = ("requirements-dev.lock", frozenset({"asyncpg"}))
"""What a household's home can do without and the image has: from which lock file, and which of its programs."""


def lay(commit: Commit, target: Target, out: Path, kept: Path) -> None:
    """Fill the folder `out` with all that the build takes; dates are the commit's. Raises UnavailableError."""
    with tempfile.TemporaryDirectory(prefix="homesystem-image-") as made:
        source = building.unpacked(commit, Path(made) / "source")
        read = [locks.read((source / name).read_text()) for name in HUB.locks]
        name, wanted = _MORE
        read.append([pin for pin in locks.read((source / name).read_text()) if pin.name in wanted])
        wheels = programs.fetch(locks.chosen(read, target, NOT_PACKED), target, kept)
        tree.lay(source, out / "root", HUB, target, wheels)
        place = source / "deploy" / "containers"
        for path in (place / "Dockerfile", *place.glob("*.sh")):
            shutil.copy(path, out)
    for path in (out, *out.rglob("*")):
        os.utime(path, (commit.at.timestamp(),) * 2, follow_symlinks=False)


def build(context: Path, target: Target, base: str, tag: str, version: str) -> None:
    """Have Docker build the images of a context. Raises CalledProcessError."""
    for part in _PARTS:
        name = tag if part == "image" else _beside(tag, part)
        given = {"BASE": base, "PYTHON": target.interpreter, "VERSION": version}
        command = ["docker", "build", "--target", part, "--tag", name]
        for variable, value in given.items():
            command += ["--build-arg", f"{variable}={value}"]
        # The classic builder's network is the bridge's, whose way out is not everywhere that of the machine.
        command += ["--network", os.environ.get("BUILD_NETWORK", "default"), str(context)]
        # BuildKit, which newer Dockers have anyway: the classic builder knows no COPY --chmod.
        subprocess.run(command, env=os.environ | {"DOCKER_BUILDKIT": "1"}, check=True)  # noqa: S603
        shown = ["docker", "image", "inspect", "--format", "{{.Size}}", name]
        size = subprocess.run(shown, capture_output=True, text=True, check=True).stdout  # noqa: S603
        print(f"{name}: {int(size) / 1e6:.0f} MB", flush=True)


def _beside(tag: str, part: str) -> str:
    name, colon, version = tag.partition(":")
    return f"{name}-{part}{colon}{version}"


def main() -> int:
    """Read the command line, lay out and build; 1 where a program cannot be had, or Docker fails."""
    parser = argparse.ArgumentParser(prog="python -m deploy.containers.image", description=__doc__)
    parser.add_argument("--suite", choices=[suite.name for suite in SUITES], default="bookworm", help="the base's")
    parser.add_argument("--arch", choices=[one.name for one in ARCHITECTURES], default=_architecture())
    parser.add_argument("--base", help="the image to begin with; left out: the suite's Debian, slim")
    parser.add_argument("--tag", default="homesystem", help="what the image is called; default: %(default)s")
    parser.add_argument("--out", type=Path, help="lay out what it is made of in this folder, and build nothing")
    asked = parser.parse_args()
    target = targets(asked.suite, asked.arch)[0]
    commit = building.newest(ROOT)
    if commit.edited:
        print("what is in no commit is not in the image", flush=True)
    kept = ROOT / "build" / "debs" / "wheels"
    try:
        if asked.out is not None:
            asked.out.mkdir(parents=True)
            lay(commit, target, asked.out, kept)
            return 0
        with tempfile.TemporaryDirectory(prefix="homesystem-image-") as made:
            lay(commit, target, Path(made), kept)
            base = asked.base or f"debian:{target.suite.release}-slim"
            build(Path(made), target, base, asked.tag, commit.name)
    except (UnavailableError, subprocess.CalledProcessError, FileNotFoundError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _architecture() -> str:
    machine = os.uname().machine
    return next((one.name for one in ARCHITECTURES if one.machine == machine), ARCHITECTURES[0].name)


if __name__ == "__main__":
    raise SystemExit(main())
