"""Who would be cut off if the former device authority ended now: pure."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.trust.signing import Following


class Behind(NamedTuple):
    """A room or trusted client that is not known to have followed: what it has is good until `until`, or the end."""

    name: str
    role: str
    until: datetime
    why: str

    @property
    def step(self) -> str:
        """What a person can do about it."""
        renew = f"homesystem {self.role} renew {self.name}"
        return f"see that its Pi is on; or: {renew}" if self.role == "room" else renew


def of(following: Following, told: Mapping[str, str | None], here: Collection[str]) -> list[Behind]:
    """Everybody who is behind, by name.

    `told` has the serial number (hex) of the certificate that each room that was heard says it shows, None of one that
    does not say; `here` are those whose certificate lies on the hub, and is of the authority that follows. A room's
    word is enough: with a false one it cuts off itself.
    """
    found = []
    for holder in following.holders:
        shows = told.get(holder.name) if holder.role == "room" else None
        if holder.name in here or shows in holder.serials:
            continue
        if holder.role != "room":
            why = "is given another certificate by hand"
        elif holder.name not in told:
            why = "has not been heard of"
        elif shows is None:
            why = "does not say what it shows: its agent is older, or it tries a new certificate"
        else:
            why = "still shows a certificate of the former authority"
        found.append(Behind(holder.name, holder.role, holder.until, why))
    return found
