"""The hub's disk is lost: a new machine takes its place, with the code from the guide and the home from its backup."""

import subprocess

from tests.booted.house import HUB, MASTER, PASSWORD, UNITS, House
from tests.booted.phases.dying import well
from tests.booted.terminal import Answer
from tests.booted.trees import PERSON

ARCHIVE = f"home/{PERSON}/home.tar.gz"


def backup(house: House) -> None:
    """One file, made while the home runs."""
    house.follow(house.hub, "backup")
    archive = house.hub.tree / ARCHIVE
    mode = archive.stat().st_mode & 0o777
    assert mode == 0o600, f"the archive is of mode {mode:o}"
    house.report.saw(f"one file of {archive.stat().st_size // 1024} KiB and mode 600, made while the home runs")
    well(house)
    house.report.saw("and the home goes on meanwhile")


def restore(house: House) -> None:
    """On another machine at the hub's place; what the old one knew, the new one knows."""
    lost = house.hub
    lost.off()
    fresh = house.machine("hub", like=lost)
    house.hub = fresh
    try:
        fresh.boot()
        house.follow(fresh, "hub-install")
        subprocess.run(["cp", "-a", str(lost.tree / ARCHIVE), str(fresh.tree / ARCHIVE)], check=True)
        house.follow(fresh, "restore", [Answer(r"Which of them was revoked", "")])
        house.report.saw("nothing there knows who was revoked since, so it asks")
        house.follow(fresh, "hub-units")
        for unit in UNITS:
            fresh.until_active(unit)
        fresh.until(house.visitor.ready, "the gateway is ready", 60)
        assert house.visitor.call("GET", "/api/v1/me").status == 401, "who was signed in then still is"
        assert house.visitor.sign_in(MASTER, PASSWORD)["role"] == "master"
        house.report.saw("whoever was signed in is not any more; the master user signs in with the same password")
        well(house)
        house.report.saw(f"a new machine is {HUB}: browsers and the hall trust it as before, and a command is executed")
        house.report.saw("the record is whole: " + " ".join(fresh.run("homesystem audit verify").split())[:120])
    except BaseException:
        fresh.cut()
        house.hub = lost
        lost.boot()  # what comes next is not to fail of this as well
        raise
