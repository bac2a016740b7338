"""Wires the alert service together, and runs it until it is cancelled."""

import asyncio
import logging
import sqlite3
import ssl
import time

from alert_service.api import Api
from alert_service.config import AlertsConfig
from alert_service.happenings.passing import Kept
from alert_service.happenings.retention import Retention as HappeningRetention
from alert_service.happenings.retention import known_until
from alert_service.history.news import News
from alert_service.intake.asker import Asker
from alert_service.intake.recorder import Recorder
from alert_service.letters import mailbox, ways
from alert_service.letters.daily import DailyLetter
from alert_service.letters.known_names import KnownNames
from alert_service.letters.opening import Opening
from alert_service.letters.outbox import Further, Manner, Outbox
from alert_service.letters.recipients import Recipients
from alert_service.noticing import at_home
from alert_service.noticing.watch import Watch
from alert_service.record import mending
from alert_service.record.check import Check
from alert_service.record.departed import Departed
from alert_service.record.retention import Retention
from alert_service.telling import noticed
from alert_service.telling.policy import Policy
from alert_service.watches import room_watch
from alert_service.watches.backup_watch import BackupWatch, told_of_backups
from alert_service.watches.ends_watch import EndsWatch, told_replaced
from alert_service.watches.list_watch import ListWatch
from alert_service.watches.presence import Presence
from alert_service.watches.room_watch import RoomWatch
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from shared.door.client import ServiceClient
from shared.door.web import REVOKED, serve_https
from shared.keeping.database import Store
from shared.keeping.reopening import patiently, watch
from shared.keeping.torn import TornError
from shared.running import systemd
from shared.running.believed import Believed
from shared.running.lifecycle import stay_alive
from shared.running.log import facts
from shared.trust import renewal
from shared.trust.revoked import RevocationList
from shared.words import topics

log = logging.getLogger(__name__)

KEPT_SESSION_SECONDS = 7 * 86400
"""How long the broker gathers events for us while we are away; producers keep theirs in any case."""
_REST_SECONDS = 5.0
"""Before a record that is torn, and cannot be put aside, is tried again."""


async def serve(config: AlertsConfig) -> None:
    """Serve until cancelled. Raises ConfigError for what an owner can mend."""
    context = renewal.server_context(config.listen.tls)
    while True:
        store = await patiently(lambda: mending.open_record(config.database), mend=lambda: _mend(config))
        try:
            await _serve(config, store, context)
        except* TornError as torn:
            log.error("The record is torn", extra=facts(reason=torn.exceptions[0]))
        finally:
            await store.close()
        if not await _mend(config):
            await asyncio.sleep(_REST_SECONDS)


async def _mend(config: AlertsConfig) -> bool:
    """Whether another record is in the place of one that is torn."""
    try:
        return await mending.put_aside(config.database) is not None
    except (sqlite3.Error, OSError) as error:
        log.error("The record cannot be put aside yet", extra=facts(reason=error))
        return False


async def _leave() -> None:
    raise TornError("database: a part of it cannot be read")


