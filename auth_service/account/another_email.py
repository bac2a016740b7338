"""What becomes of an account whose address is another one: the one way for its owner and for the hub's own command."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.confirming import code_rows
from auth_service.people import changed_rights, email_rows, invitation_rows, user_rows
from shared.words.internal import Ending, User
from shared.words.problem import HomeError

WHAT = "account:email-changed"
WHY: Final[Ending] = "email-changed"
"""Why sessions ended by it."""


async def change(connection: AsyncConnection, user: User, email: str, now: datetime) -> None:
    """Letters and signing in go by `email` from now on; what was mailed to the former one is void. Ends no session.

    Raises HomeError("already-exists"), here or when the transaction is committed.
    """
    found = await user_rows.find(connection, email)
    if found is not None and found.user.id != user.id:
        raise HomeError("already-exists", "A user with this e-mail address exists.")
    await user_rows.set_email(connection, user.id, email)
    await code_rows.drop_all(connection, user.id)
    await invitation_rows.withdraw_for(connection, email)  # whoever reads there has an account now
    if user_rows.email_key(email) != user_rows.email_key(user.email):
        await email_rows.note_former(connection, user.id, user.email, now)
    await changed_rights.note(connection, user.id)
