"""How versions stand to one another, pure: of hub and rooms, whose machines are upgraded one after the other."""

import re

_NUMBER = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_FAR = 2
"""More than one apart: across the first number nobody counts."""


def numbers(text: str) -> tuple[int, int, int] | None:
    """Of `0.1.0`, also with what a package has behind it (`0.1.0+deb12`); None for what is no version."""
    match = _NUMBER.match(text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def apart(one: str, other: str) -> int | None:
    """How many versions lie between two: 0 where the last number alone differs, negative where `one` is the older.

    None where either is no version.
    """
    mine, theirs = numbers(one), numbers(other)
    if mine is None or theirs is None:
        return None
    if mine[0] != theirs[0]:
        return _FAR if mine > theirs else -_FAR
    return mine[1] - theirs[1]
