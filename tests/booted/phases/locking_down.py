"""Lockdown from the hub's terminal, as the guide has it: begun, looked at, ended."""

from tests.booted.house import MASTER, PASSWORD, House
from tests.booted.phases import commanding


def run(house: House) -> None:
    """Between its first line and its last nothing may be switched on; everyone is signed out."""
    begin, *rest = house.guide["lockdown"].commands
    house.hub.home_folder()
    house.hub.type(begin)
    assert house.visitor.call("GET", "/api/v1/me").status == 401, "a session outlived the lockdown"
    house.report.saw("everyone is signed out")
    house.visitor.sign_in(MASTER, PASSWORD)
    refused = house.visitor.act("hall/lamp", "on")
    assert refused.status == 409, refused
    assert house.visitor.act("hall/lamp", "off").status == 200, "off is safe and has to be obeyed"
    house.report.saw(f"on is refused ({refused.body.get('type')}), off is obeyed")
    for command in rest:
        house.hub.type(command)
    house.hub.until(lambda: house.visitor.act("hall/lamp", "on").status == 200, "the hall obeys again", 20)
    commanding.off_and_on(house)
    house.report.saw("after its end the hall obeys again")
