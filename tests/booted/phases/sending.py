"""Backups that go to another machine by SFTP: its key is compared once, and the timer's unit sends with few rights."""

import re

from tests.booted.house import House
from tests.booted.machine import Machine
from tests.booted.phases import restoring
from tests.booted.phases.dying import well
from tests.booted.terminal import Answer

_PLACE = "/home/backup"
_LISTED = f"ls {_PLACE}/homesystem/homesystem-20*.age | wc -l"
_SEND = "systemctl start homesystem-backup.service"


def run(house: House) -> None:
    """A machine with Debian's own SSH server keeps them; in the end they go to the disk again."""
    nas = house.machine("nas")
    nas.boot()
    try:
        nas.run("apt-get update && apt-get install -y --no-install-recommends openssh-server", seconds=300)
        nas.run(f"usermod -s /bin/sh -d {_PLACE} backup && install -d -o backup -m 700 {_PLACE} {_PLACE}/.ssh")
        nas.until_active("ssh")
        compared = Answer("Is one of them the same", lambda shown: _compare(nas, shown), "(compared) y")
        house.follow(house.hub, "backup-sftp", [compared], replaced={"nas.home.example": "nas.home.arpa"})
        _arrives(house, nas)
        _is_careful(house, nas)
        well(house)
    finally:
        nas.cut()
    house.follow(house.hub, "backup-target")
    house.follow(house.hub, "backup-verify", restoring.ASKED)


def _compare(nas: Machine, shown: str) -> str:
    """At the other machine: let the hub's key in, and see that the one which the hub was shown is this machine's."""
    ours = re.search(r"^(ssh-ed25519 \S+)", shown, re.MULTILINE)
    assert ours is not None, shown
    keys = f"{_PLACE}/.ssh/authorized_keys"
    nas.run(f"echo '{ours[1]}' > {keys} && chown backup {keys} && chmod 600 {keys}")
    fingerprint = nas.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    return "y" if fingerprint in shown else "n"


def _arrives(house: House, nas: Machine) -> None:
    assert nas.run(_LISTED).strip() == "1"
    house.hub.run(_SEND, seconds=120)
    assert nas.run(_LISTED).strip() == "1", "a second one on one day"
    nas.run(f"rm {_PLACE}/homesystem/homesystem-20*.age")
    house.hub.run(_SEND, seconds=120)
    assert nas.run(_LISTED).strip() == "1", house.hub.run("journalctl -u homesystem-backup | tail -20")
    house.report.saw("by the command and by the unit: sealed files arrive, one a day")
    house.hub.run("homesystem client add tablet --may hall/lamp --out /root/tablet")
    before = nas.run(f"stat -c %y {_PLACE}/homesystem/homesystem-revoked.age")
    house.hub.run("homesystem client revoke tablet")
    assert nas.run(f"stat -c %y {_PLACE}/homesystem/homesystem-revoked.age") != before
    house.report.saw("who is revoked is written there at once")


def _is_careful(house: House, nas: Machine) -> None:
    """Another machine at its name, and none at all."""
    nas.run("mkdir /root/own && mv /etc/ssh/ssh_host_* /root/own && ssh-keygen -A && systemctl restart ssh")
    nas.run(f"rm {_PLACE}/homesystem/homesystem-20*.age")
    house.hub.run(_SEND, seconds=120, check=False)
    assert house.hub.unit("homesystem-backup", "Result")["Result"] == "exit-code"
    assert nas.run(_LISTED + " 2>/dev/null").strip() == "0", "something was sent to a machine that nobody confirmed"
    assert "its key is not the one that was confirmed" in house.hub.run("homesystem doctor", seconds=180, check=False)
    house.report.saw("another machine under that name gets nothing, and the doctor says so")
    nas.run("mv /root/own/ssh_host_* /etc/ssh/ && systemctl restart ssh")
    house.hub.run(_SEND, seconds=120)
    assert nas.run(_LISTED).strip() == "1"
    nas.cut()
    house.hub.run("homesystem client add radio --may hall/lamp --out /root/radio")
    shown = house.hub.run("homesystem client revoke radio 2>&1", seconds=120)
    house.report.saw("a machine that is off hinders no revocation: " + " ".join(shown.split())[-160:])
    nas.boot()
    nas.until_active("ssh")
    house.hub.run(_SEND, seconds=120)
    house.report.saw("once it is on again, the unit goes on")
