"""The internal HTTPS interface: the history for gateways, and how the service fares."""

from collections.abc import Callable

from aiohttp import web

from alert_service.happenings import keeping
from alert_service.history import acts, happened, history
from alert_service.history.narrowing import Scope
from alert_service.history.news import News
from alert_service.intake.recorder import Recorder
from alert_service.letters import mailbox
from alert_service.letters.outbox import Outbox
from alert_service.record.check import Check
from shared.door.web import allow, internal_app, json_response, read_json
from shared.keeping.database import Store
from shared.words import internal, messages
from shared.words.internal_alerts import AlertsReady, AuditHead, AuditQuery, LastHappenings, LastQuery, MailStatus
from shared.words.problem import HomeError

HEAD_SECONDS = 25.0
"""How long a question for a newer row is held."""
_REFUSALS = 5
"""Addresses that the doctor names at once."""
_CALLERS = ("gateway", "gateway-*", "admin")


class Api:
    """The routes over one store."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        outbox: Outbox,
        check: Check,
        *,
        news: News,
        connected: Callable[[], bool],
    ) -> None:
        self._store = store
        self._news = news
        self._recorder = recorder
        self._outbox = outbox
        self._check = check
        self._connected = connected

    def app(self) -> web.Application:
        """The application, with the house's middlewares."""
        app = internal_app()
        app.router.add_post(internal.AUDIT, allow(*_CALLERS)(self.audit))
        app.router.add_get(internal.HEAD, allow(*_CALLERS)(self.head))
        app.router.add_get(internal.AUDIT_CHAIN, allow(*_CALLERS)(self.chain))
        app.router.add_post(internal.HAPPENINGS_LAST, allow(*_CALLERS)(self.last))
        app.router.add_get(internal.READY, allow(*_CALLERS)(self.ready))
        app.on_shutdown.append(self._end_what_waits)
        return app

    async def audit(self, request: web.Request) -> web.StreamResponse:
        """A page of the history; see shared.words.internal_alerts.AuditQuery."""
        query = await read_json(request, AuditQuery)
        scope = Scope()
        if query.scope is not None:
            scope = Scope(user=query.scope.user, rooms=query.scope.rooms, places=query.scope.places)
        async with self._store.read() as connection:
            found = await history.page(
                connection,
                scope,
                limit=query.limit,
                after=query.after,
                wanted=query.filter,
                happenings=query.happenings,
                around=query.around,
            )
        return json_response(found)

    async def last(self, request: web.Request) -> web.StreamResponse:
        """What happened last at some places; see shared.words.internal_alerts.LastQuery."""
        query = await read_json(request, LastQuery)
        async with self._store.read() as connection:
            return json_response(LastHappenings(happenings=tuple(await happened.last(connection, query.places))))

    async def head(self, request: web.Request) -> web.StreamResponse:
        """The newest row or happening, once one is past what is known; see shared.words.internal_alerts.AuditHead."""
        row = _number(request, "after")
        happening = _number(request, "happening") if "happening" in request.query else None
        async with self._news.waiting(HEAD_SECONDS) as news:
            while True:
                found = await self._head()
                if found.row > row or (happening is not None and found.happening > happening) or not await news.more():
                    return json_response(found)

    async def _head(self) -> AuditHead:
        async with self._store.read() as connection:
            return AuditHead(row=await acts.head(connection), happening=await keeping.newest(connection))

    async def _end_what_waits(self, _app: web.Application) -> None:
        self._news.close()

    async def chain(self, _request: web.Request) -> web.StreamResponse:
        """Whether the record is whole; see shared.words.internal_alerts.ChainStatus."""
        return json_response(self._check.status)

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """200 when the database answers; what else is wrong stands in the body."""
        async with self._store.read() as connection:
            counts = await mailbox.count(connection)
            people = await mailbox.known_people(connection)
            accepted = await mailbox.accepted_at(connection)
            refusals = dict(await mailbox.refusals(connection, _REFUSALS))
        since = self._outbox.mail.failing_since
        mail = MailStatus(
            letters_waiting=counts.waiting,
            letters_refused=counts.refused,
            recipients_known=any(one.master for one in people),
            failing_since=messages.utc(since) if since is not None else None,
            failure=self._outbox.mail.failure,
            accepted_at=messages.utc(accepted) if accepted is not None else None,
        )
        ways = {x.way.name: x.failure for x in self._outbox.carriers if x is not self._outbox.mail and x.failure}
        recording, chain = not self._recorder.failing, self._check.status
        return json_response(
            AlertsReady(
                broker=self._connected(), recording=recording, mail=mail, chain=chain, ways=ways, refusals=refusals
            )
        )


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 17):
        raise HomeError("invalid-value", f"{name}: write a whole number, the last row that is known, or 0")
    return int(text)
