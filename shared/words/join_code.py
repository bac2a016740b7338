"""The code that the hub's screen shows for a phone: small letters alone, typed twice on a telephone, pure.

It brings the file, and opens it: the first use ends with ten minutes, the second lasts as long as the file lies about.
"""

import re
import secrets

_LETTERS = "abcdefghjkmnpqrstuvwxyz"
"""Without those that look like another one."""
_LENGTH = 12
_IS_ONE = re.compile(f"[{_LETTERS}]{{{_LENGTH}}}")


def fresh() -> str:
    """A new one: 54 random bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def is_one(text: str) -> bool:
    """Whether it has the form of one."""
    return _IS_ONE.fullmatch(text) is not None


def typed(text: str) -> str:
    """What was typed as it was shown: phones begin with a capital letter, and people leave gaps."""
    return re.sub(r"[\s-]", "", text).lower()


def shown(code: str) -> str:
    """In groups, for the eye."""
    return " ".join(code[at : at + 4] for at in range(0, _LENGTH, 4))
