"""Whole MQTT 5 packets out of what was read ahead, pure: paho asks for them byte by byte, and for all that is in them.

Whatever is not of the short and common kind is None here, and paho's own to read.
"""

from typing import NamedTuple

_LENGTH_BITS = 127
"""Of each byte of a packet's length; the eighth says that another one follows (MQTT 5, 1.5.5)."""
_QOS_1 = 1


class Packet(NamedTuple):
    """A packet's first byte, what follows its length, and where the next one begins."""

    header: int
    body: bytes
    end: int


class Published(NamedTuple):
    """What a PUBLISH with quality of service 1 says, but for its properties."""

    topic: bytes
    mid: int
    payload: bytes
    retain: bool
    dup: bool


def packet(ahead: bytes, at: int) -> Packet | None:
    """The packet that begins `at`, where all of it is there and its length takes no more than two bytes."""
    if len(ahead) < at + 2:
        return None
    length, begins = ahead[at + 1], at + 2
    if length > _LENGTH_BITS:
        if len(ahead) == begins or ahead[begins] > _LENGTH_BITS:
            return None
        length, begins = (length & _LENGTH_BITS) | ahead[begins] << 7, begins + 1
    end = begins + length
    return Packet(ahead[at], ahead[begins:end], end) if end <= len(ahead) else None


def published(header: int, body: bytes | bytearray) -> Published | None:
    """What a PUBLISH says (MQTT 5, 3.3), where its properties are less than 128 bytes."""
    at = 2 + int.from_bytes(body[:2], "big")
    if header >> 1 & 3 != _QOS_1 or len(body) < at + 3 or body[at + 2] > _LENGTH_BITS:
        return None
    begins = at + 3 + body[at + 2]
    if len(body) < begins:
        return None
    mid = int.from_bytes(body[at : at + 2], "big")
    return Published(bytes(body[2:at]), mid, bytes(body[begins:]), retain=bool(header & 1), dup=bool(header & 8))
