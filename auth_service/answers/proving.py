"""Who one is, proved once more, and which devices ask for that."""

from aiohttp import web

from auth_service.account.confirm_ways import ConfirmWays
from auth_service.account.factor_demand import FactorDemand
from auth_service.account.step_up import StepUp
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words import internal_proofs


class Proving:
    """Proofs taken, and asked for."""

    def __init__(self, step_up: StepUp, ways: ConfirmWays, demand: FactorDemand) -> None:
        self._demand = demand
        self._step_up = step_up
        self._ways = ways

    async def ask(self, request: web.Request) -> web.Response:
        """A challenge for a passkey."""
        return json_response(await self._step_up.ask(await read_json(request, internal_proofs.ProofChallengeAsked)))

    async def prove(self, request: web.Request) -> web.Response:
        """The session, proved."""
        answer = await self._step_up.prove(await read_json(request, internal_proofs.ProofShown), issuer(request))
        request[USER] = answer.session.user.id
        return json_response(answer)

    async def confirm_by(self, request: web.Request) -> web.Response:
        """How a device is confirmed from now on."""
        wanted = await read_json(request, internal_proofs.ConfirmByChange)
        room, device = request.match_info["room"], request.match_info["device"]
        return json_response(await self._ways.change(room, device, wanted, issuer(request)))

    async def demand(self, _request: web.Request) -> web.Response:
        """Whether everyone has to have a strong factor."""
        return json_response(await self._demand.state())

    async def change_demand(self, request: web.Request) -> web.Response:
        """That everyone has to, or not any more."""
        wanted = await read_json(request, internal_proofs.DemandChange)
        return json_response(await self._demand.change(wanted, issuer(request)))
