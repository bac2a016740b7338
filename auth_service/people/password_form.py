"""One form for a password, however it was typed, pure: what looks the same is the same.

Keyboards differ in how they write é (one character or two), a space, a wide letter, an emoji; nobody can see it.
"""

import unicodedata

_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))


def canonical(password: str) -> str:
    """NFKC (NIST SP 800-63B 3.1.1.2), without what cannot be seen: joiners, marks of direction, selectors of a look."""
    return unicodedata.normalize("NFKC", _seen(unicodedata.normalize("NFKC", password)))


def forms(password: str) -> tuple[str, ...]:
    """What may have been hashed for it, the canonical form first: before there was one, whatever the keyboard wrote."""
    written = (password, unicodedata.normalize("NFC", password), unicodedata.normalize("NFD", password))
    return tuple(dict.fromkeys((canonical(password), *written)))


def _seen(password: str) -> str:
    return "".join(sign for sign in password if unicodedata.category(sign) != "Cf" and sign not in _SELECTORS)
