"""GET and POST /users/{user}/grants, and the form behind: what a guest may do, at a glance, changed or taken away.

Form fields: `stands` (which list the page showed), `do` "save" or "remove", `grant` (its number in that list, from 0;
empty for a new one), `device` (ROOM/DEVICE), and those of form.py.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.desk import guests
from gateway.pages import faults, flash, render
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.guests import form as forms
from gateway.pages.guests import week, words
from gateway.pages.guests.week import Day
from gateway.pages.guests.words import Now
from gateway.pages.speaking import say
from gateway.picture import guards
from gateway.picture.views import RoomView
from shared.words import grant_text
from shared.words.internal import Grant, UserRow
from shared.words.languages import later
from shared.words.names import ACTIONS, Kind
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset({"invalid-value", "no-proof", "auth-unreachable"})
_CHANGED_MEANWHILE: Final = Said(
    "bad",
    later("Somebody changed this meanwhile: nothing was done"),
    later("Look at what stands now, and change that."),
)


class Line(NamedTuple):
    """One grant in words, and its number in the list."""

    number: int
    when: str
    what: str


class Granted(NamedTuple):
    """One device of a guest's."""

    name: str
    now: Now
    days: list[Day]
    lines: list[Line]


def at_a_glance(grants: Iterable[Grant], rooms: Iterable[RoomView], now: datetime) -> Iterator[Granted]:
    """Each device once, as the grants name them; `now` in the home's zone."""
    by_place: dict[tuple[str, str], list[tuple[int, Grant]]] = {}
    rooms = tuple(rooms)
    for number, grant in enumerate(grants):
        by_place.setdefault((grant.room, grant.device), []).append((number, grant))
    for (room, device), numbered in by_place.items():
        theirs = [grant for _, grant in numbered]
        yield Granted(
            name=words.device(room, device, rooms),
            now=words.standing(theirs, now),
            days=week.days(theirs, now),
            lines=[Line(number, words.when(grant, now), words.what(grant)) for number, grant in numbered],
        )


async def show_grants(request: web.Request) -> web.StreamResponse:
    """What one guest may do, and where it is changed."""
    row = await guests.find(request, request.match_info["user"])
    rooms, now = request.app[keys.HOME].rooms(), guards.local_now(request.app[keys.CONFIG].zone)
    return await render.page(
        request,
        "grants.html",
        guest=row.user,
        granted=list(at_a_glance(row.grants, rooms, now)),
        stands=_stands(row),
        rooms=[room for room in rooms if room.devices],
    )


async def show_form(request: web.Request) -> web.StreamResponse:
    """The form for one more grant (?device=ROOM/DEVICE), or for one that there is (?grant=NUMBER)."""
    row = await guests.find(request, request.match_info["user"])
    number = request.query.get("grant", "")
    grant = _numbered(row, number)
    place = request.query.get("device", "") if grant is None else f"{grant.room}/{grant.device}"
    offered = _offered(request, place)
    zone = request.app[keys.CONFIG].zone
    filled = forms.blank(offered) if grant is None else forms.of(grant, offered, zone)
    return await _form(request, row, place, number if grant is not None else "", filled)


async def change_grants(request: web.Request) -> web.StreamResponse:
    """Save or remove one grant, and back to the list; or say beside the field what cannot be."""
    row = await guests.find(request, request.match_info["user"])
    form = await read_form(request)
    if form.text("do") not in ("save", "remove"):
        raise HomeError("bad-request", "do is save or remove.")
    if form.text("stands") != _stands(row):
        await flash.put(request, _CHANGED_MEANWHILE.spoken())
        raise web.HTTPSeeOther(_address(row))
    before = _numbered(row, form.text("grant"))
    if form.text("do") == "remove":
        if before is None:
            raise HomeError("not-found", "There is no such grant.")
        await _replace(request, row, [grant for grant in row.grants if grant is not before], before)
        raise web.HTTPSeeOther(_address(row))
    place = form.text("device") if before is None else f"{before.room}/{before.device}"
    return await _save(request, row, form, before, place)


async def _save(request: web.Request, row: UserRow, form: Form, before: Grant | None, place: str) -> web.StreamResponse:
    offered = _offered(request, place)
    room, _, device = place.partition("/")
    now = guards.local_now(request.app[keys.CONFIG].zone)
    grant, wrong = forms.read(form.text, room, device, offered, now)
    problem = None
    if grant is not None:
        after = [grant if one is before else one for one in row.grants]
        try:
            await _replace(request, row, after if before is not None else [*row.grants, grant], grant)
            raise web.HTTPSeeOther(_address(row))
        except HomeError as error:
            if error.slug not in _SHOWN_HERE:
                raise
            field = forms.field_of(str(error.facts.get("field", "")))
            wrong, problem = ({field: faults.detail(error)}, None) if field is not None else ({}, error)
    filled = forms.typed(form.text, offered, wrong)
    number = form.text("grant") if before is not None else ""
    return await _form(request, row, place, number, filled, problem, status=problem.status if problem else 422)


async def _replace(request: web.Request, row: UserRow, wanted: list[Grant], about: Grant) -> None:
    """Have it changed, and say so on the page that follows."""
    try:
        after = await guests.change(request, row.user.id, wanted, instead_of=row.grants)
    except HomeError as error:
        if error.slug != "changed-meanwhile":
            raise
        await flash.put(request, _CHANGED_MEANWHILE.spoken())
        return
    rooms, now = request.app[keys.HOME].rooms(), guards.local_now(request.app[keys.CONFIG].zone)
    told = words.sentence(about, rooms, now)
    stands = about in after.grants
    title = say("Granted") if stands else say("Taken away")
    await flash.put(request, Said("good", title, say("{told}. The change counts at once.", told=told)))


async def _form(
    request: web.Request,
    row: UserRow,
    place: str,
    number: str,
    filled: forms.Filled,
    problem: HomeError | None = None,
    *,
    status: int = 200,
) -> web.Response:
    room, _, device = place.partition("/")
    return await render.page(
        request,
        "grant.html",
        status=status,
        guest=row.user,
        device=words.device(room, device, request.app[keys.HOME].rooms()),
        place=place,
        number=number,
        stands=_stands(row),
        form=filled,
        problem=faults.of(problem) if problem is not None else None,
    )


def _offered(request: web.Request, place: str) -> tuple[str, ...]:
    """What the device does; nothing, for an input. Raises not-found for a device that there is not."""
    room, _, device = place.partition("/")
    view = request.app[keys.HOME].view(room, device)
    if view is None:
        raise HomeError("not-found", "There is no such device.")
    return ACTIONS.get(Kind(view.kind), ())


def _numbered(row: UserRow, number: str) -> Grant | None:
    """The grant of that number; None where none is meant. Raises not-found."""
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and len(number) <= 3 and int(number) < len(row.grants)):
        raise HomeError("not-found", "There is no such grant.")
    return row.grants[int(number)]


def _stands(row: UserRow) -> str:
    """A name for exactly this list: a form that was made from another one changes nothing."""
    lines = "\n".join(map(grant_text.written, row.grants))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def _address(row: UserRow) -> URL:
    return URL("/") / "users" / row.user.id / "grants"
