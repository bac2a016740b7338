"""What master users do to other people's accounts, and how somebody becomes one of these people."""

from aiohttp import web

from auth_service.account.invitations import Invitations
from auth_service.account.others import Others
from auth_service.account.own_profile import OwnProfile
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words import internal_people


class ForPeople:
    """What master users do to other people's accounts, and how somebody becomes one of these people."""

    def __init__(self, invitations: Invitations, others: Others, profile: OwnProfile) -> None:
        self._invitations = invitations
        self._others = others
        self._profile = profile

    async def change(self, request: web.Request) -> web.Response:
        """Somebody's name, role, or whether they may sign in."""
        asked = await read_json(request, internal_people.UserChange)
        return json_response(await self._others.change(request.match_info["user"], asked, issuer(request)))

    async def erase(self, request: web.Request) -> web.Response:
        """Somebody's account is no more."""
        asked = await read_json(request, internal_people.Confirmed)
        await self._others.erase(request.match_info["user"], asked, issuer(request))
        return web.Response(status=204)

    async def change_profile(self, request: web.Request) -> web.Response:
        """One's own name and language."""
        asked = await read_json(request, internal_people.ProfileChange)
        user = await self._profile.change(asked, issuer(request))
        request[USER] = user.id
        return json_response(user)

    async def invite(self, request: web.Request) -> web.Response:
        """A new invitation."""
        asked = await read_json(request, internal_people.Invite)
        return json_response(await self._invitations.invite(asked, issuer(request)), status=201)

    async def invitations(self, _request: web.Request) -> web.Response:
        """The open ones."""
        return json_response(await self._invitations.of_home())

    async def withdraw(self, request: web.Request) -> web.Response:
        """Take one back."""
        by = request.query.get("by", "")
        await self._invitations.withdraw(
            request.match_info["id"],
            by=by,
            issuer=issuer(request),
            address=request.query.get("address", "")[:200],
        )
        request[USER] = by or "-"
        return web.Response(status=204)

    async def take(self, request: web.Request) -> web.Response:
        """Somebody becomes a user."""
        asked = await read_json(request, internal_people.InvitationTaken)
        return json_response(await self._invitations.take(asked, issuer(request)), status=201)
