"""Changes to accounts and identities, each with its proof: for the `homesystem` command, no service need run.

Every change appends its audit event to auth's spool inside the transaction that makes it: no proof, no change.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import another_email, new_password, rights, telling
from auth_service.config import AuthConfig
from auth_service.factors import factor_rows
from auth_service.home import identity_rows, look_rows, room_rows, window_rows
from auth_service.home.identity_rows import IdentityRole, IdentityRow
from auth_service.hub import opening
from auth_service.people import newcomers, own_look_rows, user_rows
from auth_service.people.account_fields import checked_email
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from shared.keeping.database import Store
from shared.words.internal import Grant, User, UserRow
from shared.words.internal_joining import Kind
from shared.words.internal_recipients import Erasure
from shared.words.languages import Language
from shared.words.messages import UserRef, Who
from shared.words.names import Outcome, Role, Severity
from shared.words.problem import HomeError

ISSUER = "admin"
"""The identity in whose name the hub's own command acts."""


@contextlib.asynccontextmanager
async def opened(
    config: AuthConfig, *, founding: bool = False, words: tuple[str, ...] = ()
) -> "AsyncIterator[Accounts]":
    """The accounts of the home that `config` describes; migrates the database.

    `words` are those of the home that no password may be made of, besides the settings'. `founding` is for
    `homesystem init`: it alone begins them, and what it makes is recorded without a letter.
    Raises ConfigError when the database, the spool or the pepper cannot be used.
    """
    async with opening.opened(config, founding=founding) as (store, passwords, spool):
        home_words = (*config.passwords.home_words, *words)
        yield Accounts(store, Proof(spool, now=_now), passwords, home_words, founding=founding)


