"""`homesystem repair` for databases that are torn: what was done, or what can be; docs/doctor.md has the whole."""

import sqlite3
from collections.abc import Iterator

from alert_service import config as alerts_config
from alert_service.readings import config as readings_config
from alert_service.readings import store as readings_store
from alert_service.record import mending
from auth_service import config as auth_config
from auth_service.mending import repairing
from deploy.folder.home import Home
from shared.keeping.torn import Torn
from shared.words.problem import HomeError


async def databases(home: Home, *, accounts: bool) -> list[str]:
    """Mend the record, and with `accounts` the accounts, where they are torn; sentences for a person.

    Raises HomeError("no-proof") where the disk takes nothing.
    """
    try:
        readings = await readings_store.put_aside(readings_config.read(home.config("readings")).database)
        record = await mending.put_aside(alerts_config.read(home.config("alerts")).database)
        settings = auth_config.read(home.config("auth"))
        fault = repairing.fault(settings)
        mended = await repairing.put_aside(settings) if accounts and fault is not None else None
    except (sqlite3.Error, OSError) as error:
        raise HomeError("no-proof", f"A torn database cannot be put aside ({error}): see to its disk first.") from error
    told = list(_of_record(record)) if record is not None else []
    if readings:
        told.append("The readings were torn; what could be read of them goes on, and the torn file lies beside it.")
    if mended is not None:
        told += _of_accounts(mended)
    elif fault is not None:
        told += _choices(fault)
    return told


def _of_record(torn: Torn) -> Iterator[str]:
    yield f"The record was torn ({torn.reason}); {torn.rows['events']} rows of it could be read and go on."
    yield f"The torn file lies in {torn.aside}: keep it. `homesystem audit verify` says which rows are lost."


def _of_accounts(torn: Torn) -> Iterator[str]:
    rows = torn.rows
    yield (
        f"The accounts were torn ({torn.reason}); {rows['users']} people, {rows['rooms']} rooms and {rows['devices']} "
        "devices could be read and go on."
    )
    yield f"The torn file lies in {torn.aside}: keep it."
    yield "The home is locked down and everyone is signed out: look through people, rooms and what is critical, then"
    yield "end the lockdown. Revoke again who was revoked: `homesystem doctor` compares registry and broker."


def _choices(fault: str) -> Iterator[str]:
    yield f"The accounts are torn ({fault}): nobody can sign in, and nothing was changed. Either"
    yield "- bring back the newest backup: `homesystem restore FILE --replace`; or, without one,"
    yield "- go on with what can be read, locked down and with everybody signed out: `homesystem repair --accounts`."
