"""What the master user sets for a room's file on a page: proven first, then sent to the room, which alone judges it."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from auth_service.account import telling
from auth_service.home import room_rows
from auth_service.home.expected import Expected
from auth_service.people import masters
from auth_service.proof import Proof
from auth_service.signing_in.session_rows import is_proved
from auth_service.signing_in.sessions import Sessions
from shared.broker.mqtt import REFUSED_FROM
from shared.keeping.database import Store
from shared.words import topics
from shared.words.internal_room_file import FileChange, FileSent
from shared.words.messages import Message
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError
from shared.words.room_file import TABLES_BYTES, RoomSettings

FILE_SET = "room:file-set"


class RoomFiles:
    """`publish` sends a message to the broker and tells its reason code."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        proof: Proof,
        expected: Expected,
        publish: Callable[[str, Message], Awaitable[int]],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._expected = expected
        self._publish = publish
        self._now = now

    async def change(self, room: str, wanted: FileChange, issuer: str) -> FileSent:
        """Send it, recorded before.

        Raises HomeError: sign-in-required, forbidden (no master user), step-up-required, not-found (no such room),
        invalid-value, no-proof, broker-unreachable.
        """
        session = await self._sessions.verify(wanted.token)
        who = telling.by(session.user, wanted.address, issuer)
        async with self._store.read() as connection:
            await masters.known(connection, session.user.id, _masters_only)
            known = await room_rows.find(connection, room)
        if not is_proved(session, self._now()):
            # Whoever sits in a stolen session could else turn a lock into a lamp.
            raise HomeError("step-up-required")
        if known is None:
            raise HomeError("not-found", "There is no such room, or it was revoked.")
        if len(msgspec.json.encode(wanted.devices)) > TABLES_BYTES:
            raise HomeError("invalid-value", "These are more settings than fit into one message to the room.")
        if not all(isinstance(one.get("id"), str) for one in wanted.devices):
            raise HomeError("invalid-value", "Every device needs an id.")
        settings = RoomSettings(id=secrets.token_hex(16), of=wanted.of, devices=wanted.devices)
        detail = {"settings": settings.id, "devices": _shortened(", ".join(wanted.named) or "-")}
        where = f"room/{room}"
        await self._proof.write(FILE_SET, where, who, severity=Severity.CRITICAL, detail=detail)
        self._expected.note(known, wanted.devices, wanted.named, who, self._now())
        try:
            reason = await self._publish(topics.settings(room), settings)
            if reason >= REFUSED_FROM:
                raise HomeError("broker-unreachable", "The broker refused it. On the hub: homesystem doctor.")
        except HomeError:
            self._expected.forget(room)
            await self._proof.write(
                FILE_SET, where, who, severity=Severity.CRITICAL, outcome=Outcome.FAILED, detail=detail
            )
            raise
        return FileSent(id=settings.id)


def _shortened(names: str) -> str:
    return names if len(names) <= 200 else f"{names[:199]}…"


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only a master user changes a room's devices.")
