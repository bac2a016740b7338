"""The history as a file: read page by page and sent as it comes, so that a million events need no more memory than one.

Whoever may read it is looked at again with every page: a session that ends, or a grant, ends the file.
"""

import contextlib
import csv
import io
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from gateway import keys
from gateway.door import cookie, sessions
from gateway.inside import one_order
from gateway.inside.audit_query import Happenings
from gateway.inside.one_order import Thing
from gateway.picture import guards
from gateway.picture.guards import Scope
from shared.running.log import facts
from shared.words.internal_alerts import MAX_AUDIT_PAGE, AuditFilter, AuditPage, AuditRecord, Happening
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_COLUMNS: Final = (
    *("row", "at", "received_at", "what", "where", "user_id", "user_name", "issuer", "source", "address"),
    *("command_id", "outcome", "severity", "detail", "hash"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Form(NamedTuple):
    """How a file is written: what stands before the events, and the bytes of some of them."""

    ending: str
    content_type: str
    head: bytes
    lines: Callable[[Sequence[Thing]], bytes]


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection); nothing is a cell without text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


async def send(
    request: web.Request, form: Form, scope: Scope, wanted: AuditFilter, happenings: Happenings
) -> web.StreamResponse:
    """Stream the file. Raises alerts-unreachable before it begins; later, an incomplete file ends in a broken transfer.

    A client that goes away ends it: aiohttp then cancels the handler.
    """
    async with contextlib.aclosing(_pages(request, scope, wanted, happenings)) as pages:
        first = await anext(pages)  # what fails now is still a problem document
        response = _begin(request, form)
        await response.prepare(request)
        try:
            await response.write(form.head + form.lines(one_order.merged(first)))
            async for page in pages:
                await response.write(form.lines(one_order.merged(page)))
            await response.write_eof()
        except ConnectionError:
            pass  # the client went away
        except HomeError as error:
            # The answer has begun: only a transfer that breaks off tells that the file is not whole.
            log.warning("Export broke off", extra=facts(reason=error))
            if request.transport is not None:
                request.transport.abort()
        return response


def _begin(request: web.Request, form: Form) -> web.StreamResponse:
    day = guards.local_now(request.app[keys.CONFIG].zone)
    # Neither length nor transfer encoding: over HTTP/1.0, which nginx speaks unless told otherwise, the end ends it.
    return web.StreamResponse(
        headers={
            "Content-Type": f"{form.content_type}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="history-{day:%Y-%m-%d}.{form.ending}"',
        }
    )


async def _pages(
    request: web.Request, scope: Scope, wanted: AuditFilter, happenings: Happenings
) -> AsyncGenerator[AuditPage, None]:
    token = await cookie.token_of(request)
    after: str | None = None
    while True:
        page = await request.app[keys.ALERTS].history(
            scope, wanted, limit=MAX_AUDIT_PAGE, after=after, happenings=happenings
        )
        yield page
        if page.next is None:
            return
        after = page.next
        if token is None:
            raise HomeError("sign-in-required")
        info = (await request.app[sessions.SESSIONS].last_word(token)).info
        scope = guards.scope(info, guards.local_now(request.app[keys.CONFIG].zone))


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([map(cell, row) for row in rows])
    return text.getvalue().encode()


def _cells(thing: Thing) -> tuple[object, ...]:
    return _of_happening(thing) if isinstance(thing, Happening) else _of_act(thing)


def _of_happening(one: Happening) -> tuple[object, ...]:
    """Nobody did it, and it stands in no row: what is summed in it is its detail."""
    detail = {"times": str(one.times), "until": one.until.isoformat()} if one.times > 1 else {}
    if one.event:
        detail["event"] = one.event
    told = msgspec.json.encode(detail).decode() if detail else None
    blank = (None,) * 2
    at = (one.at.isoformat(), one.received_at.isoformat())
    return (None, *at, one.what, one.where, *blank, one.source, one.source, *blank, *blank, told, None)


def _of_act(event: AuditRecord) -> tuple[object, ...]:
    user = event.who.user
    return (
        event.row,
        event.at.isoformat(),
        event.received_at.isoformat(),
        event.what,
        event.where,
        user.id if user is not None else None,
        user.name if user is not None else None,
        event.who.issuer,
        event.source,
        event.who.address,
        event.command_id,
        event.outcome,
        event.severity,
        msgspec.json.encode(event.detail).decode() if event.detail else None,
        event.hash,
    )


FORMS: Final = {
    "csv": Form("csv", "text/csv", _csv([_COLUMNS]), lambda events: _csv([_cells(one) for one in events])),
    "jsonl": Form("jsonl", "application/jsonl", b"", msgspec.json.Encoder().encode_lines),
}
