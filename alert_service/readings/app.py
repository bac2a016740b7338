"""Wires the recorder together, and runs it until it is cancelled."""

import asyncio
import logging
import sqlite3
import ssl

from alert_service.readings.api import Api
from alert_service.readings.asking import Asking
from alert_service.readings.book import Book, Kept
from alert_service.readings.config import ReadingsConfig
from alert_service.readings.keeper import SUBSCRIPTIONS, WRITE_SECONDS, Keeper
from alert_service.readings.store import open_store, put_aside
from shared.broker.bus import Bus
from shared.door.web import REVOKED, serve_https
from shared.keeping.database import Store
from shared.keeping.reopening import patiently, watch
from shared.keeping.torn import TornError
from shared.running import systemd
from shared.running.lifecycle import stay_alive
from shared.running.log import facts
from shared.trust import renewal
from shared.trust.revoked import RevocationList

log = logging.getLogger(__name__)

_REST_SECONDS = 5.0
"""Before a file that is torn, and cannot be put aside, is tried again."""


async def serve(config: ReadingsConfig, *, write_seconds: float = WRITE_SECONDS) -> None:
    """Serve until cancelled. Raises ConfigError for what an owner can mend."""
    context = renewal.server_context(config.listen.tls)
    while True:
        store = await patiently(lambda: open_store(config.database), mend=lambda: _mend(config))
        try:
            await _serve(config, store, context, write_seconds)
        except* TornError as torn:
            log.error("The readings are torn", extra=facts(reason=torn.exceptions[0]))
        finally:
            await store.close()
        if not await _mend(config):
            await asyncio.sleep(_REST_SECONDS)


async def _mend(config: ReadingsConfig) -> bool:
    try:
        return await put_aside(config.database)
    except (sqlite3.Error, OSError) as error:
        log.error("The readings cannot be put aside yet", extra=facts(reason=error))
        return False


async def _leave() -> None:
    raise TornError("database: a part of it cannot be read")


async def _serve(config: ReadingsConfig, store: Store, context: ssl.SSLContext, write_seconds: float) -> None:
    keep = config.keep
    kept = Kept(raw_days=keep.raw_days, five_minute_days=keep.five_minute_days, hourly_days=keep.hourly_days)
    book = Book(store)
    keeper = Keeper(book, kept, off=keep.off, write_seconds=write_seconds)
    await keeper.open()
    bus = Bus(
        config.broker,
        subscriptions=SUBSCRIPTIONS,
        on_message=keeper.hear,
        on_up=keeper.link_up,
        on_down=keeper.link_down,
    )
    app = Api(Asking(book, keeper, kept), keeper, connected=lambda: bus.connected).app()
    app[REVOKED] = RevocationList(config.listen.tls.ca)
    async with (
        asyncio.TaskGroup() as group,
        serve_https(app, config.listen.host, config.listen.port, context, bounds=config.connections),
    ):
        group.create_task(watch(store, config.database, torn=_leave), name="file")
        group.create_task(bus.run(), name="bus")
        group.create_task(keeper.watch(), name="clock")
        group.create_task(keeper.run(), name="keeper")
        systemd.notify("READY=1")
        await stay_alive(lambda: _status(bus, keeper))


def _status(bus: Bus, keeper: Keeper) -> str:
    """For people, in `systemctl status`; the worst first."""
    if keeper.failing:
        return "Readings cannot be written: see readings.log"
    if not bus.connected:
        return "The broker cannot be reached"
    return f"Recording {len(keeper.rooms.timelines)} devices"
