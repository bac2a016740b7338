"""A room's devices as its own file has them, for API and pages alike: the master user's, changed with a fresh proof."""

from collections.abc import Iterable

from aiohttp import web

from gateway import keys
from gateway.desk import looks, step_up
from gateway.door import sessions
from shared.words.internal_room_file import FileChange
from shared.words.problem import HomeError
from shared.words.room_file import DeviceTable, FileAnswer, RoomFile

ANSWER_SECONDS = 10.0
"""A room judges within a second; a small board with a slow card takes longer."""


def find(request: web.Request, room: str) -> RoomFile:
    """What a room told of its file.

    Raises HomeError: sign-in-required, not-found (also for what one may not see), forbidden, broker-unreachable,
    room-offline (nothing is known of its file: it is away, or its agent is of a version that tells nothing of it).
    """
    looks.room_of_home(request, room)
    known = request.app[keys.ROOM_FILES].of(room)
    if known is None:
        if request.app[keys.COMMANDS].away(room) == "broker-unreachable":
            raise HomeError("broker-unreachable")
        raise HomeError(
            "room-offline", "Nothing is known of the room's file: it is away, or its agent is older than this hub."
        )
    return known


async def change(request: web.Request, room: str, *, of: str, devices: tuple[DeviceTable, ...]) -> FileAnswer | None:
    """Have the room take these device tables in the place of those of the file `of`; its first word, None if none came.

    Raises HomeError: as `find`; room-offline, changed-meanwhile (its file is not `of` any more), invalid-value (with
    `complaints`: what the room says is wrong), step-up-required, no-proof, auth-unreachable, broker-unreachable.
    """
    find(request, room)
    await sessions.signed_in_afresh(request)
    known = find(request, room)
    if (away := request.app[keys.COMMANDS].away(room)) is not None:
        raise HomeError(away)
    if known.version != of:
        raise HomeError("changed-meanwhile")
    if known.answer is not None and known.answer.outcome == "trying":
        raise HomeError(
            "changed-meanwhile", "The room is just trying another change. Wait for a minute, and try again."
        )
    wanted = FileChange(
        token=sessions.token_of(request),
        of=of,
        devices=devices,
        named=tuple(sorted(_named(known.devices or (), devices))),
        address=request.remote or "",
    )
    try:
        sent = await request.app[keys.AUTH].set_room_file(room, wanted)
    except HomeError as error:
        if error.slug == "step-up-required":
            raise HomeError(error.slug, step_up.advice(sessions.signed_in(request))) from error
        raise
    answer = await request.app[keys.ROOM_FILES].answer(room, sent.id, ANSWER_SECONDS)
    if answer is not None and answer.outcome == "refused":
        said = [one.text for one in answer.complaints]
        raise HomeError("invalid-value", said[0] if said else None, complaints=answer.complaints)
    return answer


def _named(before: Iterable[DeviceTable], after: Iterable[DeviceTable]) -> set[str]:
    """Which devices are others by it."""
    had, has = ({str(one.get("id"))[:64]: one for one in tables} for tables in (before, after))
    return {id_ for id_ in had.keys() | has.keys() if had.get(id_) != has.get(id_)}
