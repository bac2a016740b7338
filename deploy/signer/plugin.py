"""The signer's talk with Mosquitto's dynamic-security plugin, over its one connection to the broker."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from deploy.allowing import orders, rights
from deploy.allowing.orders import Order, Plan, Standing
from shared.broker.bus import Bus, Delivery
from shared.words.problem import HomeError

ANSWER_SECONDS = 5.0
_LOOKS = 5
_PAUSE_SECONDS = 0.2


class Plugin:
    """One question at a time; `hear` takes the answers from the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._turn = asyncio.Lock()
        self._token = ""
        self._answer: asyncio.Future[list[dict[str, Any]]] | None = None

    def hear(self, delivery: Delivery) -> bool:
        """Take an answer; False when the delivery is none. One to an earlier question is passed over."""
        if delivery.topic != rights.CONTROL_ANSWER:
            return False
        answers = msgspec.json.decode(delivery.payload)["responses"]
        ours = answers and answers[0].get("correlationData") == self._token
        if ours and self._answer is not None and not self._answer.done():
            self._answer.set_result(answers)
        return True

    async def roles(self) -> list[rights.Role]:
        """Every role that there is. Raises HomeError("broker-unreachable")."""
        (answer,) = await self._ask([{"command": "listRoles", "verbose": True}])
        roles: list[rights.Role] = answer["data"]["roles"]
        return roles

    async def settle(self, name: str, plan: Plan, *, done: Callable[[Standing], bool]) -> bool:
        """Give the orders that `plan` finds needed until an identity's standing is `done`; whether there were any.

        Raises HomeError: broker-unreachable; internal with the plugin's own words.
        """
        given = False
        for attempt in range(_LOOKS):
            for answer in await self._ask(needed := plan(await self.standing(name))):
                if "error" in answer:
                    raise HomeError("internal", f"The broker refused {answer['command']}: {answer['error']}")
            given = given or bool(needed)
            found = await self.standing(name)
            if done(found):
                return given
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
        raise HomeError("internal", f"The broker took our orders, and still has this: {found.summary}")

    async def standing(self, name: str) -> Standing:
        """What an identity has now. Raises HomeError("broker-unreachable")."""
        asked: list[Order] = [{"command": "getRole", "rolename": name}, {"command": "getClient", "username": name}]
        role, entry = (answer.get("data", {}) for answer in await self._ask(asked))
        return orders.told(name, role, entry)

    async def _ask(self, asked: list[Order]) -> list[dict[str, Any]]:
        return [answer for some in orders.in_messages(asked) for answer in await self._ask_at_once(some)]

    async def _ask_at_once(self, asked: list[Order]) -> list[dict[str, Any]]:
        if not self._bus.connected:
            text = "The signer has not reached the broker; `journalctl -u homesystem-signer` says why. Then try again."
            raise HomeError("broker-unreachable", text)
        async with self._turn:
            self._token = secrets.token_hex(8)
            self._answer = asyncio.get_running_loop().create_future()
            marked = [{**order, "correlationData": self._token} for order in asked]
            reason = await self._bus.send(rights.CONTROL, msgspec.json.encode({"commands": marked}))
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._answer
            except TimeoutError:
                raise HomeError("broker-unreachable", f"The broker did not answer an order ({reason}).") from None
            finally:
                self._answer = None
