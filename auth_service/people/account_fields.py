"""What may stand in an account: its address, its name, and a guest's grants, pure."""

from shared.words import addresses
from shared.words.internal import Grant
from shared.words.names import is_identity
from shared.words.problem import HomeError

_NAME_MOST = 64


def checked_email(email: str) -> str:
    """An address as it is kept. Raises HomeError("invalid-value")."""
    email = email.strip()
    if (fault := addresses.fault(email)) is not None:
        raise HomeError("invalid-value", fault)
    return email


def checked_name(name: str) -> str:
    """A name as it is kept. Raises HomeError("invalid-value")."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= _NAME_MOST or not name.isprintable():
        raise HomeError("invalid-value", f"A user's name has 1 to {_NAME_MOST} characters.")
    return name


def check_grant(grant: Grant) -> None:
    """Whether it can be meant. Raises HomeError("invalid-value")."""
    if not is_identity(grant.room) or not is_identity(grant.device):
        raise HomeError("invalid-value", "A grant names a room and a device, such as hall/lamp.")
    if not grant.weekdays or any(not 0 <= day <= 6 for day in grant.weekdays):
        raise HomeError("invalid-value", "A grant's weekdays are 0 (Monday) to 6.")
    if not 0 <= grant.from_minute < grant.to_minute <= 1440:
        raise HomeError("invalid-value", "A grant's hours begin before they end, on one day.")
    if grant.until is not None and grant.until.tzinfo is None:
        raise HomeError("invalid-value", "A grant's end needs a time zone.")
