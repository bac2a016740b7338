"""GET /api/v1/openapi.json: the API in the words of OpenAPI 3.1, made of the route table and of what its handlers read.

It tells nothing of this home: it is the same in each. docs/api.md says what is behind it.
"""

import asyncio
import functools
import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final, NamedTuple, get_args

import msgspec
from aiohttp import web

from gateway.api import (
    answers,
    audit,
    audit_export,
    commands,
    confirm_by,
    csrf,
    email,
    events,
    factor_demand,
    factors,
    health,
    invitations,
    joining,
    lockdown,
    lockout,
    login,
    looks,
    passkeys,
    password,
    people,
    readings,
    room_file,
    session_list,
    step_up,
    tokens,
    users,
    waiting,
)
from gateway.desk.asking import CommandRequest
from gateway.door import cookie, routes
from gateway.door import csrf as protection
from gateway.inside import audit_query
from shared.door.web import Handler
from shared.words.names import Outcome
from shared.words.problem import CATALOGUE

TAKES: Final[dict[object, type[msgspec.Struct]]] = {
    commands.post: CommandRequest,
    confirm_by.put: confirm_by.ConfirmByRequest,
    email.begin: email.WishRequest,
    email.confirm: email.ConfirmRequest,
    factor_demand.put: factor_demand.DemandRequest,
    factors.begin: factors.Begin,
    factors.confirm: factors.Confirm,
    factors.remove: factors.Confirmed,
    factors.renew_recovery: factors.Confirmed,
    invitations.invite: invitations.InviteRequest,
    invitations.take: invitations.TakeRequest,
    joining.add: joining.RoomRequest,
    joining.add_client: joining.ClientRequest,
    joining.join: joining.JoinRequest,
    lockdown.put: lockdown.LockdownRequest,
    lockout.put: lockout.LockoutRequest,
    login.ask_code: login.CodeRequest,
    login.sign_in: login.LoginRequest,
    looks.arrange: looks.ArrangementRequest,
    looks.change_room: looks.RoomLookRequest,
    looks.change_device: looks.DeviceLookRequest,
    looks.arrange_own: looks.ArrangementRequest,
    looks.change_own_room: looks.OwnRoomRequest,
    looks.change_own_device: looks.OwnDeviceRequest,
    passkeys.begin: factors.Begin,
    passkeys.finish: passkeys.Finish,
    passkeys.sign_in: passkeys.SignIn,
    password.change: password.PasswordRequest,
    people.change: people.PersonRequest,
    people.change_own: people.ProfileRequest,
    people.erase: people.EraseRequest,
    room_file.put: room_file.FileRequest,
    step_up.prove: step_up.Proof,
    tokens.make: tokens.MakeRequest,
    users.put_grants: users.GrantsRequest,
    waiting.decide: waiting.DecisionRequest,
}
"""What each handler reads as its body; one that is not here reads none."""
_HISTORY: Final = (*audit_query.FIELDS, "happenings")
_ASKED: Final[dict[object, tuple[str, ...]]] = {
    audit.show: ("limit", "after", *_HISTORY),
    audit.export: ("format", *_HISTORY),
    events.stream: tuple(sorted(events.KNOWN)),
    readings.show: tuple(sorted(readings.NAMES)),
    session_list.show: ("user",),
    session_list.end: ("user",),
    session_list.end_others: ("user",),
}
"""Which parameters may stand in the query."""
_FORMS: Final[dict[str, dict[str, Any]]] = {
    "audit": {"type": "boolean"},
    "format": {"enum": [*audit_export.FORMS]},
    "happenings": {"enum": [*get_args(audit_query.Happenings)]},
    "limit": {"type": "integer", "minimum": 1, "maximum": audit.MOST_EVENTS},
    "outcome": {"enum": [*Outcome]},
    "step": {"type": "integer", "minimum": 1, "maximum": readings.LONGEST_STEP},
    "sums": {"type": "boolean"},
}
"""What they may be, where that is no text of any form; those of a name are alike wherever they stand."""
_MEDIA: Final[dict[object, tuple[str, ...]]] = {
    events.stream: ("text/event-stream",),
    audit.export: tuple(form.content_type for form in audit_export.FORMS.values()),
    health.alive: ("text/plain",),
    health.ready: ("text/plain",),
}
"""What is no JSON: as what it comes, with 200."""
_REFERENCE: Final = "#/components/schemas/{name}"
_PROBLEM: Final = {
    "description": "A problem (RFC 9457).",
    "content": {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
}
_SIGNED_IN: Final = "session"
_CONFIRMED: Final = "csrf"
_PROGRAM: Final = "token"
_SCHEMES: Final = {
    _SIGNED_IN: {"type": "apiKey", "in": "cookie", "name": cookie.COOKIE},
    _CONFIRMED: {"type": "apiKey", "in": "header", "name": protection.HEADER},
    _PROGRAM: {"type": "http", "scheme": "bearer"},
}


class Route(NamedTuple):
    """One route of the API; `by_token`: a token opens it, too."""

    method: str
    path: str
    handler: Handler
    by_token: bool


async def show(request: web.Request) -> web.Response:
    """This document, for whoever asks."""
    # Its first making takes a tenth of a second, in which no command may wait.
    written = await asyncio.to_thread(_written, tuple(listed(request.app)))
    return web.Response(body=written, content_type="application/json")


def listed(app: web.Application) -> Iterable[Route]:
    """The API's routes in `app`, in the order of its table. HEAD goes with GET and is not told apart."""
    for route in app.router.routes():
        path = route.resource.canonical if route.resource is not None else ""
        if route.method != "HEAD" and (path.startswith("/api/") or route.handler in (health.alive, health.ready)):
            yield Route(route.method, path, route.handler, route.handler in app[routes.BY_TOKEN])


def document(table: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Home System", "version": "1", "description": "Everything else: docs/api.md."},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {"Problem": _problem(), **_schemas()[1]}, "securitySchemes": _SCHEMES},
    }


@functools.lru_cache(maxsize=1)
def _written(table: tuple[Route, ...]) -> bytes:
    return msgspec.json.encode(document(table))


def _operation(route: Route) -> dict[str, Any]:
    told = inspect.cleandoc(route.handler.__doc__ or "")
    named = [_parameter(name, "path", required=True) for name in re.findall(r"\{(\w+)\}", route.path)]
    asked = [_parameter(name, "query", required=name == "format") for name in _ASKED.get(route.handler, ())]
    operation: dict[str, Any] = {
        "operationId": _identifier(route),
        "summary": told.partition("\n")[0],
        "responses": {**_answers(route.handler), "default": _PROBLEM},
        "security": _security(route),
    }
    if named or asked:
        operation["parameters"] = named + asked
    if (body := TAKES.get(route.handler)) is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return operation


def _identifier(route: Route) -> str:
    """What generated clients call it, and so never another for the same route: `get_devices_room_device`."""
    return "_".join([route.method.lower(), *re.findall(r"\w+", route.path.removeprefix("/api/v1"))]).replace("-", "_")


def _answers(handler: Handler) -> dict[str, Any]:
    if (given := answers.GIVES.get(handler)) is not None:
        return {str(status): _answer(status, _json(kind)) for status, kind in given.items()}
    content: dict[str, Any] = {kind.partition(";")[0]: {} for kind in _MEDIA.get(handler, ("application/json",))}
    told = {"200": _answer(HTTPStatus.OK, content)}
    return told | {"503": _answer(HTTPStatus.SERVICE_UNAVAILABLE, content)} if handler is health.ready else told


def _answer(status: int, content: dict[str, Any]) -> dict[str, Any]:
    """One answer; without content, nothing stands in it."""
    return {"description": HTTPStatus(status).phrase} | ({"content": content} if content else {})


def _json(kind: Any) -> dict[str, Any]:
    return {} if kind is None else {"application/json": {"schema": _schemas()[0][kind]}}


def _security(route: Route) -> list[dict[str, list[str]]]:
    """In which ways one may come; a change carries a CSRF token and its cookie even where nobody has signed in yet."""
    if route.method != "GET":
        ways: list[dict[str, list[str]]] = [{_SIGNED_IN: [], _CONFIRMED: []}]
    elif route.handler in (health.alive, health.ready, csrf.show, login.show_attempt, show):
        ways = [{}]
    else:
        ways = [{_SIGNED_IN: []}]
    return [*ways, {_PROGRAM: []}] if route.by_token else ways


def _parameter(name: str, place: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"} | _FORMS.get(name, {})}


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    known = {"type": text, "title": text, "status": {"type": "integer"}, "detail": text, "instance": text}
    slugs = f"The last part of `type` is one of: {', '.join(CATALOGUE)}."
    return {"type": "object", "description": slugs, "properties": known, "required": list(known)}


@functools.cache
def _schemas() -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """A reference to each struct's schema, and the schemas by name."""
    answered = [kind for given in answers.GIVES.values() for kind in given.values() if kind is not None]
    kinds = list(dict.fromkeys([*TAKES.values(), *answered]))
    references, schemas = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    # A generated client takes a field with a default for one that is always there, in what is sent and what comes.
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("default", None)
    return dict(zip(kinds, references, strict=True)), _portable(schemas)


def _portable(schema: Any) -> Any:
    r"""As every reader of JSON Schema understands it: ECMA-262 knows no `\Z`, and its `$` is the very end."""
    if isinstance(schema, dict):
        return {
            name: value.replace(r"\Z", "$") if name == "pattern" and isinstance(value, str) else _portable(value)
            for name, value in schema.items()
        }
    return [_portable(part) for part in schema] if isinstance(schema, list) else schema
