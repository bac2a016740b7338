"""Goes through what a sign-in needs, in the service itself, and leaves nothing: a password checked, a code written and
taken back, the mail server asked. For the doctor, who tells it from an answer that only says that nothing is wrong.
"""

import contextlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

from auth_service.confirming import code_rows
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from shared.keeping.database import Store
from shared.mail import MailError
from shared.words.internal_rehearsal import SignInRehearsal
from shared.words.problem import HomeError


class _TakenBackError(Exception):
    """Ends the transaction of a code that nobody shall get."""


class Rehearsal:
    """`check_mail` connects to the mail server and signs in there, or raises MailError."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        *,
        check_mail: Callable[[], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._check_mail = check_mail
        self._now = now

    async def sign_in(self) -> SignInRehearsal:
        """What stands in the way, part by part."""
        masters: list[str] = []

        async def look() -> None:
            masters.extend(await self._masters())
            if masters:
                await self._write_code(masters[0])

        database = await _fault(look)
        return SignInRehearsal(
            password=await _fault(self._password),
            account=None if masters or database is not None else "no master user may sign in",
            database=database,
            mail=await _fault(self._check_mail),
        )

    async def _password(self) -> None:
        await self._passwords.verify(secrets.token_urlsafe(16), None)

    async def _masters(self) -> list[str]:
        async with self._store.read() as connection:
            rows = await user_rows.all_rows(connection)
        return [row.user.id for row in rows if row.is_acting_master]

    async def _write_code(self, user: str) -> None:
        with contextlib.suppress(_TakenBackError):
            async with self._store.write() as connection:
                await code_rows.put(
                    connection,
                    code_id=secrets.token_hex(8),
                    user_id=user,
                    browser_hash="rehearsal",
                    code_hash="",
                    now=self._now(),
                )
                raise _TakenBackError


async def _fault(part: Callable[[], Awaitable[object]]) -> str | None:
    try:
        await part()
    except HomeError as error:
        return error.detail
    except (MailError, OSError, RuntimeError) as error:
        return str(error) or type(error).__name__
    return None
