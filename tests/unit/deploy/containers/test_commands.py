"""Each container runs what its unit runs, by a home's own file; and compose.yaml knows each part."""

import json
import re
import shlex
from pathlib import Path

import pytest

from deploy.containers import commands, upkeep
from deploy.folder import parts
from tests.demo import ROOT

CONTAINERS = ROOT / "deploy" / "containers"
UNITS = ROOT / "deploy" / "systemd"
VAR = Path("/var/lib/homesystem")


def of_unit(name: str) -> list[str]:
    """The module that a unit starts, and what it is given."""
    (line,) = re.findall(r"(?m)^ExecStart=\S+ -m (.+)$", (UNITS / f"homesystem-{name}.service").read_text())
    return shlex.split(line)


@pytest.mark.parametrize("part", ["auth", "alerts", "readings", "gateway", "broker", "signer"])
def test_a_container_runs_the_program_of_its_unit(part: str) -> None:
    told = commands.command(part, VAR)
    module = told[told.index("-m") + 1]
    assert module == of_unit(part)[0]


def test_the_signer_hears_the_same_callers(tmp_path: Path) -> None:
    told = " ".join(of_unit("signer")[1:]).replace(" --for homesystem-auth", "")  # one user for all, there
    assert told in " ".join(commands.command("signer", VAR))


def test_a_part_has_the_file_of_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    assert commands.command("auth", tmp_path)[-1] == str(tmp_path / "parts/auth/auth.toml")
    assert commands.command("agent", tmp_path, "hall")[-1] == str(tmp_path / "agents/hall.toml")


def test_nothing_else_is_a_part() -> None:
    with pytest.raises(KeyError):
        commands.command("homesystem", VAR)


def test_what_timers_do_is_done() -> None:
    timers = {path.stem.removeprefix("homesystem-") for path in UNITS.glob("*.timer") if "@" not in path.name}
    assert timers <= {duty.words[0] for duties in upkeep.DUTIES.values() for duty in duties}


def test_folders_of_parts_are_made_and_mounted() -> None:
    place, compose = (CONTAINERS / "place.sh").read_text(), (CONTAINERS / "compose.yaml").read_text()
    for part in parts.KEYS:
        assert part in place
        folder = "mosquitto" if part == "broker" else "data"
        assert f"parts/{part}:/var/lib/homesystem/parts/{part}:ro\n" in compose
        assert f"parts/{part}/{folder}:/var/lib/homesystem/parts/{part}/{folder}\n" in compose


def test_without_a_home_or_a_decision_nothing_is_kept_up(tmp_path: Path) -> None:
    assert not upkeep.is_wanted("hub", tmp_path)
    (tmp_path / "home.toml").touch()
    assert upkeep.is_wanted("hub", tmp_path)
    assert not upkeep.is_wanted("backup", tmp_path)
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "plan.toml").touch()
    assert upkeep.is_wanted("backup", tmp_path)


def test_numbers_of_users_are_one_in_every_image() -> None:
    dockerfile = (CONTAINERS / "Dockerfile").read_text()
    assert dockerfile.count("FROM users AS") == 2
    assert json.dumps(["/usr/lib/homesystem/.venv/bin/python", "-m", "deploy.containers"]) in dockerfile
