"""Who is signed in: the session behind the cookie's token, which lives in the auth service.

A verified session is believed for `CACHE_SECONDS`, dropped at once when the auth service says that it ended, and not
kept at all while our link to the broker is down, since then we would not hear of it. Where the auth service is away its
last word goes on for `LATE_SECONDS`, for looking and for what makes things safer alone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from aiohttp import web

from gateway.inside.auth_client import AuthClient
from shared.door.web import USER
from shared.words.internal import LoginAnswer, SessionInfo
from shared.words.problem import HomeError

CACHE_SECONDS: Final = 5.0
LATE_SECONDS: Final = 60.0
"""For so long the auth service's last word goes on without it."""
_READ_PATIENCE: Final = 0.5
_ACT_PATIENCE: Final = 2.0
"""So long it is waited for where there is an earlier word: one that hangs must not keep anybody from switching off."""
_AWAY: Final = frozenset({"auth-unreachable", "internal"})
_READING: Final = frozenset({"GET", "HEAD"})
_ENDED_KEPT_SECONDS: Final = 60.0
_VIEWER: Final = web.RequestKey("viewer", object)
"""A Word, or the HomeError that kept us from finding out."""
_TOKEN: Final = web.RequestKey("token", str)


class Word(NamedTuple):
    """What the auth service says of a session; `late`: why there is none but an earlier word, for looking only."""

    info: SessionInfo
    late: HomeError | None = None


