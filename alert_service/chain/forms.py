"""The canonical forms in which events enter the chain, pure: what a hash covers, and what a people digest hides.

A form never changes once rows have it; a new one gets a new number, so that old rows still verify. Form 1 hides the
person and the address; form 2 hides every personal field there is.
"""

import hashlib
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import msgspec

from shared.words.languages import later
from shared.words.names import SUBJECTS, is_hub, is_identity

FORM = 2
"""What new rows get."""
KNOWN = frozenset({1, FORM})
PERSONAL = frozenset({"address", "agent", "browser", "email", "name", "network", "place", "user"})
"""The keys of an event's detail that tell of a person. Part of form 2: another set is another form."""
ADDRESS_PLACE = "address/"
"""How the place of a failed sign-in to no account begins; what follows is somebody's address."""

NO_ROOM = ""
"""What stands in an event's `room` when it happened in none."""

SALT_BYTES = 16

_ACTOR, _SUBJECT = b"who acted", b"of whom"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


class Flat(NamedTuple):
    """A row as the table has it, in the order of its columns: times in microseconds, `detail` as JSON.

    `room` and `clock` follow from the rest and the rows before it; the hash does not cover them, `fault` and
    `fault_of_clock` do.
    """

    row: int
    source: str
    id: str
    seq: int
    at: int
    received_at: int
    what: str
    place: str
    room: str
    issuer: str
    user_id: str | None
    user_name: str | None
    address: str | None
    command_id: str | None
    outcome: str
    severity: str
    detail: str
    salt: bytes | None
    people: str
    previous: str
    hash: str
    form: int
    clock: int = 0


_TEXTS = frozenset({str, type(None)})
_texts = attrgetter(
    *("source", "id", "what", "place", "room", "issuer", "user_id", "user_name", "address", "command_id"),
    *("outcome", "severity", "detail", "people", "previous", "hash"),
)


@lru_cache(1024)
def room_of(place: str) -> str:
    """The room that an event's `where` lies in; NO_ROOM for what is about people, certificates or the hub itself."""
    first = place.partition("/")[0]
    return first if is_identity(first) and not is_hub(first) and first not in SUBJECTS else NO_ROOM


def seal(flat: Flat, salt: bytes) -> Flat:
    """The row with its salt, its people digest and its hash, which cover all the rest."""
    detail = _read(flat.detail)
    people = _people_digest(flat, detail, salt)
    return flat._replace(salt=salt, people=people, hash=_row_hash(flat, people, detail, flat.previous))


def without_person(flat: Flat) -> Flat:
    """The row without what its form lets go of, and without the salt; it verifies as before."""
    return _opened(flat)._replace(user_id=None, user_name=None, address=None, salt=None)


def without_user(flat: Flat, user_id: str) -> Flat:
    """The row without that user; where somebody else acted, that one stays."""
    return without_person(flat) if flat.user_id in {None, user_id} else without_subject(flat)


def without_subject(flat: Flat) -> Flat:
    """The row without the person whom it tells of, but still with the one who acted; only form 2 can do this."""
    if flat.form == 1 or flat.salt is None or len(flat.salt) > SALT_BYTES:
        return flat
    opened = _opened(flat)
    if opened == flat:
        return flat
    return opened._replace(salt=_key(flat.salt, _ACTOR) + _subject(flat, _decode(flat.detail), flat.salt))


def as_erased(flat: Flat) -> Flat:
    """The row reduced to what its salt says is left: what a producer tells again is compared like this."""
    if flat.salt is None:
        return without_person(flat)
    return _opened(flat) if len(flat.salt) > SALT_BYTES else flat


def holds_texts(flat: Flat) -> bool:
    """Whether texts stand where texts belong: SQLite lets bytes in, which JSON writes, and so hashes, as a text."""
    return _TEXTS.issuperset(map(type, _texts(flat)))


def is_bare(flat: Flat) -> bool:
    """Whether somebody was taken out of this row: its salt is gone, or gave way to what remains of it."""
    return not isinstance(flat.salt, bytes) or len(flat.salt) != SALT_BYTES


