"""`make deb`: builds the Debian packages, and has lintian look at each."""

import argparse
import subprocess
import sys
from pathlib import Path

from deploy.debs import building, release
from deploy.debs.packages import PACKAGES
from deploy.debs.programs import UnavailableError
from deploy.debs.targets import ARCHITECTURES, NOT_BUILT, SUITES, targets

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Read the command line, build what is asked for; 1 where a package cannot be had or lintian complains."""
    parser = argparse.ArgumentParser(prog="python -m deploy.debs", description=__doc__)
    parser.add_argument("--suite", choices=[*(suite.name for suite in SUITES), "both"], default="both")
    processors = [*(one.name for one in ARCHITECTURES), *NOT_BUILT]
    parser.add_argument("--arch", choices=processors, action="append", help="all that can be, unless named")
    parser.add_argument("--package", choices=[package.name for package in PACKAGES], action="append")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "debs", help="the folder for the packages")
    parser.add_argument("--version", help="instead of the commit's own, such as to try an update")
    parser.add_argument(
        "--sign", metavar="KEY", type=Path, help="sign the hashes with this SSH key, or its public half"
    )
    parser.add_argument("--no-lintian", action="store_true", help="do not have lintian look at what was built")
    asked = parser.parse_args()
    commit = building.newest(ROOT)
    if commit.edited:
        print("what is in no commit is not in the packages", flush=True)
    well, made = True, list[Path]()
    for processor in asked.arch or processors:
        if processor in NOT_BUILT:
            print(f"{processor}: not built: {NOT_BUILT[processor]}", flush=True)
            well = well and not asked.arch
            continue
        for target in targets(asked.suite, processor):
            for package in PACKAGES:
                if package.name in (asked.package or [package.name]):
                    try:
                        built = building.build(commit, package, target, asked.out.absolute(), asked.version)
                    except UnavailableError as error:
                        print(f"{package.name} for {target.suite.name} on {processor}: {error}", file=sys.stderr)
                        return 1
                    made += [built.path, built.bill]
                    size = built.path.stat().st_size
                    print(f"{built.path}: {size / 1e6:.1f} MB, installed {built.kib / 1024:.0f} MiB", flush=True)
                    well = (asked.no_lintian or _sound(built.path)) and well
    return 0 if (not made or _released(asked.out.absolute(), made, asked.sign)) and well else 1


def _released(out: Path, made: list[Path], key: Path | None) -> bool:
    """Write the hashes and, with a key, their signature; whether that went well."""
    sums = release.sum_up(out, made)
    if key is None:
        print(
            f"{sums}: {len(made)} hashes. NOT SIGNED: nobody can tell whose they are; `--sign KEY` signs them",
            flush=True,
        )
        return True
    try:
        print(f"{sums}: {len(made)} hashes, signed: {release.sign(sums, key)}", flush=True)
    except release.SigningError as error:
        print(f"NOT SIGNED: {error}", file=sys.stderr)
        return False
    return True


def _sound(path: Path) -> bool:
    """Whether lintian has nothing against a package; what it has is printed."""
    command = ["lintian", "--fail-on=error,warning", "--allow-root", "--tag-display-limit=0", str(path)]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603


if __name__ == "__main__":
    raise SystemExit(main())
