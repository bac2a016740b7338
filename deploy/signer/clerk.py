"""Does what the signer is told, one order after the other: the proof first, then the deed."""

import asyncio
import datetime as dt
import hashlib
import logging
import threading
from collections.abc import Callable

from auth_service.proof import Proof
from deploy.allowing import orders as plans
from deploy.allowing import rights
from deploy.allowing.orders import Plan, Standing
from deploy.pki import leaf as leaves
from deploy.pki.authorities import Authorities
from deploy.pki.files import write
from deploy.pki.leaf import DEVICE_CA
from deploy.pki.pairs import Pki
from deploy.signer import desk
from deploy.signer.config import IDENTITY, Settings
from deploy.signer.door import Caller
from deploy.signer.plugin import Plugin
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.trust.signing import (
    Answer,
    AnyOrder,
    Changed,
    Ending,
    Ends,
    Found,
    Grant,
    Look,
    Pem,
    Refresh,
    Revoke,
    Seen,
    Show,
    Sign,
    Withdraw,
)
from shared.words.messages import Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

LATE = dt.timedelta(minutes=2)
"""The broker gives up a connection on which nobody says who it is before that."""
_STRANGER_SECONDS = 3600.0
_STRANGERS = 64
_WHO = Who(issuer=IDENTITY)


