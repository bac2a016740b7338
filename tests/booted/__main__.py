"""`make house [SHORT=1]`: builds and boots homes as the guide says, lives in them, and reports."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from tests.booted import debs, mailserver, needs, trees
from tests.booted.house import ROOT, built
from tests.booted.phases.order import PACKAGED, STEPS, Step, chosen, unmet
from tests.booted.report import Report

SUITES = {"bookworm": "Debian 12", "trixie": "Debian 13"}


def main() -> int:
    """Read the command line and do it all; 1 where a phase failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.booted", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one Debian, and no life afterwards")
    parser.add_argument("--suite", action="append", choices=SUITES, help="only on this Debian")
    parser.add_argument("--packages", action="store_true", help="from Debian packages instead of a checkout")
    names = [step.name for step in (*STEPS, *PACKAGED)]
    parser.add_argument("--phase", action="append", choices=names, help="only this phase, and what it needs")
    parser.add_argument("--keep", action="store_true", help="leave the trees for a look")
    arguments = parser.parse_args()
    if lacking := needs.missing(packaged=arguments.packages):
        print(f"house: skipped: {lacking}")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    report = Report()
    for suite in arguments.suite or (list(SUITES)[:1] if arguments.short else list(SUITES)):
        steps = PACKAGED if arguments.packages else STEPS
        newest = suite == list(SUITES)[-1]
        wanted = chosen(arguments.phase, short=arguments.short, steps=steps, newest=newest)
        live(suite, wanted, report, packaged=arguments.packages, keep=arguments.keep)
    return report.end()


def live(suite: str, steps: Sequence[Step], report: Report, *, packaged: bool, keep: bool) -> None:
    """One home on one Debian, phase by phase."""
    house = SUITES[suite]
    report.title(f"{house} ({suite})")
    try:
        trees.base(suite, [mailserver.authority(trees.cache() / "certificates")])
    except trees.UnavailableError as error:
        for step in steps:
            report.skip(house, step.name, str(error))
        return
    folder = trees.cache() / "runs" / f"{os.getpid()}-{suite}"
    well: set[str] = set()
    packages = debs.made(ROOT, suite, trees.cache() / "debs") if packaged else None
    with built(suite, report, folder, packages=packages, keep=keep) as home:
        if home.repository.edited:
            report.note("this checkout has changes that are in no commit; the last commit is tried")
        for step in steps:
            if lacking := unmet(step, well):
                report.skip(house, step.name, f"because it needs: {lacking}")
                continue
            with report.phase(house, step.name) as phase:
                step.run(home)
            if phase.outcome == "failed":
                home.explain()
            elif phase.outcome == "ok":
                well.add(step.name)


if __name__ == "__main__":
    raise SystemExit(main())
