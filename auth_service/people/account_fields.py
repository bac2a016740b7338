"""What may stand in an account: its address and its name, pure; grants.py has a guest's grants."""

from shared.words import addresses
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
