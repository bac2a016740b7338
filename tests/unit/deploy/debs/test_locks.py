"""Lock files for a target: markers are judged by the target, and what is not pinned by hash is refused."""

from pathlib import Path

import pytest

from deploy.debs import locks
from deploy.debs.packages import NOT_PACKED, PACKAGES, Package
from deploy.debs.targets import ARCHITECTURES, SUITES, Target, targets

ROOT = Path(__file__).resolve().parents[4]
BOOKWORM, TRIXIE = (Target(suite, ARCHITECTURES[0]) for suite in SUITES)
LOCK = """\
# a comment
deprecated==1.3.1 ; python_full_version < '3.12' \\
    --hash=sha256:aa
deprecated==3.0.1 ; python_full_version >= '3.12' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:dd
fast==1.0 ; platform_machine == 'aarch64' \\
    --hash=sha256:ee
plain==2.0 \\
    --hash=sha256:ff
"""


def names(target: Target, without: frozenset[str] = frozenset()) -> list[str]:
    return [f"{pin.name} {pin.version}" for pin in locks.chosen([locks.read(LOCK)], target, without)]


def test_markers_are_judged_by_the_target_and_not_by_whoever_builds() -> None:
    assert names(BOOKWORM) == ["deprecated 1.3.1", "plain 2.0"]
    assert names(TRIXIE) == ["deprecated 3.0.1", "plain 2.0"]
    assert names(Target(SUITES[0], ARCHITECTURES[1])) == ["deprecated 1.3.1", "fast 1.0", "plain 2.0"]


def test_what_is_not_packed_is_left_out() -> None:
    assert names(BOOKWORM, frozenset({"plain"})) == ["deprecated 1.3.1"]


def test_every_hash_goes_on_to_pip() -> None:
    pins = locks.chosen([locks.read(LOCK)], TRIXIE)
    assert locks.written(pins).splitlines()[0] == "deprecated==3.0.1 --hash=sha256:bb --hash=sha256:cc"


@pytest.mark.parametrize("line", ["plain>=2.0 --hash=sha256:aa", "plain==2.0"])
def test_a_line_that_any_file_would_satisfy_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        locks.read(line)


def test_two_versions_of_one_program_are_refused() -> None:
    one, other = locks.read("a==1 --hash=sha256:aa"), locks.read("a==2 --hash=sha256:bb")
    with pytest.raises(ValueError, match="a 1 and 2"):
        locks.chosen([one, other], BOOKWORM)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_our_own_lock_files_agree_for_every_target(package: Package) -> None:
    read = [locks.read((ROOT / name).read_text()) for name in package.locks]
    for processor in ARCHITECTURES:
        for target in targets("both", processor.name):
            chosen = {pin.name for pin in locks.chosen(read, target, NOT_PACKED)}
            assert {"msgspec", "paho-mqtt", "gpiod", "rpi-lgpio"} <= chosen
            assert not chosen & {*NOT_PACKED, "colorama"}
            assert ("aiohttp" in chosen) is (package.kind == "hub")
