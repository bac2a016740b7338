"""The hub's code, its packages, and the user that it runs as."""

from tests.booted.house import House


def run(house: House) -> None:
    """Boot a fresh Debian and type the guide's first block."""
    house.hub.boot()
    version = house.hub.run("cat /etc/debian_version; systemctl --version | head -1").split("\n")
    house.report.note(f"Debian {version[0]}, {version[1]}")
    house.follow(house.hub, "hub-install")
    assert house.repository.newest in house.hub.run("cat /opt/homesystem/.git/HEAD /opt/homesystem/.git/refs/heads/*")
    house.report.saw(f"the code of {house.repository.newest[:10]} is installed")
