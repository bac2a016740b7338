"""What a room tells of its file, in no more than one packet of the broker's.

The broker throws out who sends a larger one, and a room tells its file with each connection: it would come and go for
ever.
"""

from collections.abc import Iterator

import msgspec

from shared.words import messages
from shared.words.room_file import FILE_BYTES, TABLES_BYTES, RoomFile

TOO_LARGE = "It has more devices than fit into one message. Only a hand on the room's own machine changes it."


def encoded(told: RoomFile) -> bytes:
    """As JSON. What has no room stays out: complaints from the end, then the tables (`why` says so), then the pins."""
    return next(shorter for shorter in map(messages.encode, _ever_shorter(told)) if len(shorter) <= FILE_BYTES)


def _ever_shorter(told: RoomFile) -> Iterator[RoomFile]:
    if len(msgspec.json.encode(told.devices)) <= TABLES_BYTES:
        yield from _with_ever_fewer_complaints(told)
    told = msgspec.structs.replace(told, devices=None, why=TOO_LARGE)
    yield from _with_ever_fewer_complaints(told)
    yield from _with_ever_fewer_complaints(msgspec.structs.replace(told, pins=()))


def _with_ever_fewer_complaints(told: RoomFile) -> Iterator[RoomFile]:
    """The first one stays: whoever mends it hears the next ones with the next try."""
    yield told
    answer = told.answer
    while answer is not None and len(answer.complaints) > 1:
        answer = msgspec.structs.replace(answer, complaints=answer.complaints[: len(answer.complaints) // 2])
        yield msgspec.structs.replace(told, answer=answer)
