"""A hundred days in one home, over every certificate's end and the list's; `make years` lives longer."""

import subprocess
import sys

import pytest

from tests import years
from tests.demo import ROOT

SECONDS = 900
pytestmark = [pytest.mark.timeout(SECONDS + 60), pytest.mark.long]


def test_a_home_renews_itself_and_refuses_nobody() -> None:
    if years.library() is None:
        pytest.skip("libfaketime is not installed")
    lived = subprocess.run(
        [sys.executable, "-m", "tests.years", "--days", "100", "--step", "25"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert lived.returncode == 0, lived.stdout + lived.stderr
    assert "100 days in 4 steps: 4 sign-ins, 12 commands in 3 rooms, 4 restarts, 0 refusals" in lived.stdout
