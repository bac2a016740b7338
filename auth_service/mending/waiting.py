"""Accounts that cannot be read: auth tells of it, carries what waits in its spool, and waits for another file.

Meanwhile nobody can sign in; gateways go on with sessions that they have just seen, for looking and for safe actions.
A file of which only a part is torn is used for as long as people and sessions can be read.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from auth_service.config import AuthConfig
from auth_service.proof import Proof
from auth_service.store import must_be_there, open_store
from auth_service.tables import identities, lockdown, sessions, users
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from shared.keeping import database, reopening
from shared.keeping.database import Store
from shared.keeping.torn import NoRoomError, TornError
from shared.proof.courier import Courier
from shared.proof.spool import Spool
from shared.words import topics
from shared.words.messages import Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

TORN = "accounts:torn"
_NEEDED = (users, sessions, lockdown, identities)
_REASON_CHARACTERS = 200


async def opened(config: AuthConfig, spool: Spool, *, now: Callable[[], datetime]) -> Store:
    """The accounts, once they can be read. Raises ConfigError for what is no torn file."""
    with contextlib.suppress(TornError):
        return await _open(config)
    name = config.broker.identity

    def hear(delivery: Delivery) -> None:
        courier.hear(delivery)

    async def link_up() -> None:
        courier.link_up()

    bus = Bus(
        config.broker,
        subscriptions=(Subscription(topics.receipt(name)), Subscription(topics.resend(name))),
        on_message=hear,
        on_up=link_up,
    )
    courier = Courier(spool, bus)
    proof, told = Proof(spool, now=now, wake=courier.wake), False

    async def look() -> Store:
        nonlocal told
        try:
            return await _open(config)
        except TornError as error:
            # Of a full disk nobody is to be told that the accounts are torn, or somebody brings back older ones.
            if not (told or isinstance(error, NoRoomError)):
                told = True
                await _tell(proof, name, str(error))
            raise

    work = [asyncio.create_task(bus.run()), asyncio.create_task(courier.run())]
    try:
        return await reopening.patiently(look)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def watch(store: Store, config: AuthConfig, proof: Proof) -> None:
    """Tell once where the file turns out to be torn; raises TornError when it is of no use, or another one is there."""

    async def torn() -> None:
        path = database.file_of(config.database)
        await _tell(proof, config.broker.identity, f"database: a part of {path} is torn")
        await _read_all(store, config)

    await reopening.watch(store, config.database, torn=torn)


async def _open(config: AuthConfig) -> Store:
    must_be_there(config.database)
    store = await open_store(config.database)
    try:
        await _read_all(store, config)
    except BaseException:
        await store.close()
        raise
    return store


async def _read_all(store: Store, config: AuthConfig) -> None:
    """Raises TornError where whom a session belongs to cannot be read. A server that does not answer will."""
    try:
        async with store.read() as connection:
            for table in _NEEDED:
                (await connection.execute(select(table))).all()
    except HomeError as error:
        if store.torn:
            path = database.file_of(config.database)
            raise TornError(f"database: {path} is torn; run: homesystem repair (docs/doctor.md)") from error


async def _tell(proof: Proof, name: str, reason: str) -> None:
    detail = {"reason": reason[:_REASON_CHARACTERS]}
    who = Who(issuer=name)
    await proof.write_or_owe(TORN, name, who, severity=Severity.CRITICAL, outcome=Outcome.FAILED, detail=detail)
