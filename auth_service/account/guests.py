"""What guests may do: the whole list replaced at once, with its proof, and told to every gateway within a second."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.home import places, room_rows
from auth_service.people import changed_rights, masters, user_rows
from auth_service.people.grants import checked_grants, invalid
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words import grant_text
from shared.words.internal import Grant, UserRow
from shared.words.internal_grants import GrantsChange
from shared.words.messages import Who
from shared.words.names import ACTIONS, Kind, Role
from shared.words.problem import HomeError

CHANGED = "account:grants-changed"


class Guests:
    """Changes grants. `wake` has the gateways told at once, where the announcer runs in this process."""

    def __init__(self, store: Store, proof: Proof, *, wake: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._proof = proof
        self._wake = wake

    async def change(self, user_id: str, wanted: GrantsChange, issuer: str) -> UserRow:
        """Exactly these grants from now on, as heard by the gateway `issuer`; the user as they then stand.

        Raises HomeError: forbidden (not by an enabled master user), not-found, invalid-value (`field` says which),
        changed-meanwhile, no-proof.
        """
        async with self._store.read() as connection:
            by = await masters.known(connection, wanted.by, _masters_only)
        who = telling.by(by, wanted.address, issuer)

        async def still(connection: AsyncConnection) -> None:
            await masters.held(connection, wanted.by, _masters_only)

        return await self.replace(user_id, wanted.grants, who, instead_of=wanted.instead_of, check=still)

    async def replace(
        self,
        user_id: str,
        wanted: Sequence[Grant],
        who: Who,
        *,
        instead_of: Sequence[Grant] | None = None,
        check: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    ) -> UserRow:
        """The same for whoever may do it in any case. What stands already is changed and recorded no second time.

        `check`: what must still be so when it is changed.
        """
        grants = checked_grants(wanted)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            if check is not None:
                await check(connection)
            row = await user_rows.row_of(connection, user_id, lock=True)
            if row is None:
                raise HomeError("not-found", "There is no such user.")
            if row.user.role is not Role.GUEST:
                raise HomeError("invalid-value", "Grants are for guests; members and master users use every room.")
            if instead_of is not None and set(instead_of) != set(row.grants):
                raise HomeError("changed-meanwhile")
            if set(grants) == set(row.grants):
                return row
            await _check_places(connection, grants, known=row.grants)
            await user_rows.replace_grants(connection, user_id, grants)
            await changed_rights.note(connection, user_id)
            stands = {f"grant-{number}": grant_text.written(grant) for number, grant in enumerate(grants, 1)}
            await say(CHANGED, f"user/{user_id}", user=row.user.name, grants=str(len(grants)), **stands)
            after = await user_rows.row_of(connection, user_id)
        self._wake()
        assert after is not None
        return after


async def _check_places(connection: AsyncConnection, grants: Sequence[Grant], *, known: Sequence[Grant]) -> None:
    """Whether there are such devices, and whether they do that; what was granted before may have gone since.

    Raises invalid-value, with the `field`.
    """
    for number, grant in enumerate(grants):
        if grant in known:
            continue
        room = await room_rows.find(connection, grant.room)
        if room is None:
            rooms = [one.id for one in await room_rows.all_enrolled(connection)]
            raise invalid(number, "room", places.no_room(grant.room, rooms))
        device = next((one for one in room.devices if one.id == grant.device), None)
        if device is None:
            devices = [one.id for one in room.devices]
            raise invalid(number, "device", places.no_device(grant.room, grant.device, devices))
        offered = ACTIONS.get(Kind(device.kind), ())
        for action in grant.actions or ():
            if action not in offered:
                detail = f"{grant.room}/{grant.device} does {', '.join(offered) or 'nothing'}, and not {action}."
                raise invalid(number, "actions", detail)


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only the master user says what guests may do.")
