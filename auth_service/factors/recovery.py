"""Recovery codes, pure: ten of 58 random bits, each good once in the place of an app's code (ASVS 6.5.1, 6.5.3)."""

import secrets

from shared.words import attempts

COUNT = 10
_GROUPS, _SIGNS = 3, 4


def new() -> tuple[str, ...]:
    """Ten fresh ones, `XXXX-XXXX-XXXX`, all different."""
    made: set[str] = set()
    while len(made) < COUNT:
        made.add(_grouped("".join(secrets.choice(attempts.SIGNS) for _ in range(_GROUPS * _SIGNS))))
    return tuple(sorted(made))


def read(typed: str) -> str | None:
    """The code that a person meant: any case, any dashes and blanks. None where it cannot be one."""
    letters = attempts.read(typed)
    if len(letters) != _GROUPS * _SIGNS or not set(letters) <= set(attempts.SIGNS):
        return None
    return _grouped(letters)


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + _SIGNS] for at in range(0, _GROUPS * _SIGNS, _SIGNS))
