"""What units note of ends that nobody asked for, by the real script, and what becomes of it."""

import subprocess
import time
from pathlib import Path

import pytest

from deploy.folder.home import ROOT
from shared.proof import ends


def end(folder: Path, result: str, status: str) -> None:
    """A unit's ExecStopPost=."""
    subprocess.run(
        ["/bin/sh", str(ROOT / "deploy" / "ended.sh")],
        env={
            "SERVICE_RESULT": result,
            "EXIT_STATUS": status,
            "RUNTIME_DIRECTORY": str(folder),
            "PATH": "/usr/bin:/bin",
        },
        check=True,
    )


@pytest.mark.parametrize(
    ("result", "status", "how"),
    [
        ("watchdog", "ABRT", "it gave no sign of life"),
        ("signal", "KILL", "it was ended by the signal KILL"),
        ("exit-code", "1", "it failed with the exit code 1"),
        ("oom-kill", "KILL", "the machine ran out of memory"),
    ],
)
def test_an_end_that_nobody_asked_for_is_noted(result: str, status: str, how: str, tmp_path: Path) -> None:
    before = time.time()
    end(tmp_path, result, status)
    (noted,) = ends.read(tmp_path / ends.NOTE)
    assert noted.how == how
    assert (tmp_path / ends.NOTE).stat().st_mode & 0o777 == 0o644, "it is read by another user where the signer ends"
    assert before - 0.01 <= noted.at <= time.time()


@pytest.mark.parametrize(
    ("result", "status"), [("success", "0"), ("success", "TERM"), ("exit-code", "78"), ("exit-code", "75")]
)
def test_a_stop_a_restart_and_what_has_spoken_for_itself_are_not(result: str, status: str, tmp_path: Path) -> None:
    end(tmp_path, result, status)
    assert ends.read(tmp_path / ends.NOTE) == []


def test_what_is_no_whole_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "ended").write_text("1700000000000 watchdog ABRT\nnonsense\n\n1700000001000 signal KI")
    assert ends.read(tmp_path / "ended") == [ends.End(1700000000.0, "it gave no sign of life")]


def test_many_ends_are_one_event_dated_by_the_last() -> None:
    told = ends.event("gateway", "alerts", [ends.End(1700000000.0, "a"), ends.End(1700000009.5, "b")])
    assert (told.what, told.where, told.who.issuer) == ("service:replaced", "gateway", "alerts")
    assert told.at.timestamp() == 1700000009.5
    assert told.detail == {"because": "b", "times": "2"}
