"""What the master user will not have switched, and the lockdown of everything."""

from aiohttp import web

from auth_service.answers.issuer import issuer
from auth_service.confirming.mail_watch import MailWatch
from auth_service.home.confirmed_lockdown import ConfirmedLockdown
from auth_service.home.lockouts import Lockouts
from shared.door.web import USER, json_response, read_json
from shared.words import internal


class Locking:
    """What the master user will not have switched, and the lockdown of everything."""

    def __init__(self, lockouts: Lockouts, lockdown: ConfirmedLockdown, mail: MailWatch) -> None:
        self._mail = mail
        self._lockouts = lockouts
        self._lockdown = lockdown

    async def lock_out(self, request: web.Request) -> web.Response:
        """Lock a device out, or lift that."""
        wanted = await read_json(request, internal.LockoutChange)
        room, device = request.match_info["room"], request.match_info["device"]
        changed = await self._lockouts.change(room, device, wanted, issuer(request))
        request[USER] = wanted.by or "-"
        return json_response(changed)

    async def ask_code(self, request: web.Request) -> web.Response:
        """Mail the code for beginning or ending a lockdown."""
        await self._lockdown.ask_code(await read_json(request, internal.LockdownCodeRequest))
        self._mail.look()
        return web.Response(status=202)

    async def lock_down(self, request: web.Request) -> web.Response:
        """Begin or end a lockdown."""
        wanted = await read_json(request, internal.LockdownChange)
        return json_response(await self._lockdown.change(wanted, issuer(request)))
