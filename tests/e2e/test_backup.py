"""A home as one file, and back: written while everything runs, restored into nothing, and whole."""

import shutil
import stat
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import Demo
from tests.house import until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("backup"), warm=True)
    assert made.command("init", "--demo").returncode == 0
    made.start()
    yield made
    made.stop()


def taken(house: Demo, name: str) -> Path:
    """What somebody has who took that room's Pi away."""
    folder = house.var.parent / name
    folder.mkdir()
    for file in (f"{name}.crt", f"{name}.key", "device-ca.crt"):
        shutil.copy(house.var / "pki" / file, folder / file)
    return folder


def is_admitted(house: Demo, files: Path, name: str) -> bool:
    """Whether the broker lets in who has that identity's files."""
    tls = ["--cafile", "device-ca.crt", "--cert", f"{name}.crt", "--key", f"{name}.key"]
    reached = ["-V", "5", "-h", "localhost", "-p", str(house.ports["MQTT"])]
    command = ["mosquitto_pub", *reached, *tls, "-t", f"home/{name}/availability", "-m", "x"]
    return subprocess.run(command, cwd=files, capture_output=True, check=False).returncode == 0


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

    refused = house.command("restore", str(file), "--none-revoked")
    assert refused.returncode == 1
    assert "There is a home" in refused.stderr
    refused = house.command("restore", "--replace", str(file))
    assert refused.returncode == 1
    assert "The home runs" in refused.stderr

    house.stop()
    shutil.rmtree(house.var)
    refused = house.command("restore", str(file))
    assert refused.returncode == 1
    assert "garage, hall, kitchen that was revoked, lost or stolen since" in refused.stderr
    refused = house.command("restore", str(file), "--revoked", "gateway")
    assert "gateway: that is no name of a room or of a client" in refused.stderr
    assert not list(house.var.parent.glob(f"*{house.var.name}*")), "what is refused leaves nothing"
    told = house.command("restore", str(file), "--none-revoked")
    assert told.returncode == 0, told.stdout + told.stderr
    house.start()
    assert house.users() == users
    assert master.call("GET", "/api/v1/me").status == 401, "who was signed in then is not"
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


def test_a_stolen_pi_and_a_lockdown_are_what_they_are_now_and_not_what_they_were(house: Demo) -> None:
    """Whoever brings an older home back brings back none who was shut out of it since."""
    file = house.var.parent / "before-the-theft.tar.gz"
    assert house.command("backup", str(file)).returncode == 0
    identity = taken(house, "kitchen")
    assert house.command("room", "revoke", "kitchen").returncode == 0
    assert house.command("lockdown", "begin").returncode == 0
    house.stop()
    told = house.command("restore", "--replace", str(file))
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Revoked since, and so still: kitchen." in told.stdout
    assert "The home is locked down, as it was" in told.stdout
    house.start()
    assert not is_admitted(house, identity, "kitchen")
    assert house.command("lockdown", "end").returncode == 0
    master = house.client("master")
    assert master.act("hall/lamp", "on").status == 200
    assert house.command("audit", "verify").returncode == 0


def test_on_a_new_hub_whoever_is_named_is_shut_out(house: Demo) -> None:
    file = house.var.parent / "of-the-dead-hub.tar.gz"
    assert house.command("backup", str(file)).returncode == 0
    identity = taken(house, "garage")
    assert is_admitted(house, identity, "garage")
    house.stop()
    shutil.rmtree(house.var)
    told = house.command("restore", str(file), "--revoked", "garage")
    assert told.returncode == 0, told.stdout + told.stderr
    house.start()
    assert not is_admitted(house, identity, "garage")
