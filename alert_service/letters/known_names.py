"""Hears what rooms call themselves and their devices, and keeps it over a restart: letters say what the pages say."""

import logging
from collections.abc import Mapping

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.letters import mailbox
from alert_service.telling.names import Names
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.running.lifecycle import go_round
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.messages import Description
from shared.words.names import is_identity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_KEPT = "names"
_SECONDS = 5.0


class _Known(msgspec.Struct, frozen=True):
    rooms: dict[str, str]
    devices: dict[str, dict[str, str]]
    home: dict[str, str] = msgspec.field(default_factory=dict)


class KnownNames:
    """The names of one home, in one store."""

    def __init__(self, store: Store) -> None:
        self.names = Names()
        self._store = store
        self._changed = False

    async def recall(self) -> None:
        """What was known before a restart: a letter need not wait for the broker."""
        async with self._store.read() as connection:
            kept = await mailbox.remembered(connection, _KEPT)
        if kept is not None:
            known = msgspec.json.decode(kept, type=_Known)
            self.names.recall(known.rooms, known.devices, known.home)

    def hear(self, delivery: Delivery) -> None:
        """Take a message from the bus; what is no description, or cannot be read, changes nothing."""
        parsed = topics.parse(delivery.topic)
        if parsed is None or parsed.kind is not topics.TopicKind.DESCRIPTION or not is_identity(parsed.room):
            return
        if delivery.payload:
            try:
                described = messages.decode(Description, delivery.payload)
            except HomeError:
                return  # the room watch logs it
            self._changed |= self.names.learn(parsed.room, described)

    def call(self, names: Mapping[str, str]) -> None:
        """What the master user calls rooms and devices from now on."""
        self._changed |= self.names.call(names)

    async def run(self) -> None:
        """Keep what is new, until cancelled."""
        await go_round(self.keep, _SECONDS)

    async def keep(self) -> None:
        """Once; what cannot be kept now is kept later, or told anew by the rooms."""
        if not self._changed:
            return
        self._changed = False
        try:
            async with self._store.write() as connection:
                await self._put(connection)
        except HomeError as error:
            self._changed = True
            log.warning("Names cannot be kept yet", extra=facts(reason=error))

    async def _put(self, connection: AsyncConnection) -> None:
        known = msgspec.json.encode(_Known(*self.names.known())).decode()
        await mailbox.remember(connection, _KEPT, known)
