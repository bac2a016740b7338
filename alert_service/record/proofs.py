"""Reads the rows and hashes that letters print, pure: what was once told to a mailbox cannot be rewritten there.

The template `letter` prints what is read here; what letters printed before it is read, too.
"""

import email
import email.policy
import re
from typing import NamedTuple

_FOOT = re.compile(r"^-- ?$", re.MULTILINE)
"""What stands above it may be a text that somebody supplied."""
_PROOF = re.compile(
    r"^\w{1,20} (?P<row>\d{1,18})(?: \((?P<source>[a-z0-9-]{1,32})\))?\n  (?P<hash>[0-9a-f]{64})\s*$",
    re.MULTILINE,
)
"""The word before the number is "row" in the reader's language."""
_LINES = (
    # Letters of former versions.
    re.compile(r"^Proof: row (?P<row>\d{1,18}) \((?P<source>[a-z0-9-]{1,32})\), hash (?P<hash>[0-9a-f]{64})\s*$"),
    re.compile(r"^    row (?P<row>\d{1,18}), hash (?P<hash>[0-9a-f]{64})\s*$"),
    re.compile(r"^Head: +row (?P<row>\d{1,18}), hash (?P<hash>[0-9a-f]{64})\s*$"),
)


class Proof(NamedTuple):
    """A letter's word about a row; `source` is None where the letter does not say it."""

    row: int
    hash: str
    source: str | None


class UnreadableError(Exception):
    """The file is no letter that can be read."""


def read(content: bytes) -> list[Proof]:
    """What a letter (RFC 5322, with a text part) tells of rows; empty where it is about something else.

    Raises UnreadableError.
    """
    try:
        letter = email.message_from_bytes(content, policy=email.policy.default)
        part = letter.get_body(("plain",)) if letter.keys() else None
        text = part.get_content() if part is not None else None
    except Exception as error:  # the standard library raises all kinds of errors at a damaged letter
        raise UnreadableError(f"{type(error).__name__}: {error}") from error
    if not isinstance(text, str):
        raise UnreadableError("it has no text part")
    foot = _FOOT.split("\n".join(text.splitlines()), maxsplit=1)[1:]
    printed = [_of(found) for part in foot for found in _PROOF.finditer(part)]
    return printed or [proof for line in text.splitlines() if (proof := _proof(line)) is not None]


def _proof(line: str) -> Proof | None:
    return next((_of(found) for pattern in _LINES if (found := pattern.match(line)) is not None), None)


def _of(found: re.Match[str]) -> Proof:
    parts = found.groupdict()
    return Proof(int(parts["row"]), parts["hash"], parts.get("source"))
