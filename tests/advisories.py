"""`python -m tests.advisories`: whether anything is known against what the lock files pin. Part of `make check`.

pip-audit ends well where no advisory service knows a package at all, so it is asked first about one that it must find
something against. Where it does, everything must have been looked at and nothing found. Where it does not, nothing was
checked, and that is said.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-room-lgpio.lock", "requirements-dev.lock")
KNOWN_BAD = "jinja2==2.10"
"""Any service that answers knows something against it."""
SECONDS = 600.0


class Found(NamedTuple):
    """What pip-audit says of one file: what is known against which package, and what it could not look at."""

    known: tuple[str, ...]
    skipped: tuple[str, ...]
    checked: int


def audit(file: Path, service: Sequence[str]) -> Found | None:
    """Ask about everything in `file`, hashes and all, without installing any of it; None where there is no answer."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--disable-pip"]
    ended = subprocess.run(
        [*command, "--no-deps", *service, "--requirement", str(file)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    try:
        dependencies = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    known = tuple(
        f"{one['name']} {one['version']}: {problem['id']}, mended in {' '.join(problem['fix_versions']) or 'none'}"
        for one in dependencies
        for problem in one.get("vulns", ())
    )
    skipped = tuple(one["name"] for one in dependencies if "skip_reason" in one)
    return Found(known, skipped, len(dependencies) - len(skipped))


def answers(service: Sequence[str]) -> bool:
    """Whether there is anybody who knows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "known-bad.txt"
        file.write_text(f"{KNOWN_BAD}\n")
        found = audit(file, service)
    return found is not None and bool(found.known)


def check(locks: Sequence[Path], service: Sequence[str] = ()) -> int:
    """Print what is known against what is pinned; 0 where nothing is, or where nobody could be asked."""
    if not answers(service):
        print("advisories: NOT CHECKED. No advisory service answers from here (it knows nothing of")
        print(f"advisories: {KNOWN_BAD}), so nobody looked at {', '.join(lock.name for lock in locks)}.")
        print("advisories: Run `make check` again where one does, before you release.")
        return 0
    wrong = 0
    for lock in locks:
        found = audit(lock, service)
        if found is None:
            print(f"advisories: {lock.name}: pip-audit gave no answer")
            wrong += 1
            continue
        told = [*found.known, *(f"{name}: was not looked at" for name in found.skipped)]
        for one in told:
            print(f"advisories: {lock.name}: {one}")
        print(f"advisories: {lock.name}: {found.checked} packages checked")
        wrong += len(told)
    return int(wrong > 0)


def main() -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(prog="python -m tests.advisories")
    parser.add_argument("--osv-url", help="an advisory service of one's own that speaks OSV")
    chosen = parser.parse_args()
    service = ("--vulnerability-service", "osv", "--osv-url", chosen.osv_url) if chosen.osv_url else ()
    return check([ROOT / name for name in LOCKS], service)


if __name__ == "__main__":
    sys.exit(main())
