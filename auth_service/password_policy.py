"""What a new password must be like, pure: long enough, and not what everybody tries first (ASVS 6.2).

No composition rules and no forced change. The list is short because it is compared with the password's stem:
`P4ssw0rd2024!` is `password`.
"""

import re

from shared.problem import HomeError

SHORTEST = 8
ADVISED = 12
LONGEST = 1024

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
)
_COMMONEST = frozenset(_WORDS.split())
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "01234567890")
_LEET = str.maketrans("013457@$!", "oieastasi")


def check(password: str, *, email: str, name: str, home_words: tuple[str, ...] = ()) -> None:
    """Raises HomeError("invalid-value") saying what is wrong with a new password, and nothing of the password."""
    if len(password) < SHORTEST:
        raise HomeError("invalid-value", f"The password is too short: use {ADVISED} characters or more.")
    if len(password) > LONGEST:
        raise HomeError("invalid-value", f"The password is too long: {LONGEST} characters are the most.")
    # Not UTF-8 when it holds half of a surrogate pair, which no keyboard types.
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise HomeError("invalid-value", "The password holds a character that cannot be stored.")
    own = {
        word for source in (email, name, *home_words) for word in re.split(r"[^\w]+", source.lower()) if len(word) > 2
    }
    if _stems(password) & (_COMMONEST | own) or _is_monotonous(password.lower()):
        raise HomeError(
            "invalid-value",
            "The password is one of those that are tried first, or made of your own name or address: "
            "three or four words that do not belong together are better.",
        )


def _stems(password: str) -> set[str]:
    """What is left of it without case, digits and signs around it, and with look-alikes read as letters."""
    lower = password.lower()
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
