"""How a device is confirmed by the master user's will: nothing less than its room says, and less only when proved."""

from collections.abc import Callable
from datetime import datetime

from auth_service.account import telling
from auth_service.home import pending_rules, room_rows
from auth_service.people import changed_rights, masters, user_rows
from auth_service.proof import Proof
from auth_service.signing_in.session_rows import is_proved
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.words.internal import RegisteredDevice, RegisteredRoom
from shared.words.internal_proofs import ConfirmByChange
from shared.words.languages import later
from shared.words.names import ACTIONS, STRONG_WAYS, ConfirmBy, strictness
from shared.words.problem import HomeError

_ALONE = later("Nobody but one person may use this device. Invite or allow a second one first.")
_NO_DELAY = later("Only an appointment has a delay.")
_NOT_CRITICAL = later("Only a critical device asks for that: its room's file says which devices are.")


class ConfirmWays:
    """Changes it, each time with its proof. `wake` tells the gateways of it at once."""

    def __init__(
        self, store: Store, sessions: Sessions, proof: Proof, *, now: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._now = now
        self._wake = wake

    async def change(self, room: str, device: str, wanted: ConfirmByChange, issuer: str) -> RegisteredRoom:
        """The room that then stands; what stands already is changed and recorded no second time.

        Raises HomeError: sign-in-required, forbidden (no master user), unknown-device, invalid-value (not for this
        device, or nobody but one who may use it), step-up-required (away from a strong way, without one), no-proof.
        """
        session = await self._sessions.verify(wanted.token)
        who = telling.by(session.user, wanted.address, issuer)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            await masters.held(connection, session.user.id, _masters_only)
            known, found = await room_rows.registered(connection, room, device)
            delay = found.delay_minutes if wanted.delay_minutes is None else wanted.delay_minutes
            if (found.confirm_by, found.delay_minutes) == (wanted.confirm_by, delay):
                return known
            _check(found, wanted)
            if wanted.confirm_by is ConfirmBy.TWO_PERSONS:
                people = await user_rows.all_rows(connection)
                if not pending_rules.has_two(people, room, found, self._now()):
                    raise HomeError("invalid-value", _ALONE, field="confirm_by")
            if found.confirm_by in STRONG_WAYS and not is_proved(session, self._now()):
                # Else whoever sits in a stolen session would first take away what keeps them out.
                raise HomeError("step-up-required")
            await room_rows.set_confirm_by(connection, room, device, wanted.confirm_by, delay)
            is_weaker = _strictness(wanted.confirm_by, delay) < _strictness(found.confirm_by, found.delay_minutes)
            what = "device:confirm-loosened" if is_weaker else "device:confirm-tightened"
            stands, before = _told(wanted.confirm_by, delay), _told(found.confirm_by, found.delay_minutes)
            await say(what, f"{room}/{device}", stands=stands, before=before)
            await changed_rights.note_registry(connection)
            known, _ = await room_rows.registered(connection, room, device)
        self._wake()
        return known


def _check(found: RegisteredDevice, wanted: ConfirmByChange) -> None:
    """Whether that can be asked of such a device. Raises invalid-value."""
    if found.kind not in ACTIONS:
        raise HomeError("invalid-value", "An input does nothing that could be confirmed.", field="confirm_by")
    if wanted.confirm_by in STRONG_WAYS and not found.critical:
        raise HomeError("invalid-value", _NOT_CRITICAL, field="confirm_by")
    if wanted.delay_minutes is not None and wanted.confirm_by is not ConfirmBy.APPOINTMENT:
        raise HomeError("invalid-value", _NO_DELAY, field="delay_minutes")


def _strictness(way: ConfirmBy, delay_minutes: int) -> tuple[int, int]:
    """What is stricter is greater; of two appointments the one that leaves more time for a veto."""
    return strictness(way), delay_minutes if way is ConfirmBy.APPOINTMENT else 0


def _told(way: ConfirmBy, delay_minutes: int) -> str:
    return f"{way} of {delay_minutes} min" if way is ConfirmBy.APPOINTMENT else way.value


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only a master user decides how a device is confirmed.")
