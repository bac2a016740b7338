"""The internal HTTPS interface: the history for gateways, and how the service fares."""

from collections.abc import Callable

from aiohttp import web

from alert_service import history, mailbox
from alert_service.history import Scope
from alert_service.outbox import Outbox
from alert_service.recorder import Recorder
from shared import internal, messages
from shared.database import Store
from shared.problem import HomeError
from shared.web import allow, internal_app, json_response

MAX_PLACES = 100
MAX_PAGE = 200
_DEFAULT_PAGE = 50
_CALLERS = ("gateway", "gateway-*", "admin")


class Api:
    """The routes over one store."""

    def __init__(self, store: Store, recorder: Recorder, outbox: Outbox, *, connected: Callable[[], bool]) -> None:
        self._store = store
        self._recorder = recorder
        self._outbox = outbox
        self._connected = connected

    def app(self) -> web.Application:
        """The application, with the house's middlewares."""
        app = internal_app()
        app.router.add_get(internal.AUDIT, allow(*_CALLERS)(self.audit))
        app.router.add_get(internal.READY, allow(*_CALLERS)(self.ready))
        return app

    async def audit(self, request: web.Request) -> web.StreamResponse:
        """A page of the history; see shared.internal.AuditPage."""
        scope = _scope(request)
        limit = _number(request, "limit", most=MAX_PAGE) or _DEFAULT_PAGE
        after = _number(request, "after")
        async with self._store.read() as connection:
            return json_response(await history.page(connection, scope, limit=limit, after=after))

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """200 when the database answers; what else is wrong stands in the body."""
        async with self._store.read() as connection:
            counts = await mailbox.count(connection)
            people = await mailbox.known_people(connection)
        since = self._outbox.mail.failing_since
        mail = internal.MailStatus(
            letters_waiting=counts.waiting,
            letters_refused=counts.refused,
            recipients_known=any(one.master for one in people),
            failing_since=messages.utc(since) if since is not None else None,
            failure=self._outbox.mail.failure,
        )
        ways = {x.way.name: x.failure for x in self._outbox.carriers if x is not self._outbox.mail and x.failure}
        recording = not self._recorder.failing
        return json_response(internal.AlertsReady(broker=self._connected(), recording=recording, mail=mail, ways=ways))


def _scope(request: web.Request) -> Scope:
    """Narrowed as soon as either is named: an empty list of places sees nothing, never everything."""
    if "user" not in request.query and "devices" not in request.query:
        return Scope()
    places = tuple(dict.fromkeys(place for place in request.query.get("devices", "").split(",") if place))
    if len(places) > MAX_PLACES:
        raise HomeError("invalid-value", f"devices: more than {MAX_PLACES} places; name whole rooms as room/*")
    return Scope(user=request.query.get("user", ""), places=places)


def _number(request: web.Request, name: str, *, most: int = 2**62) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and 1 <= int(text) <= most):
        raise HomeError("invalid-value", f"{name}: not a whole number between 1 and {most}")
    return int(text)
