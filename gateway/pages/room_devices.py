"""GET and POST /house/devices/{room}, /house/devices/{room}/{device} and /house/new-device/{room}: a room's own file.

Form fields: those of device_form.py; `of`, the version of the file that was shown; `kind`; `do` "save" or "remove";
`code`, where nothing was proved of late.
"""

from typing import Final

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.desk import looks, room_files
from gateway.door import sessions
from gateway.pages import acts, device_form, device_settings, faults, flash, proving, room_said
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from gateway.picture import guards
from shared.words.languages import later
from shared.words.names import Kind
from shared.words.problem import HomeError
from shared.words.room_file import Complaint, DeviceTable, FileAnswer, RoomFile

_SHOWN_HERE: Final = frozenset(
    {
        *("confirmation-failed", "step-up-required", "invalid-value", "rate-limited", "auth-unreachable", "no-proof"),
        *("changed-meanwhile", "room-offline", "broker-unreachable"),
    }
)
_IN_TURN: Final = later("On and off in turn")
_BASE: Final = URL("/house/devices")
_NEW: Final = URL("/house/new-device")


async def show_devices(request: web.Request) -> web.StreamResponse:
    """What the room's file has, what became of the last change, and which kinds may be added."""
    around = looks.room_of_home(request, request.match_info["room"])
    known = request.app[keys.ROOM_FILES].of(around.id)
    return await faults.page(
        request,
        "room_devices.html",
        None,
        room=around,
        file=known,
        devices=[(one, device_form.filled(one)) for one in (known.devices or () if known is not None else ())],
        kinds=device_settings.KINDS,
        answer=known.answer if known is not None else None,
        told=room_said.told,
        base=str(_BASE / around.id),
        add=str(_NEW / around.id),
    )


async def show_new(request: web.Request) -> web.StreamResponse:
    """An empty form for a device of that kind."""
    return await _page(request, {}, Form({}), device_form.kind_of(request.query.get("kind", "")))


async def show_device(request: web.Request) -> web.StreamResponse:
    """A device's form, as it stands."""
    table = _found(request)
    return await _page(request, table, device_form.filled(table), _kind(table))


async def add(request: web.Request) -> web.StreamResponse:
    """Have the room take one more."""
    sessions.signed_in(request)
    form = await read_form(request)
    return await _change(request, form, {}, device_form.kind_of(form.text("kind")))


async def change(request: web.Request) -> web.StreamResponse:
    """Have the room take it otherwise, or be without it."""
    sessions.signed_in(request)
    form = await read_form(request)
    table = _found(request)
    return await _change(request, form, table, _kind(table))


async def _change(request: web.Request, form: Form, before: DeviceTable, kind: Kind) -> web.StreamResponse:
    known = room_files.find(request, request.match_info["room"])
    tables = list(known.devices or ())
    made = device_form.table(form, kind, before, (str(one.get("id")) for one in tables))
    if not before:
        tables.append(made)
    elif form.text("do") == "remove":
        tables.remove(before)
    else:
        tables[tables.index(before)] = made
    try:
        await proving.take(request, form)
        answer = await room_files.change(request, known.room, of=form.text("of"), devices=tuple(tables))
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, before, form, kind, error, str(made["id"]))
    await flash.put(request, _said(answer))
    raise web.HTTPSeeOther(_BASE / known.room)


def _said(answer: FileAnswer | None) -> Said:
    if answer is None:
        return Said(
            "unsure", say("The room has not answered yet"), say("Look again in a moment: this page says how it ends.")
        )
    return Said(
        "good",
        say("The room takes it"),
        say("It starts anew, and is back in a moment. If it is not, it undoes this by itself."),
    )


def _found(request: web.Request) -> DeviceTable:
    """The device's table in the room's file. Raises unknown-device, and what `room_files.find` does."""
    room, device = request.match_info["room"], request.match_info["device"]
    if not guards.may_look_after(sessions.signed_in(request)):
        looks.find_device(request, room, device)  # what one may not see is not there
    known: RoomFile = room_files.find(request, room)
    for table in known.devices or ():
        if table.get("id") == device:
            return table
    raise HomeError("unknown-device")


def _kind(table: DeviceTable) -> Kind:
    try:
        return Kind(str(table.get("kind")))
    except ValueError:
        raise HomeError(
            "invalid-value", "This hub does not know that kind of device yet. Bring the hub up to date."
        ) from None


async def _page(
    request: web.Request,
    table: DeviceTable,
    form: Form,
    kind: Kind,
    error: HomeError | None = None,
    named: str = "",
) -> web.Response:
    around = looks.room_of_home(request, request.match_info["room"])
    known = room_files.find(request, around.id)
    found: tuple[Complaint, ...] = tuple(error.facts.get("complaints", ())) if error is not None else ()
    placed = [(one, device_form.field_of(one.setting or "")) for one in found]
    own = {field: room_said.told(one.text) for one, field in reversed(placed) if one.device == named and one.setting}
    layout = device_settings.LAYOUTS[kind]
    has_field = layout.open_fields | layout.folded_fields
    target = _BASE / around.id / str(table["id"]) if table else _NEW / around.id
    tables = known.devices or ()
    return await faults.page(
        request,
        "room_device.html",
        error,
        room=around,
        table=table,
        form=form,
        kind=kind,
        kind_name=device_settings.KINDS[kind],
        layout=layout,
        labels=device_settings.LABELS,
        happenings=device_settings.HAPPENINGS,
        pins=device_form.pins(known.pins, tables, str(table.get("id"))),
        deeds=device_form.deeds(tables, str(table.get("id"))),
        deed_words=acts.LABELS | {device_settings.TOGGLE: _IN_TURN},
        unfolded=any(form.text(name) or name in own for name in layout.folded_fields),
        contacts=[(str(one["id"]), str(one.get("name"))) for one in tables if one.get("kind") == Kind.CONTACT.value],
        sources=["ds18b20", "iio", "bme280"] if kind is Kind.TEMPERATURE else ["iio", "bme280"],
        own=own,
        told=room_said.told,
        others=[one for one, field in placed if one.device != named or field not in has_field],
        of=known.version,
        target=str(target),
        cancel=str(_BASE / around.id),
        proof=await proving.wanted(request),
    )
