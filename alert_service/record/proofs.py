"""Reads the rows and hashes that letters print, pure: what was once told to a mailbox cannot be rewritten there.

The templates `letter`, `digest` and `daily` print what is read here.
"""

import email
import email.policy
import re
from typing import NamedTuple

_LINES = (
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
    return [proof for line in text.splitlines() if (proof := _proof(line)) is not None]


def _proof(line: str) -> Proof | None:
    for pattern in _LINES:
        if (found := pattern.match(line)) is not None:
            parts = found.groupdict()
            return Proof(int(parts["row"]), parts["hash"], parts.get("source"))
    return None
