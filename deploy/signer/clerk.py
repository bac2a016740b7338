"""Does what the signer is told, one order after the other: the proof first, then the deed."""

import asyncio
import datetime as dt
import hashlib
import logging
import threading
from collections.abc import Callable

from auth_service.proof import Proof
from deploy.pki import leaf as leaves
from deploy.pki.authorities import Authorities
from deploy.pki.files import write
from deploy.pki.index import Issued
from deploy.pki.leaf import DEVICE_CA
from deploy.pki.pairs import Pki
from deploy.signer import desk
from deploy.signer.config import IDENTITY, Settings
from deploy.signer.door import Caller
from deploy.signer.doorkeeper import Doorkeeper
from deploy.signer.plugin import Plugin
from shared.running.config import ConfigError
from shared.running.seldom import Seldom
from shared.trust.signing import (
    Answer,
    AnyOrder,
    Changed,
    Ending,
    Ends,
    Follow,
    FollowWeb,
    Found,
    Pem,
    Revoke,
    Rotate,
    RotateWeb,
    Show,
    Sign,
)
from shared.words.messages import Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

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
        self._now = now
        self._doorkeeper = Doorkeeper(proof, plugin, self._issued, now=now)
        self._founded = founded
        self._moved = moved
        self._turn = asyncio.Lock()
        self._own_turn = threading.Lock()
        """Several ask for our own pair when we start, each in a thread: it is made once."""
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
                case Ends():
                    return Ending(ends=await asyncio.to_thread(self._authorities().ends))
                case Rotate():
                    return await self._rotate(order, caller)
                case Follow():
                    return await asyncio.to_thread(self._authorities().following)
                case RotateWeb():
                    return await self._rotate_web(order, caller)
                case FollowWeb():
                    return await asyncio.to_thread(self._authorities().following_web, order.hosts)
            return await self._doorkeeper.obey(order)

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
        own = Pki(self._settings.state, vault=self._settings.vault, demo=self._settings.demo, now=self._now())
        with self._own_turn:
            own.publish(DEVICE_CA)
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
            csr = order.csr.encode()
            return Pem(pem=(await asyncio.to_thread(authorities.sign, leaf, csr, former=order.former)).decode())
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
        match order.what:
            case "crl":
                return authorities.crl()
            case "voucher":
                return authorities.voucher()
        return authorities.certificate(order.what, order.hosts)

    async def _revoke(self, order: Revoke) -> Changed:
        authorities = self._authorities()
        desk.check_ours(order.name, await asyncio.to_thread(authorities.issued))
        detail = {"reason": "replaced"} if order.replaced or order.awaits else {}
        await self._doorkeeper.tell_safer("certificate:revoked", order.name, **detail)
        put = authorities.replace if order.replaced else authorities.retire if order.awaits else authorities.revoke
        return Changed(count=await asyncio.to_thread(put, order.name))

    async def _rotate(self, order: Rotate, caller: Caller) -> Changed:
        """Begin and end are the owner's to know of; what lies between follows from the beginning."""
        authorities = self._authorities()
        now = await asyncio.to_thread(authorities.following)
        desk.check_step(order.step, now)
        if (what := desk.told_of(order.step, now)) is not None:
            detail = {"process": str(caller.process)}
            await self._proof.write(what, "home", _WHO, severity=Severity.CRITICAL, detail=detail)
        changed = await asyncio.to_thread(authorities.rotate, order.step)
        await asyncio.to_thread(self.renew_own)
        return Changed(count=int(changed))

    async def _rotate_web(self, order: RotateWeb, caller: Caller) -> Changed:
        desk.check_hosts(order.hosts)
        authorities = self._authorities()
        now = await asyncio.to_thread(authorities.following_web, order.hosts)
        desk.check_web_step(order.step, now)
        desk.check_day(order.changes_at, now, self._now())
        if (told := desk.told_of_web(order, now)) is not None:
            detail = told.detail | {"process": str(caller.process)}
            await self._proof.write(told.what, "home", _WHO, severity=told.severity, detail=detail)
        changed = await asyncio.to_thread(authorities.rotate_web, order.step, order.hosts, order.changes_at)
        return Changed(count=int(changed))

    async def shut_out_late(self) -> None:
        """See `Doorkeeper.shut_out_late`."""
        async with self._turn:
            await self._doorkeeper.shut_out_late()

    async def _issued(self) -> list[Issued]:
        return await asyncio.to_thread(self._authorities().issued)

    def _authorities(self) -> Authorities:
        return Authorities(self._settings.vault, demo=self._settings.demo, now=self._now())
