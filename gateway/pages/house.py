"""GET /house: how the house is kept, on one page, for the master user."""

from typing import NamedTuple

from aiohttp import web

from gateway.desk import house
from gateway.pages import mail_notice, render
from gateway.pages.house_words import told
from gateway.pages.speaking import now as tongue
from gateway.picture.kept import Facts, checks


class Room(NamedTuple):
    """A room, or a trusted client, in the list. `days` left of its certificate, None where nobody knows."""

    id: str
    name: str
    status: str
    version: str
    days: int | None


async def show_house(request: web.Request) -> web.StreamResponse:
    """What was looked at, what could not be, and how the parts of the house are."""
    facts = await house.facts(request)
    listed = [told(one) for one in checks(facts)]
    mail = facts.alerts.mail if facts.alerts is not None else None
    failure = mail_notice.failure(mail) if mail is not None else ""
    return await render.page(
        request,
        "house.html",
        faults=[one for one in listed if one.state == "wrong"],
        unseen=[one for one in listed if one.state == "unknown"],
        well=[one for one in listed if one.state == "well"],
        rooms=_rooms(facts),
        clients=_clients(facts),
        registry_known=facts.house is not None,
        letters=mail,
        failure=failure,
        disk=facts.disk,
        gib=_gib,
        backup=facts.backup,
        authorities=facts.authorities,
        doctor=facts.doctor,
        version=facts.version,
    )


def _gib(count: int) -> str:
    return f"{tongue().number(count / 2**30, digits=1)} GiB"


def _days(facts: Facts) -> dict[str, int]:
    enrolled = facts.house.enrolled if facts.house is not None else ()
    return {one.name: (one.ends_at - facts.now).days for one in enrolled if one.ends_at is not None}


def _rooms(facts: Facts) -> list[Room]:
    days = _days(facts)
    return [Room(one.id, one.name, one.status, one.version or "", days.get(one.id)) for one in facts.rooms]


def _clients(facts: Facts) -> list[Room]:
    days = _days(facts)
    enrolled = facts.house.enrolled if facts.house is not None else ()
    return [Room(one.name, one.name, "", "", days.get(one.name)) for one in enrolled if one.role == "client"]
