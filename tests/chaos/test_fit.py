"""Whether a home is fit, as an upgrade asks: all well, or named; no letter goes to anybody and no relay of it moves."""

import json
import subprocess
import sys
from pathlib import Path

from deploy.folder import closed
from tests.demo import Demo


def looked(demo: Demo) -> dict[str, str]:
    command = [sys.executable, "-P", "-m", "deploy.examining.fit", "--seconds", "20"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=demo.environment | {"PYTHONPATH": ""}
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_a_home_that_is_well_is_fit_and_notices_nothing(chaos_home: Demo) -> None:
    letters, edges = len(chaos_home.letters()), chaos_home.edges("hall", "lamp")
    users = chaos_home.command("user", "list").stdout
    assert looked(chaos_home) == {}
    assert len(chaos_home.letters()) == letters
    assert chaos_home.edges("hall", "lamp") == edges
    assert chaos_home.command("user", "list").stdout == users


def test_the_home_of_its_own_is_not_closed_with_this_one(chaos_home: Demo) -> None:
    client, mark = chaos_home.client("master"), closed.mark(chaos_home.var)
    mark.touch()
    try:
        assert looked(chaos_home) == {}
        refused = client.call("POST", "/api/v1/logout")
        assert (refused.status, refused.body["type"]) == (503, "/problems/upgrading")
    finally:
        mark.unlink()


def test_what_does_not_run_is_named(chaos_home: Demo) -> None:
    for name, told in (("auth", {"auth", "gateway", "sign-in"}), ("mailbox", {"mail", "sign-in mail"})):
        chaos_home.supervise("stop", name)
        try:
            found = looked(chaos_home)
        finally:
            chaos_home.supervise("start", name)
        assert told <= set(found), found
        assert "command" not in found, "the home of its own has an auth service and a mailbox of its own"


def test_code_with_which_no_room_obeys_is_not_fit(chaos_home: Demo, tmp_path: Path) -> None:
    planted = "from device_agents.obeying.commands import Commands\nCommands.obey = lambda *_, **__: None\n"
    (tmp_path / "sitecustomize.py").write_text(planted)
    faulty = chaos_home.environment | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-P", "-c", "from deploy.examining import short_home as s; s.live()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=faulty)
    assert "ShortLifeError: POST /api/v1/devices/hall/lamp/commands answers 504" in done.stderr
