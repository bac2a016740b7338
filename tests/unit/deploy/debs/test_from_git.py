"""A machine that was set up from a checkout gets the package: what would hide the package's goes, the rest stays."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
SCRIPT = ROOT / "deploy" / "from-git.sh"
UNITS = sorted(path.name for path in (ROOT / "deploy/systemd").iterdir())


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """As install.sh leaves a hub, with a unit and a drop-in of its owner's, and the package's files beside."""
    units, packaged = tmp_path / "etc/systemd/system", tmp_path / "usr/lib/systemd/system"
    for folder in (units, packaged, units / "homesystem.target.wants", units / "homesystem-auth.service.d"):
        folder.mkdir(parents=True)
    for name in UNITS:
        text = (ROOT / "deploy/systemd" / name).read_text()
        (units / name).write_text(text)
        (packaged / name).write_text(text.replace("/opt/", "/usr/lib/"))
    (units / "homesystem-auth.service.d/own.conf").write_text("[Service]\nNice=1\n")
    (units / "homesystem-mine.service").write_text("[Service]\nExecStart=/bin/true\n")
    wants = units / "homesystem.target.wants"
    (wants / "homesystem-auth.service").symlink_to("/etc/systemd/system/homesystem-auth.service")
    (units / "multi-user.target.wants").mkdir()
    agent = units / "multi-user.target.wants/homesystem-agent@hall.service"
    agent.symlink_to("/etc/systemd/system/homesystem-agent@.service")
    (tmp_path / "usr/local/bin").mkdir(parents=True)
    (tmp_path / "usr/local/bin/homesystem").write_text((ROOT / "deploy/homesystem.sh").read_text())
    (tmp_path / "etc/tmpfiles.d").mkdir()
    (tmp_path / "etc/tmpfiles.d/homesystem.conf").write_text("d /var/lib/homesystem\n")
    (tmp_path / "opt/homesystem").mkdir(parents=True)
    return tmp_path


def run(machine: Path) -> str:
    return subprocess.run(["sh", str(SCRIPT), str(machine)], capture_output=True, text=True, check=True).stdout


def test_what_would_hide_the_package_goes_and_what_is_the_owners_stays(machine: Path) -> None:
    said = run(machine)
    units = machine / "etc/systemd/system"
    assert {path.name for path in units.iterdir() if path.is_file()} == {"homesystem-mine.service"}
    assert (units / "homesystem-auth.service.d/own.conf").exists()
    assert not (machine / "usr/local/bin/homesystem").exists()
    assert not (machine / "etc/tmpfiles.d/homesystem.conf").exists()
    assert "sudo rm -r /opt/homesystem" in said
    assert (machine / "opt/homesystem").is_dir()


def test_what_was_enabled_is_enabled_with_the_packages_units(machine: Path) -> None:
    run(machine)
    links = {path.name: str(path.readlink()) for path in (machine / "etc/systemd/system").glob("*.wants/*")}
    assert links == {
        "homesystem-auth.service": "/usr/lib/systemd/system/homesystem-auth.service",
        "homesystem-agent@hall.service": "/usr/lib/systemd/system/homesystem-agent@.service",
    }


def test_a_second_time_nothing_is_done(machine: Path) -> None:
    run(machine)
    own = machine / "etc/systemd/system/homesystem-auth.service"
    own.write_text("# the owner's own version of the packaged unit\n")
    assert run(machine) == ""
    assert own.exists()


def run_with(folder: Path, text: str) -> None:
    """A script whose systemctl, and where it notes what is enabled, are in a folder."""
    text = text.replace("/run/systemd/system", str(folder)).replace("/var/lib/", f"{folder}/")
    subprocess.run(["sh", "-c", text.replace("set -eu\n", f"set -eu\nPATH={folder}:$PATH\n")], check=True)


def test_before_the_package_goes_everything_is_stopped_timers_first_and_nothing_starts_again(tmp_path: Path) -> None:
    wants = tmp_path / "system/homesystem.target.wants"
    wants.mkdir(parents=True)
    for name in ("homesystem-auth.service", "homesystem-agent@hall.service"):
        (wants / name).symlink_to(f"/usr/lib/systemd/system/{name}")
    (tmp_path / "systemctl").write_text(
        f'#!/bin/sh\necho "$*" >>{tmp_path}/said\n'
        "[ $1 = list-units ] || exit 0\n"
        'printf "homesystem-%s loaded active running x\\n" auth.service doctor.timer agent@hall.service\n'
        # What systemd still remembers of a package that is gone, and refuses to stop.
        'printf "homesystem-%s not-found inactive dead x\\n" signer.service renew.timer\n'
    )
    (tmp_path / "systemctl").chmod(0o755)
    text = (ROOT / "deploy/dismiss.sh").read_text().replace("/etc/systemd/system", str(tmp_path / "system"))
    (tmp_path / "homesystem.enabled").write_text("homesystem-gateway.service\n")  # of a hub's package before
    run_with(tmp_path, text)
    done = [line for line in (tmp_path / "said").read_text().splitlines() if not line.startswith("list-units")]
    assert done == [
        "stop homesystem-doctor.timer",
        "stop homesystem-auth.service homesystem-agent@hall.service",
        "--quiet disable homesystem-agent@hall.service homesystem-auth.service",
    ]
    assert set((tmp_path / "homesystem.enabled").read_text().split()) == {
        "homesystem-agent@hall.service",
        "homesystem-auth.service",
        "homesystem-gateway.service",
    }


def test_the_next_package_has_enabled_what_it_has_of_what_was(tmp_path: Path) -> None:
    (tmp_path / "homesystem.enabled").write_text("homesystem-auth.service\nhomesystem-agent@hall.service\n")
    (tmp_path / "units").mkdir()
    (tmp_path / "units/homesystem-agent@.service").write_text("")
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/said\n')
    (tmp_path / "systemctl").chmod(0o755)
    text = (ROOT / "deploy/resume.sh").read_text().replace("/usr/lib/systemd/system", str(tmp_path / "units"))
    for _ in range(2):
        run_with(tmp_path, text)
        assert (tmp_path / "said").read_text().splitlines() == [
            "--quiet enable homesystem-agent@hall.service",
            "start --no-block homesystem-agent@hall.service",
        ]
    assert (tmp_path / "homesystem.enabled").read_text() == "homesystem-auth.service\n", (
        "it waits for the hub's package"
    )
    (tmp_path / "units/homesystem-auth.service").touch()
    run_with(tmp_path, text)
    assert "--quiet enable homesystem-auth.service" in (tmp_path / "said").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"said", "systemctl", "units"}
