"""A home as one file, and back: written while everything runs, restored into nothing, and whole."""

import shutil
import stat
import uuid
from collections.abc import Iterator

import pytest

from tests.demo import Demo
from tests.house import until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("backup"))
    assert made.command("init", "--demo").returncode == 0
    made.start()
    yield made
    made.stop()


def test_a_home_that_was_lost_comes_back_with_its_people_its_record_and_its_keys(house: Demo) -> None:
    master = house.client("master")
    command = str(uuid.uuid4())
    assert master.act("hall/front-door", "unlock", id=command, confirm=True).status == 200
    until(lambda: command in str(master.call("GET", "/api/v1/audit").body), "the act is in the record")
    file = house.var.parent / "home.tar.gz"
    told = house.command("backup", str(file))
    assert told.returncode == 0, told.stdout + told.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    users = house.users()

    refused = house.command("restore", str(file))
    assert refused.returncode == 1
    assert "There is a home" in refused.stderr
    refused = house.command("restore", "--replace", str(file))
    assert refused.returncode == 1
    assert "The home runs" in refused.stderr

    house.stop()
    shutil.rmtree(house.var)
    told = house.command("restore", str(file))
    assert told.returncode == 0, told.stdout + told.stderr
    house.start()
    assert house.users() == users
    assert house.command("audit", "verify").returncode == 0
    master = house.client("master")
    assert command in str(master.call("GET", "/api/v1/audit").body)
    assert master.act("hall/front-door", "lock").status == 200
    told = house.command("doctor")
    assert told.returncode == 0, told.stdout


def test_over_a_home_it_puts_the_other_aside(house: Demo) -> None:
    file = house.var.parent / "again.tar.gz"
    assert house.command("backup", str(file)).returncode == 0
    again = house.command("backup", str(file))
    assert again.returncode == 1
    assert "exists" in again.stderr
    house.stop()
    (house.var / "mark").write_text("of the home that goes")
    told = house.command("restore", "--replace", str(file))
    assert told.returncode == 0, told.stdout + told.stderr
    assert not (house.var / "mark").exists()
    (aside,) = house.var.parent.glob(f"{house.var.name}.before-*")
    assert (aside / "mark").exists()
    house.start()
