"""Whether others will find the hub: each doubt says what to do, and a name that leads here raises none."""

import pytest

from deploy.founding import reach
from deploy.founding.reach import Machine

OURS = {"192.168.1.5", "127.0.0.1", "127.0.1.1", "::1", "fd00::5"}


def machine(*addresses: str, name: str = "hub", announces: bool = False) -> Machine:
    return Machine(name, lambda _: list(addresses), lambda address: address in OURS, announces)


@pytest.mark.parametrize("addresses", [["192.168.1.5"], ["192.168.1.5", "fd00::5"], ["127.0.1.1", "192.168.1.5"]])
def test_a_name_that_leads_here_raises_no_doubt(addresses: list[str]) -> None:
    assert reach.doubt("hub.home.arpa", machine(*addresses)) is None


@pytest.mark.parametrize(
    ("name", "addresses", "said"),
    [
        ("hub.home.arpa", [], "Nobody knows hub.home.arpa yet"),
        ("hub.home.arpa", ["192.168.1.9"], "192.168.1.9, which is not this machine"),
        ("hub.home.arpa", ["192.168.1.5", "192.168.1.9"], "192.168.1.9, which is not this machine"),
        ("hub", ["127.0.1.1"], "Only this machine knows hub"),
        ("hub.local", ["192.168.1.5"], "sudo apt install avahi-daemon"),
        ("hub.local", [], "sudo apt install avahi-daemon"),
        ("hub.local", ["192.168.1.9"], "192.168.1.9, which is not this machine"),
    ],
)
def test_a_doubt_says_what_to_do(name: str, addresses: list[str], said: str) -> None:
    assert said in str(reach.doubt(name, machine(*addresses)))


def test_avahi_announces_the_machines_own_name_and_no_other() -> None:
    assert reach.doubt("hub.local", machine(announces=True)) is None
    assert "sudo hostnamectl hostname house" in str(reach.doubt("house.local", machine(announces=True)))


def test_this_machine_knows_its_own_addresses() -> None:
    here = reach.this_machine()
    assert here.is_ours("127.0.0.1")
    assert not here.is_ours("192.0.2.1")
    assert here.resolve("nowhere.invalid") == []
    assert "127.0.0.1" in here.resolve("localhost")
