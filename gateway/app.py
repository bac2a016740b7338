"""The wiring: every part of the gateway is made here, given what it needs, and run."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from aiohttp import web

from gateway import keys, link
from gateway.acting.appointments import Appointments
from gateway.acting.commands import Commands
from gateway.acting.proof import Proof
from gateway.acting.readiness import Readiness
from gateway.acting.room_files import RoomFiles
from gateway.acting.used import SCHEMA as USED_IDS_SCHEMA
from gateway.acting.used import TABLE as USED_IDS
from gateway.acting.wish import Wish
from gateway.api.routes import add_api
from gateway.config import GatewayConfig
from gateway.desk.phone_keys import PHONE_KEYS, PhoneKeys
from gateway.door import (
    browsers,
    closed,
    cookie,
    cors,
    csrf,
    gate,
    headers,
    limits,
    proxies,
    routes,
    sessions,
    together,
)
from gateway.door.authority import AUTHORITY, HomeAuthority
from gateway.door.browsers import Browsers
from gateway.door.limits import Limits
from gateway.door.offering import OFFER, Offer
from gateway.door.origins import Origins
from gateway.door.passkey_site import PASSKEY_SITE, PasskeySite
from gateway.door.proxies import Proxies
from gateway.door.sessions import Sessions
from gateway.inside.alerts_client import AlertsClient
from gateway.inside.auth_client import AuthClient
from gateway.inside.readings_client import ReadingsClient
from gateway.inside.registry import Registrar
from gateway.link import Link
from gateway.picture import guards
from gateway.picture.changes import Change
from gateway.picture.home import Home
from gateway.streams import record_watch
from gateway.streams.events import Hub
from shared.broker.bus import Bus
from shared.door.web import MAX_BODY_BYTES, look_after, serve_https
from shared.proof.courier import Courier
from shared.proof.spool import Spool
from shared.running import systemd
from shared.running.lifecycle import stay_alive
from shared.trust import renewal, tls
from shared.trust.former import FormerNames


def check(config: GatewayConfig) -> None:
    """Whether a gateway could be made of it, without making one. Raises ConfigError."""
    cookie.read_cookie_secret(config.cookie_key_file)
    tls.web_context(config.https.certificate, config.https.key)
    tls.client_context(config.broker.tls)
    Limits(config.limits)
    Proxies(config.https.trusted_proxies)


class Gateway:
    """All parts of one gateway, wired; `run` lives until it is cancelled. `add_pages` adds what people look at."""

    def __init__(self, config: GatewayConfig, *, add_pages: Callable[[web.Application, Path | None], None]) -> None:
        identity = config.broker.identity
        secret = cookie.read_cookie_secret(config.cookie_key_file)
        self.config = config
        former = FormerNames(config.https.certificate, config.https.key)
        self.tls = renewal.web_context(config.https.certificate, config.https.key, others=former.shown_to)
        self.home = Home()
        self.room_files = RoomFiles()
        self.link = Link(self.home, self.room_files)
        self.bus = Bus(
            config.broker,
            subscriptions=link.subscriptions(identity),
            on_message=self.link.hear,
            on_up=self.link.up,
            on_down=self.link.down,
        )
        self.spool = Spool(config.spool, source=identity, alone=True, further=USED_IDS_SCHEMA, kept=(USED_IDS,))
        self.courier = Courier(self.spool, self.bus)
        self.proof = Proof(self.spool, issuer=identity, urgent=self.courier.carry, written=self.courier.appended)
        self.auth = AuthClient(config.auth, config.broker.tls)
        self.alerts = AlertsClient(config.alerts, config.broker.tls)
        self.readings = ReadingsClient(config.readings, config.broker.tls)
        self.sessions = Sessions(self.auth, link_up=lambda: self.bus.connected)
        self.hub = Hub(self.home, self.sessions, config.zone)
        self.commands = Commands(
            self.bus, self.home, self.proof, before_send=self.link.beat_if_due, on_unknown=self._tell_unknown
        )
        self.registrar = Registrar(self.auth, self.home, apply=self._apply)
        self.appointments = Appointments(
            self.home, self.commands, self.registrar, local=lambda: guards.local_now(config.zone)
        )
        self.link.listen(
            bus=self.bus,
            commands=self.commands,
            sessions=self.sessions,
            hub=self.hub,
            registrar=self.registrar,
            courier=self.courier,
        )
        self.app = self._application(secret)
        add_api(self.app)
        add_pages(self.app, config.spool.parent / "gateway-templates")
        cors.set_up(self.app, config.cors.origins)

    async def run(self) -> None:
        """Serve until cancelled; a part that fails ends the whole, so that its supervisor starts it anew."""
        try:
            async with self.auth, self.alerts, self.readings, asyncio.TaskGroup() as tasks:
                tasks.create_task(self.proof.run(), name="proof")
                tasks.create_task(self.proof.watch(), name="disk")
                tasks.create_task(self.bus.run(), name="bus")
                tasks.create_task(self.courier.run(), name="courier")
                tasks.create_task(self.registrar.run(), name="registrar")
                tasks.create_task(self.link.run(), name="silence")
                tasks.create_task(self.appointments.run(), name="appointments")
                if self.config.counts.redis:
                    tasks.create_task(together.run(self.app[limits.LIMITS], self.config.counts.redis), name="counts")
                tasks.create_task(record_watch.run(self.alerts, self.hub), name="record")
                trusted = self.app[proxies.PROXIES]
                async with serve_https(
                    self.app,
                    self.config.https.host,
                    self.config.https.port,
                    self.tls,
                    bounds=self.config.connections,
                    trusted=trusted,
                    strike=limits.strikes(self.app),
                ):
                    systemd.notify("READY=1")
                    await stay_alive(self._status)
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await self.commands.settled()
            self.spool.close()

    def _apply(self, changes: Iterable[Change]) -> None:
        self.link.apply(changes)
        self.appointments.look()

    def _application(self, secret: bytes) -> web.Application:
        app = web.Application(
            middlewares=[
                *([proxies.name_caller] if self.config.https.trusted_proxies else []),
                look_after,
                gate.enter,
            ],
            client_max_size=MAX_BODY_BYTES,
        )
        app[keys.CONFIG] = self.config
        app[proxies.PROXIES] = Proxies(self.config.https.trusted_proxies)
        app[cookie.STORAGE] = cookie.storage(secret)
        app[csrf.OWN_ORIGINS] = Origins(self.config.https)
        app[closed.MARK] = self.config.closed
        app[AUTHORITY] = HomeAuthority(self.config.https)
        app[OFFER] = Offer(self.config)
        app[PHONE_KEYS] = PhoneKeys()
        app[PASSKEY_SITE] = PasskeySite(self.config.https)
        app[csrf.OUTSIDE_ORIGINS] = frozenset(self.config.https.origins)
        app[routes.ROUTE_LIMITS] = {}
        app[routes.BY_TOKEN] = set()
        app[keys.HOME] = self.home
        app[keys.AUTH] = self.auth
        app[keys.ALERTS] = self.alerts
        app[keys.READINGS] = self.readings
        app[sessions.SESSIONS] = self.sessions
        app[browsers.BROWSERS] = Browsers(secret)
        app[limits.LIMITS] = Limits(self.config.limits)
        app[keys.COMMANDS] = self.commands
        app[keys.PROOF] = self.proof
        app[keys.HUB] = self.hub
        app[keys.ROOM_FILES] = self.room_files
        app[keys.REGISTRAR] = self.registrar
        app[keys.READINESS] = Readiness(
            self.bus,
            self.proof,
            self.home,
            answers=self.registrar.answers,
            shown=lambda: not renewal.has_ended(self.tls, time.time()),
        )
        app.on_response_prepare.append(headers.harden)
        app.on_response_prepare.append(limits.tell)
        app.on_shutdown.append(self._end_what_is_open)
        return app

    async def _end_what_is_open(self, _app: web.Application) -> None:
        """Streams would hold the server up, and whoever waits for a room gets the honest answer."""
        self.hub.close()
        self.commands.lose_all("gateway-stopped")

    def _status(self) -> str:
        """For people, in `systemctl status`."""
        where = f"serving on port {self.config.https.port}"
        if not self.bus.connected:
            return f"The broker cannot be reached; {where}"
        rooms = self.home.names()
        return f"{sum(self.home.status(room) == 'online' for room in rooms)} of {len(rooms)} rooms are online; {where}"

    def _tell_unknown(self, wish: Wish, reason: str) -> None:
        self.hub.tell_command(
            command_id=wish.id, room=wish.device.room, device=wish.device.id, outcome="unknown", reason=reason
        )