class Sessions:
    """Verified sessions. `link_up` tells whether we would hear of a session's end; `clock` is monotonic seconds."""

    def __init__(
        self, auth: AuthClient, *, link_up: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._auth = auth
        self._link_up = link_up
        self._clock = clock
        self._known: dict[str, tuple[SessionInfo, float, float]] = {}
        """By token: the word, when it was asked for, and when the session ends (in seconds since 1970)."""
        self._asking: dict[str, tuple[asyncio.Task[SessionInfo], float]] = {}
        self._ended: dict[str, float] = {}
        self._forgotten = 0

    async def begin(self, answering: Awaitable[LoginAnswer]) -> LoginAnswer:
        """Begin a session with the auth service's answer to come; it is its word on it, like any later one.

        Raises as it does.
        """
        asked_at, forgotten = self._clock(), self._forgotten
        answer = await answering
        if answer.session.id not in self._ended:
            self._remember(answer.token, answer.session, asked_at, forgotten)
        return answer

    async def verify(self, token: str, *, fresh: bool = False) -> SessionInfo:
        """The live session behind `token`; `fresh` asks the auth service whatever is remembered.

        Raises sign-in-required, or auth-unreachable.
        """
        if fresh:
            return await self._ask(token)
        if (info := self._remembered(token, CACHE_SECONDS)) is not None:
            return info
        return await asyncio.shield(self._question(token)[0])

    def fresh_word(self, token: str) -> SessionInfo | None:
        """The live session behind `token`, where the auth service spoke of it within CACHE_SECONDS."""
        return self._remembered(token, CACHE_SECONDS)

    async def last_word(self, token: str, *, patience: float = _READ_PATIENCE, address: str = "") -> Word:
        """The live session behind `token`, or, where the auth service does not answer in `patience` seconds, what it
        last said of it; `address` is from where it is used. Raises as `verify` where that is too long ago, or where we
        would not have heard of its end.
        """
        if (info := self._remembered(token, CACHE_SECONDS)) is not None:
            return Word(info)
        asking, asked_at = self._question(token, address)
        if self._remembered(token, LATE_SECONDS) is not None:
            # Whoever comes while it is asked already waits for what is left: a stream's events do not wait in turn.
            await asyncio.wait((asking,), timeout=max(0.0, asked_at + patience - self._clock()))
        try:
            if not asking.done() and (info := self._remembered(token, LATE_SECONDS)) is not None:
                return Word(info, HomeError("auth-unreachable"))
            return Word(await asyncio.shield(asking))
        except HomeError as error:
            info = self._remembered(token, LATE_SECONDS) if error.slug in _AWAY else None
            if info is None:
                raise
            return Word(info, error)

    def forget(self, session_ids: tuple[str, ...]) -> None:
        """These sessions ended; an answer under way about one of them is no longer true either."""
        now = self._clock()
        self._ended = {i: at for i, at in self._ended.items() if now - at < _ENDED_KEPT_SECONDS}
        self._ended.update(dict.fromkeys(session_ids, now))
        gone = set(session_ids)
        self._known = {token: kept for token, kept in self._known.items() if kept[0].id not in gone}

    def drop(self, token: str) -> None:
        """Its session goes on with another one."""
        self._known.pop(token, None)
        self._asking.pop(token, None)
        self._forgotten += 1

    def outdate(self, user_ids: tuple[str, ...]) -> None:
        """What these may do has changed: their sessions live on, by another word, and what is asked now is no later
        one.
        """
        gone = set(user_ids)
        self._known = {token: kept for token, kept in self._known.items() if kept[0].user.id not in gone}
        self._asking = {}
        self._forgotten += 1

    def forget_all(self) -> None:
        """The link to the broker is lost: we would not hear of an end. What is being asked now is no later word."""
        self._known.clear()
        self._asking = {}
        self._forgotten += 1

    def _question(self, token: str, address: str = "") -> "tuple[asyncio.Task[SessionInfo], float]":
        """One question for all that wait for the same answer, and since when; not cancelled with the first of them."""
        if token not in self._asking:
            asking = asyncio.create_task(self._ask(token, address), name="verify session")
            self._asking[token] = (asking, self._clock())
            asking.add_done_callback(lambda task: self._asked(token, task))
        return self._asking[token]

    def _remembered(self, token: str, seconds: float) -> SessionInfo | None:
        """What was said of it within the last `seconds`."""
        kept = self._known.get(token)
        if kept is None:
            return None
        info, at, ends = kept
        if not self._link_up() or time.time() >= ends:
            del self._known[token]
            return None
        return info if self._clock() - at <= seconds else None

    async def _ask(self, token: str, address: str = "") -> SessionInfo:
        asked_at, forgotten = self._clock(), self._forgotten
        try:
            info = await self._auth.verify(token, address)
        except HomeError as error:
            if error.slug == "sign-in-required":
                self._known.pop(token, None)
            raise
        if info.id in self._ended:
            raise HomeError("sign-in-required")
        self._remember(token, info, asked_at, forgotten)
        return info

    def _remember(self, token: str, info: SessionInfo, asked_at: float, forgotten: int) -> None:
        """Unless we would not hear, or may not have heard, of its end."""
        if self._link_up() and forgotten == self._forgotten:
            self._known[token] = (info, asked_at, info.expires_at.timestamp())
            if len(self._known) > 1000:
                self._known = {t: kept for t, kept in self._known.items() if asked_at - kept[1] <= LATE_SECONDS}

    def _asked(self, token: str, task: "asyncio.Task[SessionInfo]") -> None:
        if token in self._asking and self._asking[token][0] is task:
            del self._asking[token]
        if not task.cancelled():
            task.exception()  # whoever waited has it; with nobody waiting it is no news


SESSIONS: Final = web.AppKey("sessions", Sessions)


async def know_viewer(request: web.Request, app: web.Application, token: str) -> None:
    """Finds out who asks, for permissions, limits and the request log."""
    known = app[SESSIONS]
    try:
        if (info := known.fresh_word(token)) is not None:
            word = Word(info)
        else:
            patience = _READ_PATIENCE if request.method in _READING else _ACT_PATIENCE
            word = await known.last_word(token, patience=patience, address=request.remote or "")
    except HomeError as error:
        request[_VIEWER] = error
    else:
        request[_VIEWER] = word
        request[_TOKEN] = token
        request[USER] = word.info.user.id


def viewer(request: web.Request) -> SessionInfo | None:
    """Who asks; None when nobody is signed in, or when it cannot be found out."""
    found = _found(request)
    return found.info if type(found) is Word else None


def why_ended(request: web.Request) -> str | None:
    """Why the session that the browser came with is over (internal.Ending), where that is known."""
    found = _found(request)
    return found.facts.get("reason") if isinstance(found, HomeError) else None


def is_late(request: web.Request) -> bool:
    """Whether who asks is known by an earlier word alone: whoever it is may look, and make things safer."""
    found = _found(request)
    return type(found) is Word and found.late is not None


def signed_in(request: web.Request) -> SessionInfo:
    """Who asks; by an earlier word, and who owes a strong factor, only for looking.

    Raises sign-in-required, auth-unreachable, or factor-required.
    """
    info = signed_in_owing(request)
    if info.owes_factor and request.method not in _READING:
        raise HomeError("factor-required")
    return info


def signed_in_owing(request: web.Request) -> SessionInfo:
    """Who asks, for what mends that, and for what protects them. Raises sign-in-required, or auth-unreachable."""
    word = _word(request)
    if word.late is not None and request.method not in _READING:
        raise word.late
    return word.info


def signed_in_for_safety(request: web.Request) -> SessionInfo:
    """Who asks for what makes things safer, be it by an earlier word. Raises sign-in-required, or auth-unreachable."""
    return _word(request).info


async def signed_in_afresh(request: web.Request) -> SessionInfo:
    """Who asks, by the auth service's word of this moment: for what is critical."""
    return await request.app[SESSIONS].verify(token_of(request), fresh=True)


def go_on_as(request: web.Request, answer: LoginAnswer) -> None:
    """What comes after in this request is asked by the session as it now stands, under its new token."""
    request.app[SESSIONS].drop(request[_TOKEN])
    request[_VIEWER] = Word(answer.session)
    request[_TOKEN] = answer.token


def token_of(request: web.Request) -> str:
    """The token of who asks, be it a session's or a program's. Raises as `signed_in_for_safety`."""
    _word(request)
    return request[_TOKEN]


def _word(request: web.Request) -> Word:
    found = _found(request)
    if type(found) is Word:
        return found
    if isinstance(found, HomeError):
        raise found
    raise HomeError("sign-in-required")


def _found(request: web.Request) -> object:
    """What `know_viewer` found; None where nobody is signed in."""
    try:  # quicker than `get`, which is as many calls again
        return request[_VIEWER]
    except KeyError:
        return None
