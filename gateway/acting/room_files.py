"""Each room's file as the room tells it, and whoever waits for what becomes of settings that were sent to it."""

import asyncio

from shared.words.room_file import FileAnswer, RoomFile


class RoomFiles:
    """What was not heard on this connection is unknown."""

    def __init__(self) -> None:
        self._known: dict[str, RoomFile] = {}
        self._waiting: dict[str, asyncio.Future[FileAnswer]] = {}

    def of(self, room: str) -> RoomFile | None:
        """What a room said last; None where it said nothing, as one of an older version."""
        return self._known.get(room)

    def hear(self, told: RoomFile) -> None:
        """A room tells of its file."""
        self._known[told.room] = told
        waiting = self._waiting.get(told.answer.id) if told.answer is not None else None
        if told.answer is not None and waiting is not None and not waiting.done():
            waiting.set_result(told.answer)

    def forget(self, room: str) -> None:
        """The room was revoked."""
        self._known.pop(room, None)

    def forget_all(self) -> None:
        """The broker is lost: it tells all of it anew."""
        self._known.clear()

    async def answer(self, room: str, settings: str, seconds: float) -> FileAnswer | None:
        """The room's first word about settings of that id; None where none comes in time."""
        known = self._known.get(room)
        if known is not None and known.answer is not None and known.answer.id == settings:
            return known.answer
        waiting = self._waiting.setdefault(settings, asyncio.get_running_loop().create_future())
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), seconds)
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(settings, None)
