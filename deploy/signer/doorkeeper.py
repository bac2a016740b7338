"""Does at the broker what the signer is told: gives rights and takes them, and drops connections."""

import datetime as dt
import logging
from collections.abc import Awaitable, Callable

from auth_service.proof import Proof
from deploy.allowing import orders as plans
from deploy.allowing import rights
from deploy.allowing.orders import Plan, Standing
from deploy.pki.index import Issued
from deploy.signer import desk
from deploy.signer.config import IDENTITY
from deploy.signer.plugin import Plugin
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.trust.signing import Changed, Drop, Grant, Look, Refresh, Seen, Withdraw
from shared.words.messages import Who
from shared.words.names import Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

LATE = dt.timedelta(minutes=2)
"""The broker gives up a connection on which nobody says who it is before that."""
_WHO = Who(issuer=IDENTITY)


class Doorkeeper:
    """`issued` reads the authorities' index, and may raise ConfigError. One order at a time."""

    def __init__(
        self,
        proof: Proof,
        plugin: Plugin,
        issued: Callable[[], Awaitable[list[Issued]]],
        *,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._proof = proof
        self._plugin = plugin
        self._issued = issued
        self._now = now
        self._late: dict[str, tuple[dt.datetime, Callable[[str], Awaitable[object]]]] = {}

    async def obey(self, order: Grant | Withdraw | Refresh | Look | Drop) -> Changed | Seen:
        """Do it. Raises HomeError, ConfigError."""
        match order:
            case Grant():
                return await self._grant(order)
            case Withdraw():
                return await self._withdraw(order)
            case Refresh():
                return await self._refresh()
            case Drop():
                return await self._drop(order)
        return _seen(await self._plugin.standing(order.name))

    async def _grant(self, order: Grant) -> Changed:
        issued = await self._issued()
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
            issued = await self._issued()
        except ConfigError as error:  # a lost index keeps no thief connected: the hub's own are known without it
            log.error("Index of certificates cannot be read", extra=facts(reason=error))
            issued = []
        desk.check_ours(order.name, issued)
        await self.tell_safer("rights:changed", order.name, reason="withdrawn")
        await self._shut_out(order.name)
        self._late[order.name] = self._now() + LATE, self._shut_out
        return Changed(names=(order.name,))

    async def shut_out_late(self) -> None:
        """Drop who had shaken hands before it was revoked and only then said who it is: the broker lets it in.

        It has no rights, and yet a connection; under a name that stays, by a certificate that was replaced, both.
        Raises HomeError once each was tried, for the last that is still to be dropped: to be called again.
        """
        failed = None
        for name, (due, drop) in list(self._late.items()):
            if due > self._now():
                continue
            try:
                await drop(name)
            except HomeError as error:
                failed = error
            else:
                del self._late[name]
        if failed is not None:
            raise failed

    async def _drop(self, order: Drop) -> Changed:
        """Disabling is what drops a connection; it is enabled again whatever comes of that."""
        desk.check_ours(order.name, await self._issued())
        await self.tell_safer("rights:changed", order.name, reason="dropped")
        if not await self._begin_anew(order.name):
            return Changed()
        self._late[order.name] = self._now() + LATE, self._begin_anew
        return Changed(names=(order.name,))

    async def _begin_anew(self, name: str) -> bool:
        """Whoever is connected under this name has to show a certificate again; False where nobody may be."""
        standing = await self._plugin.standing(name)
        if standing.roles is None or (standing.disabled and not standing.holds):
            return False
        try:
            if not standing.disabled:  # else an earlier try was interrupted between the two
                await self._plugin.settle(name, plans.disable, done=lambda found: found.disabled)
        finally:
            await self._plugin.settle(name, plans.enable, done=lambda found: not found.disabled)
        return True

    async def _shut_out(self, name: str) -> None:
        await self._plugin.settle(name, plans.shut_out, done=lambda standing: standing.out)

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

    async def tell_safer(self, what: str, name: str, **detail: str) -> None:
        """Taking back is the safer thing: a full disk does not stop it, and the proof is then owed."""
        await self._proof.write_or_owe(what, f"certificate/{name}", _WHO, severity=Severity.INFO, detail=detail)


def _needs_nothing(plan: Plan) -> Callable[[Standing], bool]:
    return lambda standing: not plan(standing)


def _seen(standing: Standing) -> Seen:
    return Seen(right=standing.role, roles=standing.roles, disabled=standing.disabled, connections=standing.connections)