async def _serve(config: AlertsConfig, store: Store, context: ssl.SSLContext) -> None:
    policy = Policy(config.rules)
    known = KnownNames(store)
    await known.recall()
    manner = Manner(
        zone=config.zone,
        per_minute=config.letters.per_minute,
        alone=config.letters.alone,
        pages=config.letters.pages,
        language=config.letters.language,
        names=known.names,
        policy=policy,
    )
    urgent_only = (way.urgent_only for way in config.ways)
    further = [Further(*pair) for pair in zip(ways.further(config.ways), urgent_only, strict=True)]

    async def masters() -> list[str]:
        async with store.read() as connection:
            return mailbox.addresses(None, await mailbox.known_people(connection))

    outbox = Outbox(store, ways.MailWay(config.smtp, masters), manner, further=further, settled=lambda: readers.settled)
    news = News()
    auth = ServiceClient(config.auth, config.broker.tls, absent="auth-unreachable")
    watch_over = Watch(
        store,
        noticed.read(config.rules),
        config.zone,
        ways=outbox.ways,
        at_home=lambda: at_home.somebody(auth),
        told=outbox.put_in,
    )

    def recorded() -> None:
        news.tell()
        watch_over.wake()

    readers = Recipients(auth, store, changed=outbox.people_changed, named=known.call, now=time.time)
    departed = Departed(auth, store, refresh=readers.refresh, erased=news.tell, now=time.time)
    follow = departed.noticing(readers.noticing(Opening(policy).follow))
    await mending.tell(store, time.time(), follow)
    asker = Asker(store)
    kept_as = Kept(config.history.happenings_days, config.history.happenings_off)
    recorder = Recorder(
        store, recorded=recorded, followed=outbox.wake, heard=asker.heard, follow=follow, kept_as=kept_as
    )
    ends_watch = EndsWatch(await told_replaced(store), recorder.tell)
    away = await room_watch.told_away(store)
    rooms = RoomWatch(Presence(config.letters.offline_after, away), away, recorder.tell)
    gone = await room_watch.away_now(store)
    comings = RoomWatch(Presence(0, gone, every=True), gone, recorder.tell, words=room_watch.PASSING)

    def hear(delivery: Delivery) -> None:
        asker.hear(delivery)
        known.hear(delivery)
        if rooms.hear(delivery):
            comings.hear(delivery)
        else:
            recorder.hear(delivery)

    async def link_up() -> None:
        rooms.link_up()
        comings.link_up()
        await asker.link_up()

    def link_down() -> None:
        rooms.link_down()
        comings.link_down()
        recorder.forget()

    bus = Bus(
        config.broker,
        subscriptions=(Subscription(topics.ALL_AUDIT), *room_watch.SUBSCRIPTIONS),
        on_message=hear,
        on_up=link_up,
        on_down=link_down,
        keep_session=KEPT_SESSION_SECONDS,
        manual_ack=True,
    )
    check = Check(store, now=time.time, recorded=news.tell, followed=outbox.wake, follow=follow)
    daily = DailyLetter(store, config.letters.daily_at, config.zone, lambda: check.status, now=time.time)
    retention = Retention(store, config.history.keep_days, lambda: check.status, now=time.time)
    believed = Believed(await known_until(store))
    api = Api(store, recorder, outbox, check, news=news, connected=lambda: bus.connected)
    app = api.app()
    app[REVOKED] = listed = RevocationList(config.listen.tls.ca)
    async with (
        auth,
        asyncio.TaskGroup() as group,
        serve_https(app, config.listen.host, config.listen.port, context, bounds=config.connections),
    ):
        group.create_task(watch(store, config.database, torn=_leave), name="file")
        group.create_task(bus.run(), name="bus")
        group.create_task(recorder.run(bus), name="recorder")
        group.create_task(asker.run(bus, note=recorder.note), name="asker")
        group.create_task(rooms.run(), name="rooms")
        group.create_task(comings.run(), name="comings and goings")
        group.create_task(ends_watch.run(), name="ends")
        group.create_task(ListWatch(listed, recorder.tell).run(), name="revocation list")
        if (folder := config.notes) is not None:
            told = await told_of_backups(store)
            group.create_task(BackupWatch(folder, told, recorder.tell).run(), name="backups")
        group.create_task(outbox.run(), name="outbox")
        group.create_task(watch_over.run(), name="notices")
        group.create_task(known.run(), name="names")
        group.create_task(check.run(), name="check")
        group.create_task(daily.run(made=outbox.wake), name="daily letter")
        group.create_task(retention.run(), name="retention")
        group.create_task(HappeningRetention(store, kept_as, now=believed.looked_at).run(), name="happenings")
        group.create_task(readers.run(), name="recipients")
        group.create_task(departed.run(), name="departed")
        systemd.notify("READY=1")
        await stay_alive(lambda: _status(bus, recorder, outbox))


def _status(bus: Bus, recorder: Recorder, outbox: Outbox) -> str:
    """For people, in `systemctl status`; the worst first."""
    if recorder.failing:
        return "Events cannot be recorded: see alerts.log"
    if not bus.connected:
        return "The broker cannot be reached"
    if outbox.mail.failing_since is not None:
        return f"Recording; letters cannot be sent: {outbox.mail.failure}"
    return "Recording, and sending letters"
