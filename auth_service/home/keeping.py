"""How the house is kept, as far as the registry, the accounts and the signer know it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from sqlalchemy import select

from auth_service.home import identity_rows, waiting_rows
from auth_service.people import user_rows
from auth_service.tables import factors
from shared.keeping.database import Store
from shared.words.internal_house import Enrolled, HouseKept, Person
from shared.words.problem import HomeError

Ends = Callable[[], Awaitable[Mapping[str, datetime]]]
"""When the newest certificate of each name ends; raises HomeError where the signer does not say."""


class Keeping:
    """Reads it."""

    def __init__(self, store: Store, ends: Ends) -> None:
        self._store = store
        self._ends = ends

    async def read(self) -> HouseKept:
        """As it is now. What the signer does not say is unknown, and why is told; raises HomeError for a database."""
        unsigned, ends = None, dict[str, datetime]()
        try:
            ends = dict(await self._ends())
        except HomeError as error:
            unsigned = error.detail
        async with self._store.read() as connection:
            identities = await identity_rows.all_rows(connection)
            rows = await user_rows.all_rows(connection)
            waiting = {(one.room, one.loosening.device) for one in await waiting_rows.everything(connection)}
            strong = set(await connection.scalars(select(factors.c.user_id).where(factors.c.confirmed)))
        enrolled = tuple(
            Enrolled(name=one.name, role=one.role, enrolled_at=one.enrolled_at, ends_at=ends.get(one.name))
            for one in identities
            if one.role in ("room", "client") and one.revoked_at is None
        )
        people = tuple(
            Person(
                name=row.user.name,
                role=row.user.role,
                strong=row.user.id in strong,
                signed_in_at=row.signed_in_at,
            )
            for row in rows
            if not row.disabled
        )
        return HouseKept(enrolled=enrolled, people=people, unsigned=unsigned, waiting=len(waiting))
