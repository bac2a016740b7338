"""`python -m deploy.record.upgraded`: what became of an upgrade goes into the record, and by letter where it went back.

In the auth service's own spool, whether it runs or not, by whoever finishes the upgrade and as the home's user.
"""

import argparse
import contextlib
import os
import sys
from datetime import datetime

from auth_service import config as auth_config
from auth_service.config import AuthConfig
from auth_service.home.lockdown import WHERE
from auth_service.hub.accounts import ISSUER
from deploy.folder import home as homes
from shared.proof.spool import Spool
from shared.running.config import ConfigError
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

_MOST = 200


def event(number: str, at: datetime, before: str, after: str, why: str) -> AuditEvent:
    """From `before` to `after`; with a reason, it stayed at `before`, which the master users are told by letter."""
    return AuditEvent(
        id=number,
        at=at,
        what="home:upgraded",
        where=WHERE,
        who=Who(issuer=ISSUER),
        outcome=Outcome.FAILED if why else Outcome.EXECUTED,
        severity=Severity.CRITICAL if why else Severity.INFO,
        detail={"was": before, "wanted": after} | ({"because": why[:_MOST]} if why else {}),
    )


def tell(config: AuthConfig, told: AuditEvent) -> None:
    """Append it, unless it waits there already, told before a power cut. Raises HomeError("no-proof"), ConfigError."""
    with contextlib.closing(Spool(config.spool, source=config.broker.identity)) as spool:
        if all(one.id != told.id for one in spool.pending(_MOST)):
            spool.append(told, durable=True)


def main() -> int:
    """1 where it could not be written."""
    parser = argparse.ArgumentParser(prog="python -m deploy.record.upgraded", description=__doc__)
    for name in ("id", "at", "from", "to", "why"):
        parser.add_argument(f"--{name}", required=True, dest=f"{name}_")
    said = parser.parse_args()
    os.umask(0o077)
    try:
        told = event(said.id_, datetime.fromisoformat(said.at_), said.from_, said.to_, said.why_)
        tell(auth_config.read(homes.find(homes.folder()).config("auth")), told)
    except (ConfigError, HomeError) as error:
        print(error.detail if isinstance(error, HomeError) else error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
