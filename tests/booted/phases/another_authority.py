"""Another web authority follows: people install it while the hub shows the present one, then it is shown alone."""

import ssl

from tests.booted.house import MASTER, PASSWORD, House
from tests.booted.phases import examining
from tests.booted.trees import PERSON


def run(house: House) -> None:
    """What docs/certificates.md says, with a browser that knows the present one, and with one that has the next one."""
    former = house.visitor
    house.follow(house.hub, "web-authority")
    house.follow(house.hub, "web-authority-next")
    follows = (house.hub.tree / f"home/{PERSON}/next.crt").read_text()
    former.sign_in(MASTER, PASSWORD)
    house.report.saw("while the next one is offered, whoever knows the present one signs in as before")
    offered = former.call("GET", "/web-ca-next.crt")
    assert offered.status == 200, offered
    examining.run(house)
    house.follow(house.hub, "web-authority-now")
    visitor = house.welcome(follows)
    visitor.sign_in(MASTER, PASSWORD)
    house.report.saw("with the next one one signs in after the change")
    try:
        former.served()
    except ssl.SSLError as error:
        house.report.saw(f"who knows the former one alone is refused: {error}"[:150])
    else:
        raise AssertionError("who knows the former authority alone is still let in")
    kept = house.hub.run("find /var/lib/homesystem-signer/vault -name 'next-*' -o -name '*.key'").split()
    assert sorted(path.rpartition("/")[2] for path in kept) == ["device-ca.key", "web-ca.key"], kept
    examining.run(house)
