"""A change and its proof, together or not at all: what every change to accounts and identities goes through."""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.messages import UserRef, Who
from shared.words.names import Outcome, Severity


def by(user: User, address: str, issuer: str) -> Who:
    """Who changes something: a person, at an address ("" where it is not known), through a gateway."""
    return Who(issuer=issuer, user=UserRef(id=user.id, name=user.name), address=address or None)


class Say(Protocol):
    """Appends the event of a change before it is committed."""

    async def __call__(self, what: str, where: str, **detail: str) -> None:
        """`what` and `where` as in AuditEvent; raises HomeError("no-proof"), and then the change does not happen."""


@contextlib.asynccontextmanager
async def change(
    store: Store, proof: Proof, who: Who, severity: Severity = Severity.CRITICAL
) -> AsyncIterator[tuple[AsyncConnection, Say]]:
    """A transaction whose last act is to `say` what it did; what was said and then not committed is taken back."""
    said: list[tuple[str, str, dict[str, str]]] = []

    async def say(what: str, where: str, **detail: str) -> None:
        await proof.write(what, where, who, severity=severity, detail=detail)
        said.append((what, where, detail))

    try:
        async with store.write() as connection:
            yield connection, say
    except BaseException:
        for what, where, detail in said:
            await proof.write(what, where, who, severity=severity, outcome=Outcome.FAILED, detail=detail)
        raise
