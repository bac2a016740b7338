"""How versions of packages sort for apt: by dpkg itself."""

import datetime as dt
import itertools
import shutil
import subprocess

import pytest

from deploy.debs import numbering

AT = dt.datetime(2026, 5, 1, 12, 0, 0, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(seconds=1)


def made(declared: str, at: dt.datetime, state: str, suite: str) -> str:
    released, was = state == "released", state in {"released", "after"}
    return numbering.upstream(declared, at, is_released=released, was_released=was) + f"+{suite}"


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg")
def test_a_later_commit_and_a_newer_debian_are_newer() -> None:
    ascending = [
        made("0.1.0", AT, "before", "deb12"),
        made("0.1.0", LATER, "before", "deb12"),
        made("0.1.0", LATER, "released", "deb12"),
        made("0.1.0", LATER, "released", "deb13"),
        made("0.1.0", AT, "after", "deb12"),
        made("0.1.0", LATER, "after", "deb12"),
        made("0.1.1", AT, "before", "deb12"),
        made("0.1.1", AT, "released", "deb12"),
        made("0.2.0", AT, "before", "deb12"),
    ]
    for older, newer in itertools.combinations(ascending, 2):
        done = subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=False)
        assert done.returncode == 0, f"{older} is not older than {newer}"


def test_a_release_is_called_as_it_is_declared() -> None:
    assert made("0.1.0", AT, "released", "deb12") == "0.1.0+deb12"
    assert made("0.1.0", AT, "before", "deb12") == "0.1.0~git20260501120000+deb12"
