"""The hub's disk is lost: a new machine takes its place, with the code from the guide and the home from its backup.

Twice: from a file that somebody made by hand, and from the sealed one on another disk, by its passphrase, with somebody
revoked after it was made.
"""

import subprocess
from collections.abc import Callable

from tests.booted.house import HUB, MASTER, PASSWORD, UNITS, House
from tests.booted.machine import Machine
from tests.booted.phases.dying import well
from tests.booted.terminal import Answer
from tests.booted.trees import PERSON

ARCHIVE = f"home/{PERSON}/home.tar.gz"
DISK = "mnt/backup"
PHONE = "root/phone"
PASSPHRASE = "velvet otter seldom crosses 4 bridges"
NEW = [Answer(r"Passphrase for the key", PASSPHRASE, "…"), Answer(r"Again", PASSPHRASE, "…")]
ASKED = [Answer(r"Passphrase of the backups' key", PASSPHRASE, "…")]


def backup(house: House) -> None:
    """One file, made while the home runs; then sealed ones on a disk, of which the timer makes one each day."""
    house.follow(house.hub, "backup")
    archive = house.hub.tree / ARCHIVE
    mode = archive.stat().st_mode & 0o777
    assert mode == 0o600, f"the archive is of mode {mode:o}"
    house.report.saw(f"one file of {archive.stat().st_size // 1024} KiB and mode 600, made while the home runs")
    house.follow(house.hub, "backup-key", NEW)
    house.follow(house.hub, "backup-target")
    _by_timer(house)
    house.follow(house.hub, "backup-verify", ASKED)
    house.report.saw("a sealed one on another disk, by the unit as well, and tried out")
    well(house)
    house.report.saw("and the home goes on meanwhile")


def _by_timer(house: House) -> None:
    """What the unit does under its own few rights: nothing while the last one is young, and one where it is gone."""
    listed = f"ls /{DISK}/homesystem-20*.age | wc -l"
    assert house.hub.run("systemctl is-active homesystem-backup.timer").strip() == "active"
    house.hub.run("systemctl start homesystem-backup.service", seconds=120)
    assert house.hub.run(listed).strip() == "1", "a second one on one day"
    house.hub.run(f"rm /{DISK}/homesystem-20*.age && systemctl start homesystem-backup.service", seconds=120)
    assert house.hub.run(listed).strip() == "1", house.hub.run("journalctl -u homesystem-backup | tail -20")
    house.hub.run(f"mv /{DISK} /mnt/unplugged && mkdir /{DISK}")
    try:
        house.hub.run("systemctl start homesystem-backup.service", seconds=120, check=False)
        assert not house.hub.run(f"ls -A /{DISK}").strip(), "something was written where no disk is"
        assert "plug it in" in house.hub.run("homesystem doctor", seconds=180, check=False)
    finally:  # what comes next is not to fail of this as well
        house.hub.run(f"rm -rf /{DISK} && mv /mnt/unplugged /{DISK}")
    house.hub.run("systemctl start homesystem-backup.service", seconds=120)
    house.report.saw("a disk that is not plugged in is told, and nothing is written into its empty place")


def from_git(house: House, machine: Machine) -> None:
    """The code, as the guide has it."""
    house.follow(machine, "hub-install")


def restore(house: House, install: Callable[[House, Machine], None] = from_git) -> None:
    """On another machine at the hub's place; what the old one knew, the new one knows. `install` brings the code."""
    lost, rooms = house.hub, house.visitor.rooms_online()
    lost.run(f"homesystem client add phone --may hall/lamp --out /{PHONE}")
    lost.run("homesystem backup")
    assert "revoked" not in _knock(lost), "a phone that is enrolled is not let in"
    lost.run("homesystem client revoke phone")
    lost.off()
    fresh = house.machine("hub", like=lost)
    house.hub = fresh
    try:
        fresh.boot()
        install(house, fresh)
        for place in (ARCHIVE, DISK, PHONE):
            subprocess.run(["cp", "-a", str(lost.tree / place), str((fresh.tree / place).parent)], check=True)
        house.follow(fresh, "restore", [Answer(r"Which of them was revoked", "")])
        house.report.saw("nothing beside that file says who was revoked since, so it asks")
        house.follow(fresh, "hub-units")
        _lives(house, fresh, rooms)
        fresh.run("systemctl stop 'homesystem*'")
        fresh.run(
            "rm -rf /var/lib/homesystem-backup /var/lib/homesystem-signer; find /var/lib/homesystem -mindepth 1 -delete"
        )
        shown = house.follow(fresh, "restore-sealed", ASKED)
        assert "Revoked since, and so still: phone" in shown, shown
        house.report.saw("lost once more; the passphrase opens the sealed one, and who was revoked after it stays so")
        _lives(house, fresh, rooms)
        fresh.until(lambda: "certificate revoked" in _knock(fresh), "the phone is refused by the broker", 30)
        house.report.saw("the broker refuses the phone that was revoked after that backup")
        fresh.run("systemctl start homesystem-backup.service", seconds=120)
        house.report.saw("where backups go is known as before")
    except BaseException:
        fresh.cut()
        house.hub = lost
        lost.boot()  # what comes next is not to fail of this as well
        raise


def _lives(house: House, fresh: Machine, rooms: set[str]) -> None:
    """People and rooms are there as before, and the record is whole."""
    for unit in (*UNITS, "homesystem-signer"):
        fresh.until_active(unit)
    fresh.until(house.visitor.ready, "the gateway is ready", 60)
    assert house.visitor.call("GET", "/api/v1/me").status == 401, "who was signed in then still is"
    assert house.visitor.sign_in(MASTER, PASSWORD)["role"] == "master"
    house.report.saw("whoever was signed in is not any more; the master user signs in with the same password")
    well(house)
    fresh.until(lambda: house.visitor.rooms_online() >= rooms, f"{', '.join(sorted(rooms))} are back", 60)
    told = f"a new machine is {HUB}: browsers and rooms ({', '.join(sorted(rooms))}) trust it as before, without a hand"
    house.report.saw(f"{told}, and a command is executed")
    house.report.saw("the record is whole: " + " ".join(fresh.run("homesystem audit verify").split())[:120])


def _knock(machine: Machine) -> str:
    """What the broker says to the phone. Under TLS 1.2 a refusal comes with the handshake."""
    files = f"-CAfile /{PHONE}/ca.crt -cert /{PHONE}/client.crt -key /{PHONE}/client.key"
    command = f"openssl s_client -tls1_2 -connect 127.0.0.1:8883 {files} </dev/null 2>&1"
    said = machine.run(command, check=False)
    assert "CONNECTED" in said, said
    return said