class Clerk:
    """Has the vault and the plugin.

    `founded` is told when there are authorities that there were not before, `moved` when the broker is elsewhere.
    """

    def __init__(
        self,
        settings: Settings,
        proof: Proof,
        plugin: Plugin,
        *,
        now: Callable[[], dt.datetime],
        founded: Callable[[], None] = lambda: None,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._proof = proof
        self._plugin = plugin
        self._now = now
        self._founded = founded
        self._moved = moved
        self._turn = asyncio.Lock()
        self._own_turn = threading.Lock()
        """Several ask for our own pair when we start, each in a thread: it is made once."""
        self._late: dict[str, dt.datetime] = {}
        self._strangers = Seldom(_STRANGER_SECONDS, most=_STRANGERS)

    async def obey(self, order: AnyOrder, caller: Caller) -> Answer:
        """Do it. Raises HomeError where it is refused or fails, ConfigError where the vault cannot be used."""
        async with self._turn:
            match order:
                case Sign():
                    return await self._sign(order, caller)
                case Found():
                    return await self._found(order)
                case Show():
                    return Pem(pem=(await asyncio.to_thread(self._show, order)).decode())
                case Revoke():
                    return await self._revoke(order)
                case Grant():
                    return await self._grant(order)
                case Withdraw():
                    return await self._withdraw(order)
                case Refresh():
                    return await self._refresh()
                case Look():
                    return _seen(await self._plugin.standing(order.name))
                case Ends():
                    return Ending(ends=await asyncio.to_thread(self._authorities().ends))

    async def stranger(self, caller: Caller) -> None:
        """Somebody knocked who may not: told once an hour for each user."""
        now = self._now().timestamp()
        if self._strangers.is_due(caller.user, now):
            self._strangers.said(caller.user, now)
            detail = {"user": str(caller.user), "process": str(caller.process)}
            await self._proof.write_or_owe(
                "certificate:refused",
                "certificate/signer",
                _WHO,
                severity=Severity.SECURITY,
                outcome=Outcome.REJECTED,
                detail=detail,
            )

    def renew_own(self) -> bool:
        """The signer's own pair, where there are authorities; whether there are."""
        authorities = self._authorities()
        if not authorities.exists(DEVICE_CA):
            return False
        own = Pki(self._settings.vault, vault=self._settings.vault, demo=self._settings.demo, now=self._now())
        with self._own_turn:
            own.ensure(leaves.client(IDENTITY, "service"), self._settings.state, IDENTITY)
        return True

    async def _sign(self, order: Sign, caller: Caller) -> Pem:
        authorities = self._authorities()
        issued = await asyncio.to_thread(authorities.issued)
        leaf = desk.leaf_of(order, issued, self._now())
        where = f"{order.role}/{order.name}" if order.role in ("room", "client") else f"certificate/{order.name}"
        detail = {
            "role": order.role or "web",
            "request": hashlib.sha256(order.csr.encode()).hexdigest()[:16],
            "process": str(caller.process),
        }
        severity = Severity.CRITICAL if desk.is_new(order, issued) else Severity.INFO
        await self._proof.write("certificate:signed", where, _WHO, severity=severity, detail=detail)
        try:
            return Pem(pem=(await asyncio.to_thread(authorities.sign, leaf, order.csr.encode())).decode())
        except (HomeError, ConfigError):
            failed = Outcome.FAILED
            await self._proof.write("certificate:signed", where, _WHO, outcome=failed, severity=severity, detail=detail)
            raise

    async def _found(self, order: Found) -> Changed:
        desk.check_hosts([*order.hosts, *order.former])
        if not order.hosts:
            raise HomeError("forbidden", "An authority for the web vouches for names, and there are none.")
        authorities = self._authorities()
        missing = await asyncio.to_thread(authorities.lacks, order.hosts)
        if missing:
            known = await asyncio.to_thread(authorities.newest)
            if sum(line.role == "authority" for line in known) >= desk.AUTHORITIES_MOST:
                raise HomeError("rate-limited", f"There are {desk.AUTHORITIES_MOST} authorities already.")
            # The first ones found the home; a further one is for another name of the hub, and the owner shall know.
            severity = Severity.INFO if DEVICE_CA in missing else Severity.CRITICAL
            detail = {"names": ", ".join(order.hosts)}
            where = "certificate/authorities"
            await self._proof.write("certificate:signed", where, _WHO, severity=severity, detail=detail)
            await asyncio.to_thread(authorities.ensure, order.hosts)
        await asyncio.to_thread(self.renew_own)  # whoever renews the home begins here, so it is never behind
        if missing:
            self._founded()
        await asyncio.to_thread(authorities.keep, (order.hosts[0], *order.former))
        if order.broker_port != self._settings.port():
            await asyncio.to_thread(write, self._settings.port_file, b"%d\n" % order.broker_port, 0o600)
            self._moved()
        return Changed(names=missing, count=len(missing))

    def _show(self, order: Show) -> bytes:
        authorities = self._authorities()
        return authorities.crl() if order.what == "crl" else authorities.certificate(order.what, order.hosts)

    async def _revoke(self, order: Revoke) -> Changed:
        authorities = self._authorities()
        desk.check_ours(order.name, await asyncio.to_thread(authorities.issued))
        detail = {"reason": "replaced"} if order.replaced else {}
        await self._tell_safer("certificate:revoked", order.name, **detail)
        put = authorities.replace if order.replaced else authorities.revoke
        return Changed(count=await asyncio.to_thread(put, order.name))

    async def _grant(self, order: Grant) -> Changed:
        issued = await asyncio.to_thread(self._authorities().issued)
        desk.check_standing(order.name, order.role, issued)
        desk.check_devices(order)
        is_room = order.role == "room"
        devices = (device for _, device in order.may)
        role = rights.room_role(order.name, devices) if is_room else rights.client_role(order.name, order.may)
        plan = plans.grant(role)
        if is_room and not plan(await self._plugin.standing(order.name)):
            return Changed()  # as each time that it describes itself but the first
        # Of which devices a room may speak follows its description: the registry tells of those.
        fresh = is_room or desk.is_enrolling(order.name, issued, self._now())
        await self._proof.write(
            "rights:changed",
            f"{order.role}/{order.name}",
            _WHO,
            severity=Severity.INFO if fresh else Severity.CRITICAL,
            detail={"may": ", ".join(f"{room}/{device}" for room, device in order.may)} if order.may else {},
        )
        changed = await self._plugin.settle(order.name, plan, done=_needs_nothing(plan))
        return Changed(names=(order.name,) if changed else ())

    async def _withdraw(self, order: Withdraw) -> Changed:
        try:
            issued = await asyncio.to_thread(self._authorities().issued)
        except ConfigError as error:  # a lost index keeps no thief connected: the hub's own are known without it
            log.error("Index of certificates cannot be read", extra=facts(reason=error))
            issued = []
        desk.check_ours(order.name, issued)
        await self._tell_safer("rights:changed", order.name, reason="withdrawn")
        await self._plugin.settle(order.name, plans.shut_out, done=lambda standing: standing.out)
        self._late[order.name] = self._now() + LATE
        return Changed(names=(order.name,))

    async def shut_out_late(self) -> None:
        """Drop who had shaken hands before it was revoked and only then said who it is: the broker lets it in.

        It has no rights, and yet a connection. Raises HomeError once each was tried, for the last that is still to be
        dropped: to be called again.
        """
        failed = None
        for name, due in list(self._late.items()):
            if due > self._now():
                continue
            try:
                async with self._turn:
                    await self._plugin.settle(name, plans.shut_out, done=lambda standing: standing.out)
            except HomeError as error:
                failed = error
            else:
                del self._late[name]
        if failed is not None:
            raise failed

    async def _refresh(self) -> Changed:
        wanted = rights.outdated(await self._plugin.roles(), rights.HUB_CLIENTS)
        names = tuple(sorted(role["rolename"] for role in wanted))
        if wanted:
            detail = {"names": ", ".join(names)}
            await self._proof.write("rights:changed", "certificate/hub", _WHO, detail=detail)
        for role in wanted:
            plan = plans.grant(role)
            await self._plugin.settle(role["rolename"], plan, done=_needs_nothing(plan))
        return Changed(names=names)

    async def _tell_safer(self, what: str, name: str, **detail: str) -> None:
        """Taking back is the safer thing: a full disk does not stop it, and the proof is then owed."""
        await self._proof.write_or_owe(what, f"certificate/{name}", _WHO, severity=Severity.INFO, detail=detail)

    def _authorities(self) -> Authorities:
        return Authorities(self._settings.vault, demo=self._settings.demo, now=self._now())


def _needs_nothing(plan: Plan) -> Callable[[Standing], bool]:
    return lambda standing: not plan(standing)


def _seen(standing: Standing) -> Seen:
    return Seen(right=standing.role, roles=standing.roles, disabled=standing.disabled, connections=standing.connections)
