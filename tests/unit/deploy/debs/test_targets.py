"""Targets: which wheels run there, and how a package for each is called."""

import subprocess

import pytest

from deploy.debs.targets import ARCHITECTURES, NOT_BUILT, SUITES, Target, targets

BOOKWORM, TRIXIE = SUITES
AMD64, ARM64 = ARCHITECTURES


def test_no_wheel_is_taken_that_needs_a_newer_glibc_than_the_target_has() -> None:
    offered = Target(BOOKWORM, ARM64).platforms
    assert "manylinux_2_36_aarch64" in offered
    assert "manylinux_2_37_aarch64" not in offered
    assert "manylinux_2_41_aarch64" in Target(TRIXIE, ARM64).platforms


def test_old_names_of_platforms_are_taken_where_there_were_any() -> None:
    assert {"manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"} < set(
        Target(BOOKWORM, AMD64).platforms
    )
    assert [one for one in Target(BOOKWORM, ARM64).platforms if not one.startswith("manylinux_")] == [
        "manylinux2014_aarch64"
    ]


def test_a_newer_debian_has_a_newer_version_of_the_same_source() -> None:
    older, newer = (Target(suite, AMD64).version("0.1.0") for suite in SUITES)
    next_release = Target(BOOKWORM, AMD64).version("0.1.1")
    for less, more in ((older, newer), (newer, next_release), ("0.1.0", older)):
        assert subprocess.run(["dpkg", "--compare-versions", less, "lt", more], check=False).returncode == 0


@pytest.mark.parametrize(
    ("suite", "named"), [("bookworm", {"bookworm"}), ("trixie", {"trixie"}), ("both", {"bookworm", "trixie"})]
)
def test_what_is_asked_for_is_built(suite: str, named: set[str]) -> None:
    assert {target.suite.name for target in targets(suite, "arm64")} == named
    assert {target.architecture.name for target in targets(suite, "arm64")} == {"arm64"}


def test_what_is_not_built_is_no_target_and_has_a_reason() -> None:
    for name, reason in NOT_BUILT.items():
        assert targets("both", name) == ()
        assert "docs/setup.md" in reason
