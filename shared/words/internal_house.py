"""What the auth service knows of how the house is kept, for the house's own page."""

from datetime import datetime

import msgspec

from shared.words.messages import Moment
from shared.words.names import Role

HOUSE = "/internal/house"


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """A room or a trusted client that is not revoked. `ends_at`: of its newest certificate, None where nobody knows."""

    name: str
    role: str
    enrolled_at: Moment
    ends_at: Moment | None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An account that may sign in, and whether by a passkey or an authenticator app."""

    name: str
    role: Role
    strong: bool
    signed_in_at: datetime | None


class HouseKept(msgspec.Struct, frozen=True, kw_only=True):
    """GET HOUSE. `unsigned`: why the ends of certificates are not known, None where they are.

    `waiting`: of so many devices their rooms would loosen something, and the master user has not decided.
    """

    enrolled: tuple[Enrolled, ...]
    people: tuple[Person, ...]
    unsigned: str | None
    waiting: int = 0