def fault(flat: Flat, expected: int, head: str) -> str | None:
    """Why a row does not fit where row `expected` should follow the hash `head`; None for one that does.

    Whatever a hand may have written into the table is found, and raises nothing.
    """
    if flat.row != expected:
        return f"row {expected} is missing" if flat.row > expected else later("stands where another row belongs")
    if flat.previous != head:
        return later("does not follow the row before it")
    if flat.form not in KNOWN:
        return later("has a form that this version does not know")
    if not holds_texts(flat):
        return later("was changed: it holds what nobody records")
    try:
        detail = _read(flat.detail)
        if _row_hash(flat, flat.people, detail, head) != flat.hash:
            return later("was changed")
        if detail and _encode(detail).decode() != flat.detail:
            return later("was changed: its detail is written in another way")
        return _fault_of_people(flat, detail)
    except (TypeError, ValueError, AttributeError, msgspec.MsgspecError):
        return later("was changed: it holds what nobody records")


def fault_of_clock(flat: Flat, before: int | None) -> str | None:
    """Why a row's clock is not the highest arrival so far; `before` is that of the row before it, None if unknown."""
    if before is None:
        right = isinstance(flat.clock, int) and flat.clock >= flat.received_at
    else:
        right = flat.clock == max(before, flat.received_at)
    return None if right else later("was changed: its clock is not the highest arrival so far")


def _fault_of_people(flat: Flat, detail: dict[str, str]) -> str | None:
    if flat.room != room_of(flat.place):
        return later("was changed: its room is not the one of its place")
    if flat.user_id is None and flat.user_name is not None:
        return later("names a person although none was recorded")
    if flat.salt is None:
        return later("names a person although it was erased") if flat != as_erased(flat) else None
    if flat != as_erased(flat):
        return later("tells of a person although that was erased")
    if flat.people != _people_digest(flat, detail, flat.salt):
        return later("names another person or address than was recorded")
    return None


def _read(detail: str) -> dict[str, str]:
    """A detail that the table has. Most have nothing."""
    return _decode(detail) if detail != "{}" else {}


def _row_hash(flat: Flat, people: str, detail: dict[str, str], head: str) -> str:
    place = flat.place
    if flat.form != 1:
        place, detail = _open_place(place), _open_detail(detail)
    canonical = _encode(
        (
            flat.form,
            flat.row,
            flat.source,
            flat.id,
            flat.seq,
            flat.at,
            flat.received_at,
            flat.what,
            place,
            flat.issuer,
            flat.command_id,
            flat.outcome,
            flat.severity,
            sorted(detail.items()) if detail else (),
            people,
        )
    )
    return hashlib.sha256(bytes.fromhex(head) + canonical).hexdigest()


def _people_digest(flat: Flat, detail: dict[str, str], salt: bytes) -> str:
    """Everything personal as one digest that nobody can guess without the salt.

    In form 2 it is made of two, so that the person whom a row tells of can be erased and the one who acted stays:
    then the salt gives way to the actor's key and the subject's digest.
    """
    actor = _encode(((flat.user_id, flat.user_name) if flat.user_id is not None else None, flat.address))
    if flat.form == 1:
        return hashlib.sha256(salt + actor).hexdigest()
    if len(salt) > SALT_BYTES:
        key, subject = salt[:SALT_BYTES], salt[SALT_BYTES:]
    else:
        key, subject = _key(salt, _ACTOR), _subject(flat, detail, salt)
    return hashlib.sha256(hashlib.sha256(key + actor).digest() + subject).hexdigest()


def _subject(flat: Flat, detail: dict[str, str], salt: bytes) -> bytes:
    """The digest of whom a row tells, empty where it tells of nobody."""
    place = flat.place if flat.place.startswith(ADDRESS_PLACE) else None
    told = sorted(item for item in detail.items() if item[0] in PERSONAL) if detail else ()
    if place is None and not told:
        return b""
    return hashlib.sha256(_key(salt, _SUBJECT) + _encode((place, told))).digest()


def _key(salt: bytes, use: bytes) -> bytes:
    return hashlib.sha256(salt + use).digest()[:SALT_BYTES]


def _opened(flat: Flat) -> Flat:
    """The row without the personal fields of its place and detail; in form 1 they are part of the hash."""
    if flat.form == 1:
        return flat
    place = _open_place(flat.place)
    detail = _read(flat.detail)
    if place == flat.place and PERSONAL.isdisjoint(detail):
        return flat
    return flat._replace(place=place, room=room_of(place), detail=_encode(_open_detail(detail)).decode())


def _open_place(place: str) -> str:
    return ADDRESS_PLACE if place.startswith(ADDRESS_PLACE) else place


def _open_detail(detail: dict[str, str]) -> dict[str, str]:
    if PERSONAL.isdisjoint(detail):
        return detail
    return {name: value for name, value in detail.items() if name not in PERSONAL}
