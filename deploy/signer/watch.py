"""Looks several times a day at what is about to end, and tells the owner 30, 7 and 1 days before: each time once."""

import asyncio
import datetime as dt
import logging
import sqlite3
import uuid
from collections.abc import Callable

from deploy.pki.index import Issued
from deploy.pki.leaf import DEVICE_CA
from deploy.signer import desk
from deploy.signer.config import IDENTITY
from shared.proof.spool import Spool
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

LOOK_SECONDS = 6 * 3600.0
AGAIN_SECONDS = 300.0
_TABLE = "CREATE TABLE IF NOT EXISTS told (certificate TEXT PRIMARY KEY, days INTEGER NOT NULL)"


class Watch:
    """What was told stands in the spool's own file, in the same commit as the event that tells it."""

    def __init__(
        self,
        spool: Spool,
        newest: Callable[[], list[Issued]],
        *,
        now: Callable[[], dt.datetime],
        wake: Callable[[], None],
    ) -> None:
        self._spool = spool
        self._newest = newest
        self._now = now
        self._wake = wake

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
                pause = LOOK_SECONDS
            except (HomeError, ConfigError) as error:
                log.error("Ends of certificates cannot be told", extra=facts(reason=error))
                pause = AGAIN_SECONDS
            await asyncio.sleep(pause)

    def look(self) -> None:
        """Tell what is due now. Raises HomeError("no-proof"), ConfigError."""
        newest = self._newest()
        told = self._told()
        for line, days in desk.due(newest, told, self._now()):
            self._spool.append(self._event(line), durable=True, also=_remember(line, days))
            self._wake()

    def _told(self) -> dict[str, int]:
        rows: dict[str, int] = {}

        def read(db: sqlite3.Connection) -> None:
            db.execute(_TABLE)
            rows.update(db.execute("SELECT certificate, days FROM told").fetchall())

        self._spool.append(durable=False, also=read)
        return rows

    def _event(self, line: Issued) -> AuditEvent:
        now = self._now()
        where = f"{line.role}/{line.name}" if line.role in ("room", "client") else f"certificate/{line.name}"
        return AuditEvent(
            id=str(uuid.uuid4()),
            at=now,
            what="certificate:ending",
            where=where,
            who=Who(issuer=IDENTITY),
            outcome=Outcome.EXECUTED,
            severity=Severity.CRITICAL,
            detail={
                "ends": f"{line.not_after:%Y-%m-%d %H:%M} UTC",
                "days": str(max(0, int((line.not_after - now).total_seconds() // 86400))),
                "step": step(line),
            },
        )


def step(line: Issued) -> str:
    """What a person can do about it."""
    match line.role:
        case "room":
            return f"see that its Pi is on; else on the hub: homesystem room renew {line.name}"
        case "client":
            return f"on the hub: homesystem client renew {line.name}"
        case "authority" if line.name == DEVICE_CA:
            return "on the hub: homesystem authority rotate"
        case "authority":
            return "on the hub: homesystem authority rotate web"
    return "on the hub: homesystem renew, and see that homesystem-renew.timer runs"


def _remember(line: Issued, days: int) -> Callable[[sqlite3.Connection], None]:
    def write(db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO told VALUES (?, ?)", (desk.key(line), days))

    return write
