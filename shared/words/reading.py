"""JSON as others write it, read into a struct: what is whole is whole, however it is written."""

import functools
from typing import Any, TypeVar

import msgspec

S = TypeVar("S")
_LARGEST = 2**53
"""Past it a float is not every whole number any more."""


def decode(kind: type[S], payload: bytes | str) -> S:
    """`payload` as `kind`. Raises as msgspec does: DecodeError, ValidationError, UnicodeDecodeError, RecursionError.

    50.0 is 50: JSON has numbers of one sort (RFC 8259 6), to a JSON Schema both are integers, and many programs know
    only floats. msgspec reads it as an int nowhere, so what it refuses for that is looked at once more.
    """
    try:
        return _decoder(kind).decode(payload)  # type: ignore[no-any-return, arg-type]  # types are hashable
    except msgspec.ValidationError as error:
        if "got `float`" not in str(error):
            raise
    return msgspec.convert(_whole(msgspec.json.decode(payload)), kind)


@functools.cache
def _decoder(kind: Any) -> Any:
    return msgspec.json.Decoder(kind)


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) <= _LARGEST:
            return int(value)
        case list():
            return [_whole(part) for part in value]
        case dict():
            return {name: _whole(part) for name, part in value.items()}
        case _:
            return value
