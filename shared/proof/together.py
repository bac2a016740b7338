"""Several audit events in one message on `audit/{source}`: packed by their producer, opened by the alert service; pure.

A message is one event, or an array of ordinary ones. Only who was told in a receipt that arrays are understood sends
them; what is critical or of security travels alone.
"""

from collections.abc import Container, Iterator, Sequence

import msgspec

from shared.words import messages
from shared.words.messages import AuditEvent
from shared.words.names import Severity

TOGETHER = 64
"""So many events are in one message at the most."""
TOGETHER_BYTES = 32 * 1024
"""So large is an array at the most: half of what the broker takes."""

_array = msgspec.json.Decoder(list[msgspec.Raw])


def packed(events: Sequence[AuditEvent], most: int, *, alone: Container[int] = ()) -> Iterator[bytes]:
    """The messages that carry these events, in their order: at most `most` ordinary ones in each.

    Those whose `seq` is in `alone` travel alone, as do the critical ones and those of security. One event is never an
    array.
    """
    most = min(most, TOGETHER)
    gathered: list[bytes] = []
    size = 0
    for event in events:
        body = messages.encode(event)
        lonely = event.severity is not Severity.INFO or event.seq in alone
        if gathered and (lonely or len(gathered) >= most or size + len(body) >= TOGETHER_BYTES):
            yield _joined(gathered)
            gathered, size = [], 0
        if lonely:
            yield body
        else:
            gathered.append(body)
            size += len(body) + 1
    if gathered:
        yield _joined(gathered)


def opened(payload: bytes) -> Sequence[bytes]:
    """The events in a message, each as its JSON, whatever that is worth; what is no array of ours is one of them."""
    if not payload.lstrip(b" \t\r\n").startswith(b"["):
        return (payload,)
    try:
        inside = _array.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (payload,)
    return [bytes(one) for one in inside] if 0 < len(inside) <= TOGETHER else (payload,)


def _joined(bodies: list[bytes]) -> bytes:
    return bodies[0] if len(bodies) == 1 else b"[%b]" % b",".join(bodies)
