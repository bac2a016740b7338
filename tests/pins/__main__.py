"""`make pins`: the agent's pins, sensors and watchdog on Debian's kernels under emulation, and what was seen."""

import argparse
import signal
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable

import msgspec

from tests.booted.trees import UnavailableError
from tests.pins import guest, kernels, needs
from tests.pins.board import image, play
from tests.pins.scenes import SCENES, Scene


class Result(msgspec.Struct, frozen=True):
    """How one scene went on one kernel."""

    kernel: str
    scene: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reason: str = ""
    tried: bool = True
    """Whether `reason` is why something failed, or why it could not be tried here."""

    @property
    def is_well(self) -> bool:
        """A scene in which nothing was looked at, or something only half, is no proof of anything."""
        return self.passed > 0 and not self.failed and not self.skipped and not self.reason


def main() -> int:
    """Read the command line and do it all; 1 where something failed, or was skipped within a guest."""
    parser = argparse.ArgumentParser(prog="python -m tests.pins", description=__doc__)
    parser.add_argument("--kernel", action="append", choices=kernels.SUITES, help="only on this kernel")
    parser.add_argument("--scene", action="append", choices=[s.name for s in SCENES], help="only this scene")
    parser.add_argument("--board", action="store_true", help="only the emulated Pi 3")
    parser.add_argument("--console", action="store_true", help="show all that the guest says")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # ends the guest, or the tests that run here, on its way out
    if lacking := needs.missing():
        print(f"pins: skipped: {lacking}")
        return 0
    results = []
    for name in () if arguments.board else arguments.kernel or kernels.SUITES:
        print(f"\n== Linux {name} (a kernel that was not made here before takes some minutes)", flush=True)
        try:
            kernel = kernels.kernel(name)
        except UnavailableError as error:
            results.append(Result(kernel=name, scene="-", reason=str(error)))
            continue
        scenes = [scene for scene in SCENES if arguments.scene is None or scene.name in arguments.scene]
        results += [_played(kernel, scene, console=arguments.console) for scene in scenes]
    if arguments.board or arguments.scene is None:
        results += _on_board(arguments.kernel or image.KERNELS, console=arguments.console)
    return _end(results)


def _on_board(names: Iterable[str], *, console: bool) -> list[Result]:
    """What Debian's kernels do on an emulated Pi 3, with its own pins."""
    if lacking := needs.missing(needs.BOARD):
        return [Result(kernel="arm64", scene="board", reason=lacking, tried=False)]
    results = []
    for name in names:
        print(
            f"\n== Linux {name} on a Raspberry Pi 3 (an image that was not made here before takes some minutes)",
            flush=True,
        )
        try:
            made = image.image(name)
        except UnavailableError as error:
            results.append(Result(kernel=f"{name} arm64", scene="board", reason=str(error), tried=False))
            continue
        scene = play.scene(name)
        print(f"\n  -- {made.version}: {scene.name}", flush=True)
        started = time.monotonic()
        outcome = play.run(name, made, said=_shown if console else None)
        results.append(_told(made.version, scene, outcome, started))
    return results


def _shown(line: str) -> None:
    print(f"      | {line}", flush=True)


def _played(kernel: kernels.Kernel, scene: Scene, *, console: bool) -> Result:
    print(f"\n  -- {kernel.version}: {scene.name}", flush=True)
    started = time.monotonic()
    pytest = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    outcome = guest.run(
        kernel,
        [*pytest, "--basetemp=/tmp/pytest", "--tb=short", "--junitxml=/mnt/out/results.xml", *scene.tests],
        modules=scene.modules,
        parameters=scene.parameters,
        seconds=scene.seconds,
        said=_shown if console else None,
    )
    return _told(kernel.version, scene, outcome, started)


def _told(kernel: str, scene: Scene, outcome: guest.Outcome, started: float) -> Result:
    for line in outcome.files.get("seen", b"").decode().splitlines():
        print(f"      · {line}", flush=True)
    result = _result(kernel, scene, outcome)
    if not result.is_well:
        print("\n".join(f"      ! {line}" for line in outcome.console.splitlines()[-60:]), flush=True)
    print(f"      {result.passed} passed in {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    return result


def _result(kernel: str, scene: Scene, outcome: guest.Outcome) -> Result:
    written = outcome.files.get("results.xml")
    if outcome.code is None or written is None:
        return Result(kernel=kernel, scene=scene.name, reason="the guest ended before its tests did")
    suites = ET.fromstring(written).iter("testsuite")
    count = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        for name in count:
            count[name] += int(suite.get(name, "0"))
    failed = count["failures"] + count["errors"]
    reason = "" if outcome.code == 0 or failed else f"pytest ended with {outcome.code}"
    passed = count["tests"] - failed - count["skipped"]
    return Result(
        kernel=kernel, scene=scene.name, passed=passed, failed=failed, skipped=count["skipped"], reason=reason
    )


def _end(results: list[Result]) -> int:
    print()
    for one in results:
        word = "ok" if one.is_well else "failed" if one.tried else "not tried"
        counts = f"{one.passed} passed, {one.failed} failed, {one.skipped} skipped"
        print(f"pins: {word:<9} {one.kernel:<22} {one.scene:<12} {one.reason or counts}")
    well = sum(one.is_well for one in results)
    failed = sum(one.tried and not one.is_well for one in results)
    print(
        f"pins: {well} ok, {failed} failed, {len(results) - well - failed} not tried; "
        f"{sum(one.passed for one in results)} tests passed"
    )
    return 1 if failed or not results else 0


if __name__ == "__main__":
    raise SystemExit(main())
