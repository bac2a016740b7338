"""Wires the auth service together, and runs it until it is cancelled."""

import asyncio
import logging
import ssl
import time
from datetime import UTC, datetime, timedelta

from auth_service import code_rows, place_rows
from auth_service.api import make_app
from auth_service.config import AuthConfig
from auth_service.errands import Errands
from auth_service.lockouts import LockoutAnnouncer, Lockouts
from auth_service.passwords import Passwords
from auth_service.proof import Proof
from auth_service.rooms import Rooms
from auth_service.session_rows import Limits
from auth_service.sessions import Announcer, Sessions
from auth_service.sign_in import SignIn
from auth_service.store import open_store
from shared import mail, systemd, tls, topics
from shared.bus import Bus, Delivery
from shared.config import ConfigError, read_secret
from shared.courier import Courier
from shared.database import Store
from shared.log import facts
from shared.mqtt import Subscription
from shared.problem import HomeError
from shared.spool import Spool
from shared.web import serve_https

log = logging.getLogger(__name__)

_UPKEEP_SECONDS = 60.0


async def serve(config: AuthConfig) -> None:
    """Serve until cancelled. Raises ConfigError for what an owner can mend."""
    context = tls.server_context(config.listen.tls)
    passwords = Passwords(read_secret(config.pepper_file), rounds=config.passwords.bcrypt_rounds)
    spool = _open_spool(config)
    store = await open_store(config.database)
    try:
        await _serve(config, store, spool, passwords, context)
    finally:
        await store.close()
        spool.close()
        passwords.close()


async def _serve(config: AuthConfig, store: Store, spool: Spool, passwords: Passwords, context: ssl.SSLContext) -> None:
    limits = Limits(
        idle=timedelta(hours=config.sessions.idle_hours), absolute=timedelta(days=config.sessions.absolute_days)
    )
    announcer = Announcer(store)
    lockout_announcer = LockoutAnnouncer(store, now=_now)

    def hear(delivery: Delivery) -> None:
        courier.hear(delivery)

    async def link_up() -> None:
        courier.link_up()
        announcer.wake()
        lockout_announcer.link_up()

    name = config.broker.identity
    bus = Bus(
        config.broker,
        subscriptions=(Subscription(topics.receipt(name)), Subscription(topics.resend(name))),
        on_message=hear,
        on_up=link_up,
    )
    courier = Courier(spool, bus)
    proof = Proof(spool, now=_now, wake=courier.wake)
    sessions = Sessions(store, proof, limits=limits, now=_now, wake=announcer.wake)

    async def send(letter: mail.Letter) -> None:
        await mail.send(config.smtp, letter, time.time())

    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        sign_in = SignIn(store, passwords, proof, errands, send=send, limits=limits, now=_now)
        rooms = Rooms(store, proof, now=_now)
        lockouts = Lockouts(store, proof, wake=lockout_announcer.wake)
        app = make_app(store, sign_in, sessions, rooms, lockouts)
        async with serve_https(app, config.listen.host, config.listen.port, context):
            group.create_task(bus.run(), name="bus")
            group.create_task(courier.run(), name="courier")
            group.create_task(announcer.run(bus), name="announcer")
            group.create_task(lockout_announcer.run(bus), name="lock-out announcer")
            systemd.notify("READY=1")
            await _upkeep(store, sign_in, sessions, proof)


async def _upkeep(store: Store, sign_in: SignIn, sessions: Sessions, proof: Proof) -> None:
    """Once a minute: forget what is past its time, and tell of failures that were only counted, or could not be."""
    while True:
        await proof.write_owed()
        try:
            await sessions.drop_expired()
            async with store.write() as connection:
                await code_rows.drop_expired(connection, _now())
                await place_rows.drop_expired(connection, _now())
            await sign_in.sweep()
        except HomeError as error:
            log.warning("Upkeep failed", extra=facts(reason=error))
        await asyncio.sleep(_UPKEEP_SECONDS)


def _open_spool(config: AuthConfig) -> Spool:
    try:
        return Spool(config.spool)
    except (HomeError, OSError) as error:
        raise ConfigError(f"spool: {error}; free space, or check the folder's owner") from error


def _now() -> datetime:
    return datetime.now(UTC)
