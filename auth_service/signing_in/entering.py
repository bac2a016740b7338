"""What every sign-in ends with, whatever was shown: the session, and word of a place that is new."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import crowding, networks, place_rows, session_rows
from shared.words.internal import LoginAnswer, User
from shared.words.messages import Who
from shared.words.names import Severity


class Entering:
    """Opens sessions, on a connection of the caller's."""

    def __init__(
        self, passwords: Passwords, proof: Proof, *, limits: session_rows.Limits, now: Callable[[], datetime]
    ) -> None:
        self._passwords = passwords
        self._proof = proof
        self._limits = limits
        self._now = now

    async def start(
        self,
        connection: AsyncConnection,
        user: User,
        who: Who,
        *,
        address: str,
        agent: str,
        known: bool,
        own: bool,
        proved: bool,
    ) -> LoginAnswer:
        """A session of that user's; `known`: the browser opened the account before; `proved`: by a strong factor."""
        now = self._now()
        first = await user_rows.signed_in(connection, user.id, now)
        network = networks.network(address)
        place = self._passwords.keyed("place", user.id, network, agent)
        seen = await place_rows.visit(connection, user.id, place, now)
        for ended in await crowding.make_room(connection, user.id, now):
            # Told before it is committed, as the place is; the owner sees that it was not they who signed out.
            detail = {"user": user.name, "because": "crowded"}
            await self._proof.write_or_owe(
                "session:ended", f"session/{ended}", who, severity=Severity.INFO, detail=detail
            )
        answer = await session_rows.start(
            connection,
            user,
            address=address,
            agent=agent,
            limits=self._limits,
            now=now,
            own=own,
            proved_at=now if proved else None,
        )
        if not (known or seen):
            # Told before it is committed: a crash in between would make the place a known one untold.
            # The first time of all stands in the history alone: that the account was made was told already.
            await self._proof.write_or_owe(
                "session:new-place",
                f"session/{answer.session.id}",
                who,
                severity=Severity.INFO if first else Severity.SECURITY,
                detail={"browser": agent, "network": network},
            )
        return answer

    async def note(self, answer: LoginAnswer, who: Who, *, agent: str, factor: str, own: bool) -> None:
        """Say that it was opened: no critical action, since a full disk must not keep the owner from switching off."""
        told = {"browser": agent, "factor": factor} | ({"own_device": "yes"} if own else {})
        await self._proof.note("session:started", f"session/{answer.session.id}", who, **told)
