"""Tells that a recovery code was used: whoever has found somebody's list is found out by its first code."""

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.factors import factor_rows
from auth_service.proof import Proof
from shared.words.internal import User
from shared.words.messages import Who
from shared.words.names import Severity


class RecoveryUsed:
    """Writes of it; never in the way of who used one."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof

    async def tell(self, connection: AsyncConnection, user: User, who: Who) -> None:
        """One was used up just now; says how many are left. A full disk keeps nobody out: it is told later.

        In the transaction that uses it up, so that a kill behind that leaves none which nobody is told of.
        """
        left = await factor_rows.recovery_left(connection, user.id)
        await self._proof.write_or_owe(
            "account:recovery-used",
            f"user/{user.id}",
            who,
            severity=Severity.SECURITY,
            detail={"user": user.name, "left": str(left)},
        )
