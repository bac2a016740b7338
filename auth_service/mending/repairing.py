"""The accounts' file where it is torn and there is no backup: what can be read goes on, and the home is locked down.

A lost row may have been a revocation, a lockdown or a device's mark as critical, so that the home obeys nobody but what
is safe until the master user has looked, and ends the lockdown. Called by `homesystem repair --accounts`.
"""

import asyncio
import contextlib
import sqlite3
import time
import uuid

from auth_service.config import AuthConfig
from auth_service.mending.waiting import TORN
from auth_service.store import open_store
from auth_service.tables import metadata
from shared.keeping import database
from shared.keeping.torn import Torn, examine, mend
from shared.proof.spool import Spool
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity

_DETAIL = 200
_LEFT_OUT = frozenset({"sessions", "tokens", "email_changes", "codes", "revocations", "invitations", "join_windows"})
"""Everyone signs in anew and programs get new tokens, as after a restore: what is lost may have been a revocation.
Nobody comes in who was on their way, as with every lockdown."""


def fault(config: AuthConfig) -> str | None:
    """Why the accounts cannot be used; None where they can, are not there, or lie on a server.

    Raises sqlite3.Error or OSError where it is the disk's fault.
    """
    path = database.file_of(config.database)
    if path is None or not path.exists():
        return None
    return examine(path)


async def put_aside(config: AuthConfig) -> Torn | None:
    """Put them aside, and what can be read in their place, with its proof in auth's spool first.

    None where they are sound. Raises HomeError("no-proof"); sqlite3.Error or OSError where the disk takes no file now.
    """
    path = database.file_of(config.database)
    if path is None or await asyncio.to_thread(fault, config) is None:
        return None
    shape = await database.blank(open_store)
    tables = [table.name for table in metadata.sorted_tables if table.name not in _LEFT_OUT]

    def work() -> Torn | None:
        # Opened first: it has a lock on the folder of its own while it looks after its file.
        with contextlib.closing(Spool(config.spool, source=config.broker.identity)) as spool:

            def finish(db: sqlite3.Connection, torn: Torn) -> None:
                moment = utc(time.time()).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
                db.execute("DELETE FROM lockdown")
                db.execute("INSERT INTO lockdown (id, active, changed_at) VALUES (1, 1, ?)", (moment,))
                spool.append(_event(config.broker.identity, torn), durable=True)

            return mend(path, schema=shape, tables=tables, finish=finish, now=time.time())

    return await asyncio.to_thread(work)


def _event(issuer: str, torn: Torn) -> AuditEvent:
    kept = ("users", "grants", "identities", "rooms", "devices")
    return AuditEvent(
        id=uuid.uuid4().hex,
        at=utc(time.time()),
        what=TORN,
        where=issuer,
        who=Who(issuer="admin"),
        outcome=Outcome.EXECUTED,
        severity=Severity.CRITICAL,
        detail={
            "aside": str(torn.aside)[-_DETAIL:],
            "reason": torn.reason[:_DETAIL],
            **{name: str(torn.rows[name]) for name in kept},
        },
    )
