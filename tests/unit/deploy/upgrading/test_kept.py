"""The code that goes on with an upgrade is the copy that was kept, and what it starts is told nothing of that."""

import subprocess
from pathlib import Path

import pytest

from deploy.upgrading import kept
from tests import upgraded_world

SAYS = """
import os
print("kept:", __file__, [name for name in os.environ if name.startswith("PYTHON")])
"""


def test_what_was_kept_runs_wherever_it_is_started_and_leaves_no_word_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = upgraded_world.made(tmp_path / "world")
    monkeypatch.setenv("PATH", upgraded_world.path(world))
    kept.keep(world.place)
    code = world.place.state / "driver" / "deploy" / "upgrading" / "place.py"
    code.write_text(code.read_text() + SAYS)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deploy").mkdir(parents=True)
    (elsewhere / "deploy" / "__init__.py").write_text("raise SystemExit('the wrong code')")
    run = subprocess.run(
        [world.place.state / "driver" / "run", "--help"],
        cwd=elsewhere,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith(f"kept: {code} []\n")
    assert "usage: homesystem upgrade" in run.stdout
    assert not list(code.parent.glob("__pycache__")), "it is taken away as it was put there"
