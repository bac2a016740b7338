"""What a new password must be like: long enough, and not what everybody tries first, or would here (ASVS 6.2).

No composition rules and no forced change. Our own list is short because it is compared with the password's stem:
`P4ssw0rd2024!` is `password`. What is commonplace elsewhere, commonplace.py knows.
"""

import re
import unicodedata
from collections.abc import Iterable

from auth_service.people import commonplace
from auth_service.people.password_form import canonical
from shared.words.problem import HomeError

SHORTEST = 8
ADVISED = 12
LONGEST = 1024
_FEWEST_LETTERS = 4
"""Beside words of this home."""

_WORDS = (
    "password passwort passphrase motdepasse contrasena senha parola secret secrets secretly geheim letmein "
    "welcome willkommen admin administrator root master owner login user guest member default changeme changeit "
    "test testing tester demo sample example qwerty qwertz azerty qwertyuiop asdfgh asdfghjkl asdf zxcvbn zxcvbnm "
    "qazwsx qazwsxedc iloveyou loveyou love lovely sunshine princess dragon monkey shadow football baseball "
    "basketball soccer hockey superman batman spiderman starwars pokemon michael jennifer jessica ashley daniel "
    "thomas charlie jordan hunter summer winter spring autumn sommer hello hallo freedom whatever trustno "
    "computer internet samsung google facebook liverpool chelsea arsenal barcelona juventus ferrari mercedes "
    "porsche mustang harley cheese chocolate cookie banana orange pepper ginger flower butterfly diamond jesus "
    "christ blessed angel killer ninja matrix phoenix maverick merlin access please open opensesame sesame "
    "nothing something home house household homesystem smarthome room garage kitchen hall door frontdoor lamp "
    "light alarm raspberry raspberrypi mosquitto gateway "
    "january february march april june july august september october november december januar februar maerz juni juli "
    "oktober dezember fruehling fruhling herbst haustur haustuer zuhause meinhaus familie schatz fussball sonnenschein "
    "printemps automne "
)
_COMMONEST = frozenset(_WORDS.split())
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "01234567890")
_LEET = str.maketrans("013457@$!", "oieastasi")


def check(password: str, *, email: str, name: str, home_words: Iterable[str] = ()) -> None:
    """Raises HomeError("invalid-value") saying what is wrong with a new password, and nothing of the password.

    `home_words` are what a guesser of this home would try: its names, those of its rooms, its street.
    """
    password = canonical(password)
    if len(password) < SHORTEST:
        raise HomeError("invalid-value", f"The password is too short: use {ADVISED} characters or more.")
    if len(password) > LONGEST:
        raise HomeError("invalid-value", f"The password is too long: {LONGEST} characters are the most.")
    # Not UTF-8 when it holds half of a surrogate pair, which no keyboard types.
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise HomeError("invalid-value", "The password holds a character that cannot be stored.")
    own = _words(email, name, *home_words)
    if (
        _stems(password) & (_COMMONEST | own)
        or _is_made_of(own, password)
        or _is_monotonous(password.lower())
        or commonplace.is_soon_guessed(password, own | _COMMONEST)
        or commonplace.was_breached(password)
    ):
        raise HomeError(
            "invalid-value",
            "The password is one of those that are tried first, or made of your own name or address, or of the home's: "
            "three or four words that do not belong together are better.",
        )


def _words(*sources: str) -> set[str]:
    """The words of names and addresses, without accents, and each source as one."""
    parts = (re.split(r"[\W_]+", _bare(source)) for source in sources)
    return {word for words in parts for word in (*words, "".join(words)) if len(word) > 2}


def _is_made_of(words: set[str], password: str) -> bool:
    """Whether little is left of it without these words."""
    bare = "".join(sign for sign in _bare(password) if sign.isalnum())
    rest = bare
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    left = [sign for sign in rest if sign != " "]
    return rest != bare and len(left) < SHORTEST and sum(sign.isalpha() for sign in left) < _FEWEST_LETTERS


def _bare(text: str) -> str:
    """Lower case, without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))


def _stems(password: str) -> set[str]:
    """What is left of it without case, accents, digits and signs around it, and with look-alikes read as letters."""
    lower = _bare(password)
    bare = re.sub(r"[\W\d_]+", "", lower)
    read = re.sub(r"[\W\d_]+", "", re.sub(r"[\W\d_]+$", "", lower).translate(_LEET))
    read_whole = re.sub(r"[\W\d_]+", "", lower.translate(_LEET))
    stems = {lower, bare, read, read_whole}
    for stem in tuple(stems):
        half = len(stem) // 2
        if stem and stem == stem[:half] * 2:
            stems.add(stem[:half])
    return stems


def _is_monotonous(lower: str) -> bool:
    """One or two characters again and again, a run along the keyboard or the alphabet, or nothing but a date."""
    if len(set(lower)) <= 2 or re.fullmatch(r"\d{8}|\d{2}[./-]\d{2}[./-]\d{4}|\d{4}-\d{2}-\d{2}", lower):
        return True
    return any(lower in run * 3 or lower in run[::-1] * 3 for run in _RUNS)
