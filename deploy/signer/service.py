"""Wires the signer together, and runs it until it is cancelled: the socket first, which needs no broker."""

import asyncio
import contextlib
import datetime as dt
import logging

from auth_service.proof import Proof
from deploy.allowing import rights
from deploy.pki.authorities import Authorities
from deploy.pki.index import Issued
from deploy.signer.clerk import Clerk
from deploy.signer.config import IDENTITY, Settings
from deploy.signer.door import Door
from deploy.signer.plugin import Plugin
from deploy.signer.watch import Watch
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from shared.proof.courier import Courier
from shared.proof.spool import Spool
from shared.running import systemd
from shared.running.config import EX_TEMPFAIL, ConfigError
from shared.running.lifecycle import stay_alive
from shared.running.log import facts
from shared.words import topics
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_UPKEEP_SECONDS = 60.0
_LAST_ANSWER_SECONDS = 1.0


class _MovedError(ConfigError):
    exit_code = EX_TEMPFAIL


async def serve(settings: Settings) -> None:
    """Serve until cancelled. Raises ConfigError for what an owner can mend."""
    with contextlib.closing(_spool(settings)) as spool:
        await _serve(settings, spool)


async def _serve(settings: Settings, spool: Spool) -> None:
    founded, moved = asyncio.Event(), asyncio.Event()

    def hear(delivery: Delivery) -> None:
        if not courier.hear(delivery):
            plugin.hear(delivery)

    async def link_up() -> None:
        courier.link_up()

    bus = Bus(
        settings.broker(),
        subscriptions=(
            Subscription(topics.receipt(IDENTITY)),
            Subscription(topics.resend(IDENTITY)),
            Subscription(rights.CONTROL_ANSWER),
        ),
        on_message=hear,
        on_up=link_up,
    )
    courier, plugin = Courier(spool, bus), Plugin(bus)
    proof = Proof(spool, now=_now, wake=courier.wake, synced=True)
    clerk = Clerk(settings, proof, plugin, now=_now, founded=founded.set, moved=moved.set)

    def newest() -> list[Issued]:
        return Authorities(settings.vault, demo=settings.demo, now=_now()).newest()

    watch = Watch(spool, newest, now=_now, wake=courier.wake)

    async def talk() -> None:
        """With the broker, which knows nobody before there are authorities."""
        if not await asyncio.to_thread(clerk.renew_own):
            await founded.wait()
        await bus.run()

    async with Door(settings.users, clerk.obey, clerk.stranger).open(settings.socket), asyncio.TaskGroup() as group:
        group.create_task(talk(), name="bus")
        group.create_task(courier.run(), name="courier")
        group.create_task(watch.run(), name="watch")
        group.create_task(_upkeep(clerk, proof), name="upkeep")
        group.create_task(_end(moved), name="end")
        systemd.notify("READY=1")
        await stay_alive(lambda: "Signing" if bus.connected else "Signing; the broker cannot be reached")


async def _end(moved: asyncio.Event) -> None:
    """The broker is elsewhere from now on: whoever keeps us running starts us anew, with the new address."""
    await moved.wait()
    await asyncio.sleep(_LAST_ANSWER_SECONDS)
    raise _MovedError("the broker listens on another port from now on: starting anew")


async def _upkeep(clerk: Clerk, proof: Proof) -> None:
    """Its own certificate, proofs that could not be written, and who was late to be shut out."""
    while True:
        await asyncio.sleep(_UPKEEP_SECONDS)
        await proof.write_owed()
        try:
            await asyncio.to_thread(clerk.renew_own)  # first: without it there is no broker to talk to
            await clerk.shut_out_late()
        except (HomeError, ConfigError) as error:
            log.error("Upkeep failed", extra=facts(reason=error))


def _spool(settings: Settings) -> Spool:
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
        settings.state.chmod(0o700)
        return Spool(settings.spool, source=IDENTITY, alone=True)
    except (HomeError, OSError) as error:
        raise ConfigError(f"{settings.state}: {error}; free space, or check the folder's owner") from error


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
