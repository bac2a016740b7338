"""Having everyone show a strong factor: demanded by a master user who has one, and nobody is shut out by it.

Who has none signs in as before, and may then look, make things safer and add one, and nothing else.
"""

from collections.abc import Callable
from datetime import datetime

from auth_service.account import telling
from auth_service.factors import demand_rows
from auth_service.people import changed_rights, masters
from auth_service.proof import Proof
from auth_service.signing_in.session_rows import is_proved
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.words.internal_proofs import DemandChange, DemandState
from shared.words.problem import HomeError


class FactorDemand:
    """Changes it, each time with its proof. `wake` tells the gateways of it at once."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        proof: Proof,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._now = now
        self._wake = wake

    async def state(self) -> DemandState:
        """Whether it is demanded, and who has none."""
        async with self._store.read() as connection:
            return DemandState(
                demanded=await demand_rows.read(connection), without=await demand_rows.without(connection)
            )

    async def change(self, wanted: DemandChange, issuer: str) -> DemandState:
        """What then stands; what stands already is changed and recorded no second time.

        Raises HomeError: sign-in-required, forbidden (no master user), step-up-required, no-proof.
        """
        session = await self._sessions.verify(wanted.token)
        who = telling.by(session.user, wanted.address, issuer)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            await masters.held(connection, session.user.id, _masters_only)
            if await demand_rows.read(connection, lock=True) != wanted.demanded:
                if not is_proved(session, self._now()):
                    raise HomeError("step-up-required")
                await demand_rows.write(connection, demanded=wanted.demanded)
                for user_id in await demand_rows.without(connection):
                    await changed_rights.note(connection, user_id)
                await say("home:factor-demanded" if wanted.demanded else "home:factor-not-demanded", "home")
        self._wake()
        return await self.state()


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only a master user demands that of everyone, or takes it back.")
