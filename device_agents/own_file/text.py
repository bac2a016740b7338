"""The text of a room's file with other device tables in it, pure: all else stays as it was, comments included.

A table that is not changed keeps its text. What comes out is read again before anybody believes it.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from shared.words.room_file import DeviceTable

_HEADER = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_-]+)[^\n]*\]\s*(#.*)?$")
_FIRST = re.compile(r"\s*\[\[\s*devices\s*\]\]\s*(#.*)?$")
_NEITHER = re.compile(r"\s*(#.*)?$")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class UnwritableError(Exception):
    """Such a file can only be changed by hand; the text says why."""


class _Part(NamedTuple):
    """Lines of a file that belong together; `table` is the device that they are, None for everything else."""

    text: str
    table: DeviceTable | None = None


def tables(text: str) -> tuple[DeviceTable, ...]:
    """The device tables of a file that was read before. Raises UnwritableError where they are none."""
    try:
        found = tomllib.loads(text).get("devices", [])
    except tomllib.TOMLDecodeError as error:
        raise UnwritableError(f"The file is no TOML: {error}.") from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnwritableError("The file has no devices as this program knows them.")
    return tuple(found)


def with_tables(text: str, wanted: Sequence[DeviceTable]) -> str:
    """The file with exactly these device tables: those it has at their place, new ones at its end.

    Raises UnwritableError where its devices stand in another form than `[[devices]]`, or something cannot be written.
    """
    left = list(wanted)
    written: list[str] = []
    for part in _parts(text):
        if part.table is None:
            written.append(part.text)
        elif (now := _take(left, part.table.get("id"))) is not None:
            written.append(part.text if now == part.table else _table(now))
    whole = "".join(written)
    for table in left:
        whole = f"{whole.rstrip()}\n\n{_table(table)}"
    whole = re.sub(r"\n{3,}(?=\[\[devices\]\])", "\n\n", whole)
    _check(text, whole, wanted)
    return whole


def _take(left: list[DeviceTable], id_: Any) -> DeviceTable | None:
    found = next((one for one in left if one.get("id") == id_), None)
    if found is not None:
        left.remove(found)
    return found


def _parts(text: str) -> Iterator[_Part]:
    """The file in parts that make it up; what stands as a comment between two devices belongs to neither."""
    device: list[str] = []
    rest: list[str] = []
    for line in _LINE.findall(text):  # no splitlines: it knows more ends of a line than TOML does
        header = _HEADER.match(line)
        if header is not None and (header[1] != "devices" or _FIRST.match(line)):
            yield from _closed(device, rest)
            device, rest = ([line], []) if header[1] == "devices" else ([], [line])
        elif device:
            device.append(line)
        else:
            rest.append(line)
    yield from _closed(device, rest)


def _closed(device: list[str], rest: list[str]) -> Iterator[_Part]:
    if not device:
        yield _Part("".join(rest))
        return
    end = len(device)
    while _NEITHER.match(device[end - 1]):
        end -= 1
    own = "".join(device[:end])
    try:
        (table,) = tomllib.loads(own)["devices"]
    except (tomllib.TOMLDecodeError, ValueError, KeyError, TypeError) as error:
        raise UnwritableError("Its devices stand in a form that only a hand can change.") from error
    yield _Part(own, table)
    yield _Part("".join(device[end:]))


def _check(before: str, after: str, wanted: Sequence[DeviceTable]) -> None:
    """Nothing is believed of the above: what came out has to say just what it is to say."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise UnwritableError("Its devices stand in a form that only a hand can change.") from error
    has = new.pop("devices", [])
    old.pop("devices", None)
    if old != new or len(has) != len(wanted) or any(one not in has for one in wanted):
        raise UnwritableError("Its devices stand in a form that only a hand can change.")


def _table(table: DeviceTable) -> str:
    lines = [f"{_key(name)} = {_value(value)}\n" for name, value in table.items()]
    return "[[devices]]\n" + "".join(lines)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case list() | tuple():
            return f"[{', '.join(_value(one) for one in value)}]"
        case dict():
            return "{ " + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + " }"
    raise UnwritableError(f"{value!r} cannot stand in a file.")


def _text(text: str) -> str:
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
