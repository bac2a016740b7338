"""When two names read alike, pure, and how they are told apart: auth service and gateways look at it the same way."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Marks and letters that nobody sees, though Unicode counts them among what is printed."""


_LOOK_ALIKE: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТУХԚԜаеѕіјһорсухԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαιορυνɑɡı",
    "ABESIJKMHOPCTYXQWaesijhopcyxdqwABEZHIKMNOPTYXaiopuvagi",
)
"""Letters of other scripts that are drawn as Latin ones, by Unicode's list (UTS 39): Cyrillic, Greek, and three more.

A name in one of these scripts stays a name of its own, unless all of its letters are drawn as those of another.
"""


class Called(NamedTuple):
    """One room or device: its id, what it calls itself (untrusted), and what the master user calls it, if anything."""

    id: str
    own: str
    home: str | None


def key(name: str) -> str:
    """By what names are compared: without what cannot be seen, whatever their case, their width, and whose letters."""
    spaced = "".join(" " if unicodedata.category(sign) in ("Cc", "Zs", "Zl", "Zp") else sign for sign in name)
    seen = "".join(sign for sign in spaced if sign not in BLANK and unicodedata.category(sign)[0] != "C")
    drawn = unicodedata.normalize("NFKC", seen).translate(_LOOK_ALIKE)
    folded = unicodedata.normalize("NFKC", drawn.casefold())
    return " ".join(folded.split())


def names(all_of_them: Iterable[Called]) -> dict[str, str]:
    """What each is called, by its id.

    The master user's names stand. What something calls itself gets its id behind it where another is called so: a room
    must not pass its lamp off as the front door.
    """
    found = [(one, key(one.own if one.home is None else one.home)) for one in all_of_them]
    often = Counter(read for _, read in found)
    return {
        one.id: one.home if one.home is not None else f"{one.own} ({one.id})" if often[read] > 1 else one.own
        for one, read in found
    }
