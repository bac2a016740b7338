"""The languages people are written to in: sentences by gettext, dates by Babel. Owns Babel, loaded with the first date.

A sentence is written in English where it is used, with its gaps named: `say("{who} unlocked {place}.", …)`. What fills
the gaps stands as it is, in no case and with no article, because it is mostly a name. `python -m tests.catalogue`
gathers the sentences into shared/locale (docs/decisions/0043-languages.md; pages: 0050-languages-of-pages.md).
"""

import functools
import gettext
import re
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Literal, get_args

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
CALLED: dict[Language, str] = {"en": "English", "de": "Deutsch"}
"""Each in itself, for whoever chooses one."""
DEFAULT: Language = "en"
_WEIGHT = re.compile(r"q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE | re.ASCII)
FOLDER = Path(__file__).parents[1] / "locale"
DOMAIN = "homesystem"
_LOCALES: dict[Language, str] = {"en": "en_GB", "de": "de"}
"""English as it is written where a week begins on Monday and a day has 24 hours."""


def later(sentence: str) -> str:
    """Marks a sentence of a table, which is said where it is used."""
    return sentence


class Tongue:
    """One language: its sentences, and how it writes times. Moments are given with any zone and told in `zone`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._locale = _LOCALES[language]
        self._catalogue: gettext.NullTranslations = (
            gettext.NullTranslations()
            if language == DEFAULT
            else gettext.translation(DOMAIN, FOLDER, languages=[language])
        )

    def say(self, sentence: str, **gaps: object) -> str:
        """A sentence with its gaps filled."""
        said = self.unfilled(sentence)
        return said.format(**gaps) if gaps else said

    def unfilled(self, sentence: str) -> str:
        """A sentence with its gaps as they are, for who fills them otherwise; one that is not ours stays as it is."""
        return self._catalogue.gettext(sentence) if sentence else ""  # gettext's "" is the catalogue's own head

    def say_many(self, one: str, many: str, count: int, **gaps: object) -> str:
        """The sentence for so many; `{count}` is a gap of each."""
        return self.unfilled_many(one, many, count).format(count=count, **gaps)

    def unfilled_many(self, one: str, many: str, count: int) -> str:
        """The sentence for so many, with its gaps as they are."""
        return self._catalogue.ngettext(one, many, count)

    def day(self, moment: datetime, zone: tzinfo) -> str:
        """The date in full, with its day of the week."""
        return self._dated(moment, zone, "full")

    def short_day(self, moment: datetime, zone: tzinfo) -> str:
        """The date in figures and short words."""
        return self._dated(moment, zone, "medium")

    def weekday(self, day: date) -> str:
        """The day of the week in full."""
        return _named_days(self._locale, "wide")[day.weekday()]

    def short_weekday(self, day: date) -> str:
        """The day of the week in two or three letters."""
        return _named_days(self._locale, "abbreviated")[day.weekday()].rstrip(".")

    def dated(self, day: date, *, year: bool = True) -> str:
        """Day, month in words and year: "3 March 2026"; `year` False leaves that out."""
        return _in_words(self._locale, day, "yMMMMd" if year else "MMMMd")

    def month(self, day: date, *, year: bool = False) -> str:
        """The month in words: "March", with its year "March 2026"."""
        return _in_words(self._locale, day, "LLLL y" if year else "LLLL")

    def short_month(self, day: date) -> str:
        """The month in three letters."""
        return _in_words(self._locale, day, "LLL")[:3]

    def number(self, value: float, *, digits: int | None = None) -> str:
        """With so many digits after the decimal sign, or as many as it has; in no groups, with a minus that is one."""
        text = f"{value:g}" if digits is None else f"{value:.{digits}f}"
        unsigned = text.removeprefix("-").replace(".", _decimal_sign(self._locale))
        return f"−{unsigned}" if text.startswith("-") and float(text) != 0 else unsigned

    def zone_name(self, moment: datetime, zone: tzinfo) -> str:
        """What the zone is called at that moment, in short: "CET", "MESZ"."""
        local = moment.astimezone(zone)
        return _zone_name(self._locale, zone, local.tzname() or "", local.replace(microsecond=0))

    def time(self, moment: datetime, zone: tzinfo) -> str:
        """Hours and minutes."""
        return f"{moment.astimezone(zone):%H:%M}"

    def exactly(self, moment: datetime, zone: tzinfo) -> str:
        """Date and time to the second, with the zone's name, said once."""
        from babel.dates import format_datetime

        clock = format_datetime(moment, "HH:mm:ss z", tzinfo=zone, locale=self._locale)
        return f"{self.day(moment, zone)}, {clock}"

    def _dated(self, moment: datetime, zone: tzinfo, form: Literal["full", "medium"]) -> str:
        from babel.dates import format_date

        return format_date(moment.astimezone(zone).date(), form, locale=self._locale)


@functools.cache
def _named_days(locale: str, width: Literal["wide", "abbreviated"]) -> dict[int, str]:
    """By number; 0 is Monday."""
    from babel.dates import get_day_names

    return dict(get_day_names(width, locale=locale))


@functools.lru_cache(512)
def _in_words(locale: str, day: date, skeleton: str) -> str:
    """A page says the same few days again and again, and to write one takes longer than all else about it."""
    from babel.dates import format_date, format_skeleton

    if skeleton.startswith("L"):  # a month that stands alone is written the same way everywhere
        return format_date(day, skeleton, locale=locale)
    return format_skeleton(skeleton, datetime(day.year, day.month, day.day, 12, tzinfo=UTC), locale=locale)


_ZONE_NAMES: dict[tuple[str, str, str], str] = {}


def _zone_name(locale: str, zone: tzinfo, called: str, moment: datetime) -> str:
    """By what the zone calls itself then: that changes twice a year, and there is one zone in a home."""
    key = (locale, str(zone), called)
    if key not in _ZONE_NAMES:
        from babel.dates import format_datetime

        _ZONE_NAMES[key] = called if locale == _LOCALES[DEFAULT] else format_datetime(moment, "z", zone, locale=locale)
    return _ZONE_NAMES[key]


@functools.cache
def _decimal_sign(locale: str) -> str:
    from babel.numbers import get_decimal_symbol

    return get_decimal_symbol(locale)


@functools.cache
def tongue(language: Language = DEFAULT) -> Tongue:
    """A language, read once."""
    return Tongue(language)


def first_of(*wanted: str | None) -> Language:
    """The first of these that is a language of ours, else the default; "de_DE.UTF-8" is one, too."""
    for one in wanted:
        known = known_language((one or "").partition("_")[0].partition(".")[0].lower())
        if known is not None:
            return known
    return DEFAULT


def known_language(code: str) -> Language | None:
    """A language of ours by its code."""
    return next((one for one in LANGUAGES if one == code), None)


@functools.lru_cache(256)
def accepted(header: str) -> Language | None:
    """The language of ours that an Accept-Language prefers (RFC 9110, 12.5.4); None where it names none of them.

    Of two with the same weight the earlier counts; "*" says nothing about which.
    """
    best: Language | None = None
    most = 0.0
    for item in header.split(","):
        code, _, rest = item.partition(";")
        known = known_language(code.strip().partition("-")[0].lower())
        weight = _weight(rest.strip())
        if known is not None and weight > most:
            best, most = known, weight
    return best


def _weight(text: str) -> float:
    """Between 0 and 1; 1 where none is given, 0 for what is no weight."""
    if not text:
        return 1.0
    found = _WEIGHT.fullmatch(text)
    return float(found[1]) if found else 0.0
