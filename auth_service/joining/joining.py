"""A machine brings the token of a window and a signing request, and becomes the room or client that the window is for.

Who it becomes is the window's word; the request gives the key alone. In this order, so that each step may be the last
one and the same machine asks again: the window is the key's and the name is given out, with the proof of both; the
signer signs; the certificate is kept; the rights are given; the machine gets its answer.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.home import identity_rows, window_rows
from auth_service.home.renewals import Sign
from auth_service.home.rooms import Give
from auth_service.home.signer_orders import Admit
from auth_service.home.window import Refusal, Window, refusal
from auth_service.joining import refusals, requested_key
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.running.log import security
from shared.running.seldom import Seldom
from shared.words.internal_joining import Joined, JoinWish
from shared.words.messages import Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError
from shared.words.renewing import Csr

_GUESSED = "room:join-refused"
"""Whoever has no token of ours is told of as one, whatever it says that it is to be."""
_TOLD_SECONDS = 600.0
"""Whoever has a token and comes too late, again and again, is told of so seldom."""
_TOLD_MOST = 256
Judged = tuple[Window | None, Refusal | None]


class _Knock(NamedTuple):
    """A machine that asks: with what wish, its token as it is kept, the fingerprint of its key, and by whom it came."""

    asked: JoinWish
    token_hash: str
    key: str
    who: Who


class Joining:
    """Lets machines in, one after the other. `issuer` in its method is the gateway that asks."""

    def __init__(
        self,
        store: Store,
        proof: Proof,
        errands: Errands,
        sign: Sign,
        give: Give,
        admit: Admit,
        *,
        authority: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._proof = proof
        self._errands = errands
        self._sign = sign
        self._give = give
        self._admit = admit
        self._authority = authority
        self._now = now
        self._failed = FailedTries(_GUESSED, proof, now=now)
        self._told = Seldom(_TOLD_SECONDS, most=_TOLD_MOST)
        self._turn = asyncio.Lock()

    async def join(self, asked: JoinWish, issuer: str) -> Joined:
        """What the machine is from now on, its certificate, and the authority that signs for it and for the broker.

        Raises HomeError: join-refused (`reason` is a Refusal), invalid-value, no-proof, and what the signer says; after
        that the same key may ask again.
        """
        key, token_hash = requested_key.fingerprint(asked.csr), await window_rows.hashed(asked.token)
        knock = _Knock(asked, token_hash, key, Who(issuer=issuer, address=asked.address or None))
        async with self._store.read() as connection:  # before its turn: a guess keeps nobody waiting
            self._check(await self._judge(connection, knock), knock)
        async with self._turn:
            window = await self._let_in(knock)
            certificate = window.certificate or await self._certify(window, key, asked.csr)
            await self._give_rights(window)
        authority = await asyncio.to_thread(self._authority.read_text)
        return Joined(name=window.name, certificate=certificate, authority=authority, may=window.may)

    async def sweep(self) -> None:
        """Forget windows that are long over, and tell of wrong tokens that were only counted."""
        await self._failed.sweep()
        async with self._store.write() as connection:
            await window_rows.drop_old(connection, self._now())

    async def _let_in(self, knock: _Knock) -> Window:
        """The window, bound to this key."""
        async with self._store.read() as connection:
            window = self._check(await self._judge(connection, knock), knock)
        if window.key is None:
            async with telling.change(self._store, self._proof, knock.who) as (connection, say):
                window = self._check(await self._judge(connection, knock), knock)
                await self._give_out(connection, window, knock, say)
        return window

    def _check(self, judged: Judged, knock: _Knock) -> Window:
        """The window that lets this machine in. Raises join-refused, which is told."""
        window, refused = judged
        if window is None or refused is not None:
            raise self._refused(window, refused or Refusal.UNKNOWN, knock)
        return window

    async def _judge(self, connection: AsyncConnection, knock: _Knock) -> Judged:
        window = await window_rows.by_hash(connection, knock.token_hash)
        refused = refusal(window, knock.asked.kind, knock.asked.name, knock.key, self._now())
        if window is None or refused is not None:
            return window, refused
        known = await identity_rows.find(connection, window.name)
        if known is not None and known.revoked_at is not None:
            return window, Refusal.REVOKED
        if window.key is None and known is not None and not (window.resumes or window.renews):
            return window, Refusal.EXISTS
        return window, None

    async def _give_out(self, connection: AsyncConnection, window: Window, knock: _Knock, say: telling.Say) -> None:
        if not await window_rows.bind(connection, knock.token_hash, knock.key, self._now()):
            raise HomeError("changed-meanwhile", "Another machine came at the same moment. Paste the line again.")
        detail = {"key": knock.key}
        if window.renews:
            await say("certificate:renewed", window.place, **detail)
            return
        if window.resumes:
            detail["interrupted_before"] = "yes"
        else:
            await identity_rows.enrol(connection, window.name, window.role, self._now())
        await say(f"{window.role}:added", window.place, **detail)

    async def _certify(self, window: Window, key: str, csr: str) -> str:
        certificate = (await self._sign(window.name, Csr(csr=csr, follows=True), role=window.role)).certificate
        async with self._store.write() as connection:
            if not await window_rows.keep(connection, window.name, key, certificate):
                raise HomeError("changed-meanwhile", f"The window of {window.name} was closed meanwhile.")
        return certificate

    async def _give_rights(self, window: Window) -> None:
        if window.renews:
            return  # it has them
        if window.kind == "room":
            await self._give(window.name, ())
        else:
            await self._admit(window.name, window.may)

    def _refused(self, window: Window | None, reason: Refusal, knock: _Knock) -> HomeError:
        security("join_refused", address=knock.asked.address, reason=reason.value)
        if window is None or reason is Refusal.UNKNOWN:
            self._errands.start(self._failed.tell("home", knock.who, None), "report-failure")
        else:
            self._errands.start(self._tell(window, reason, knock), "report-failure")
        words = refusals.words(reason, window, knock.asked.kind, knock.asked.name)
        return HomeError("join-refused", words, reason=reason.value)

    async def _tell(self, window: Window, reason: Refusal, knock: _Knock) -> None:
        """Who comes with the right token at the wrong time had the line: that is a slip, or somebody who read it."""
        now = self._now().timestamp()
        if not self._told.is_due((window.name, reason), now):
            return
        self._told.said((window.name, reason), now)
        await self._proof.write(
            f"{window.role}:join-refused",
            window.place,
            knock.who,
            severity=Severity.INFO if reason is Refusal.OVER else Severity.SECURITY,
            outcome=Outcome.REJECTED,
            detail={"reason": reason.value, "key": knock.key},
        )