class Accounts:
    """Users and identities of one home. `by` is the person who asked, None for whoever may run `homesystem`."""

    def __init__(
        self,
        store: Store,
        proof: Proof,
        passwords: Passwords,
        home_words: tuple[str, ...] = (),
        *,
        now: Callable[[], datetime] | None = None,
        founding: bool = False,
    ) -> None:
        self._store = store
        self._proof = proof
        self._passwords = passwords
        self._home_words = home_words
        self._now = now or _now
        self._severity = Severity.INFO if founding else Severity.CRITICAL

    async def create_user(
        self,
        *,
        email: str,
        name: str,
        password: str,
        role: Role,
        grants: tuple[Grant, ...] = (),
        language: Language | None = None,
        by: UserRef | None = None,
    ) -> User:
        """Make a user. Raises HomeError: invalid-value, already-exists, last-master (the first must be a master)."""
        user, grants = newcomers.read(email=email, name=name, role=role, grants=grants, language=language)
        await new_password.check(self._store, password, user, self._home_words)
        password_hash = await self._passwords.hash(password)
        async with self._change(by) as (connection, say):
            await newcomers.check(connection, user)
            await user_rows.add(connection, user, password_hash=password_hash, now=self._now())
            await user_rows.replace_grants(connection, user.id, grants)
            await say("account:created", f"user/{user.id}", user=user.name, role=role.value)
        return user

    async def check_newcomer(self, *, email: str, name: str, role: Role, grants: tuple[Grant, ...] = ()) -> None:
        """Whether `create_user` would make this user, whatever the password. Raises HomeError as it does."""
        user, _ = newcomers.read(email=email, name=name, role=role, grants=grants, language=None)
        async with self._store.read() as connection:
            await newcomers.check(connection, user)

    async def check_there(self, email: str) -> None:
        """Raises HomeError("not-found") where nobody has this address."""
        async with self._store.read() as connection:
            await _existing(connection, email)

    async def list_users(self) -> tuple[UserRow, ...]:
        """Every user, the oldest first."""
        async with self._store.read() as connection:
            return await user_rows.all_rows(connection)

    async def set_language(self, email: str, language: Language | None, *, by: UserRef | None = None) -> None:
        """Letters in another language from now on; None is the home's. Raises HomeError("not-found")."""
        async with self._change(by) as (connection, say):
            account = await _existing(connection, email)
            if account.user.language == language:
                return
            await user_rows.set_language(connection, account.user.id, language)
            await say(
                "account:changed", f"user/{account.user.id}", user=account.user.name, language=language or "the home's"
            )

    async def disable_user(self, email: str, *, by: UserRef | None = None) -> None:
        """No sign-in from now on, and every session ends (ASVS 7.4.2). Raises HomeError: not-found, last-master."""
        async with self._change(by) as (connection, say):
            account = await _existing(connection, email)
            if account.disabled:
                return
            await rights.disable(connection, account.user, self._now())
            await say("account:disabled", f"user/{account.user.id}", user=account.user.name)

    async def erase_user(self, email: str, *, by: UserRef | None = None) -> Erasure:
        """Delete a disabled account; what the record is to lose of them. What is told of it names nobody.

        Raises HomeError: not-found, invalid-value (the account may still sign in).
        """
        async with self._change(by) as (connection, say):
            user = _erasable(await _existing(connection, email, lock=True))
            erasure = await rights.erase(connection, user, self._now(), disabled=True)
            await say("account:erased", f"user/{user.id}")
        return erasure

    async def erasable(self, email: str) -> User:
        """The user of a disabled account. Raises HomeError: not-found, invalid-value."""
        async with self._store.read() as connection:
            return _erasable(await _existing(connection, email))

    async def set_password(self, email: str, password: str, *, by: UserRef | None = None) -> None:
        """Another password, and every session ends. Raises HomeError: not-found, invalid-value."""
        async with self._store.read() as connection:
            account = await _existing(connection, email)
        await new_password.check(self._store, password, account.user, self._home_words)
        password_hash = await self._passwords.hash(password)
        async with self._change(by) as (connection, say):
            await user_rows.set_password(connection, account.user.id, password_hash)
            await session_rows.end_all(connection, account.user.id, "password-changed", self._now())
            await say("account:password-changed", f"user/{account.user.id}", user=account.user.name)

    async def change_email(self, email: str, wanted: str, *, by: UserRef | None = None) -> User:
        """Another address, and every session ends; the service writes to the former one. The user as they then stand.

        Raises HomeError: not-found, invalid-value, already-exists.
        """
        wanted = checked_email(wanted)
        async with self._change(by) as (connection, say):
            user = (await _existing(connection, email, lock=True)).user
            after = msgspec.structs.replace(user, email=wanted)
            if user.email == wanted:
                return after
            await another_email.change(connection, user, wanted, self._now())
            await session_rows.end_all(connection, user.id, another_email.WHY, self._now())
            await say(another_email.WHAT, f"user/{user.id}", user=user.name, email=wanted)
        return after

    async def remove_factors(self, email: str, *, by: UserRef | None = None) -> int:
        """Take every strong factor away of a user who lost them; how many there were. Raises HomeError("not-found")."""
        async with self._change(by) as (connection, say):
            account = await _existing(connection, email)
            count = await factor_rows.remove_all(connection, account.user.id)
            if count:
                await say("account:factor-removed", f"user/{account.user.id}", user=account.user.name, factor="all")
        return count

    async def enrol_identity(self, name: str, role: IdentityRole, *, by: UserRef | None = None) -> None:
        """Give out a certificate's name. Raises HomeError: invalid-value, already-exists (revoked ones included)."""
        identity_rows.check_name(name, role)
        async with self._change(by) as (connection, say):
            await identity_rows.enrol(connection, name, role, self._now())
            await window_rows.close(connection, name)
            await say(f"{role}:added", f"{role}/{name}")

    async def resume_identity(self, name: str, role: IdentityRole, *, by: UserRef | None = None) -> None:
        """Say that an enrolment that was interrupted is finished now; its name was given out by the first try."""
        async with self._change(by) as (connection, say):
            await window_rows.close(connection, name)  # its key may come from here now, and from nowhere else
            await say(f"{role}:added", f"{role}/{name}", interrupted_before="yes")

    async def check_standing(self, name: str, role: IdentityRole) -> None:
        """Raises HomeError("not-found") where there is no such room or client, or it was revoked."""
        async with self._store.read() as connection:
            await identity_rows.standing(connection, name, role)

    async def renew_identity(self, name: str, role: IdentityRole, *, by: UserRef | None = None) -> None:
        """Say that an identity gets another certificate, from here and by no line any more.

        Raises HomeError("not-found"), also for one that was revoked.
        """
        async with self._change(by) as (connection, say):
            await identity_rows.standing(connection, name, role)
            await window_rows.close(connection, name)
            await say("certificate:renewed", f"{role}/{name}")

    async def close_window(self, name: str, role: IdentityRole, *, by: UserRef | None = None) -> bool:
        """Nobody comes in by the line or code that was shown for a new name, and nobody has; False where none was."""
        async with self._change(by) as (connection, say):
            kinds: tuple[Kind, ...] = ("room",) if role == "room" else ("client", "phone")
            if not await window_rows.close_awaiting(connection, name, kinds):
                return False
            await say(f"{role}:awaited-no-more", f"{role}/{name}")
        return True

    async def revoke_identity(self, name: str, *, by: UserRef | None = None) -> None:
        """Take a name back for good. Raises HomeError("not-found"); a second time changes nothing."""
        async with self._change(by) as (connection, say):
            identity = await identity_rows.find(connection, name)
            if identity is None:
                raise HomeError("not-found", f"There is no {name}.")
            if identity.revoked_at is not None:
                return
            await identity_rows.revoke(connection, name, self._now())
            await window_rows.close(connection, name)
            if identity.role == "room":
                await look_rows.forget_room(connection, name)
                await own_look_rows.forget_room(connection, name)
            what = "certificate:revoked" if identity.role == "service" else f"{identity.role}:revoked"
            await say(what, f"{identity.role}/{name}")

    async def rename_hub(self, was: str, now: str, *, by: UserRef | None = None) -> None:
        """Note that the hub is to get another name. Raises HomeError("no-proof"), and then it does not."""
        await self._write("home:renamed", "home", by, {"was": was, "now": now}, Outcome.EXECUTED)

    async def note_authority(
        self, what: str, detail: dict[str, str] | None = None, *, severity: Severity | None = None
    ) -> None:
        """Note what is to become of an authority of the home. Raises HomeError("no-proof"), and then it does not."""
        await self._write(what, "home", None, detail or {}, Outcome.EXECUTED, severity=severity)

    async def count_passkeys(self) -> tuple[int, int]:
        """How many passkeys there are, and of how many people: what a rename of the hub ends."""
        async with self._store.read() as connection:
            return await factor_rows.count_passkeys(connection)

    async def list_identities(self) -> tuple[IdentityRow, ...]:
        """Every identity that was ever given out, by name."""
        async with self._store.read() as connection:
            return await identity_rows.all_rows(connection)

    async def devices_of(self, room: str) -> tuple[str, ...]:
        """Every device that a room ever described, whether the room is revoked or not."""
        async with self._store.read() as connection:
            return await room_rows.device_ids(connection, room)

    def _change(
        self, by: UserRef | None
    ) -> "contextlib.AbstractAsyncContextManager[tuple[AsyncConnection, telling.Say]]":
        return telling.change(self._store, self._proof, Who(issuer=ISSUER, user=by), self._severity)

    async def _write(
        self,
        what: str,
        where: str,
        by: UserRef | None,
        detail: dict[str, str],
        outcome: Outcome,
        *,
        severity: Severity | None = None,
    ) -> None:
        who = Who(issuer=ISSUER, user=by)
        await self._proof.write(what, where, who, severity=severity or self._severity, outcome=outcome, detail=detail)


async def _existing(connection: AsyncConnection, email: str, *, lock: bool = False) -> user_rows.Account:
    account = await user_rows.find(connection, email, lock=lock)
    if account is None:
        raise HomeError("not-found", f"There is no user {email}; `homesystem user list` names them all.")
    return account


def _erasable(account: user_rows.Account) -> User:
    if not account.disabled:
        next_step = f"First end that: homesystem user disable {account.user.email}"
        raise HomeError("invalid-value", f"This account may still sign in. {next_step}")
    return account.user


def _now() -> datetime:
    return datetime.now(UTC)
