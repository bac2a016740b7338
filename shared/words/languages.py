"""The languages people are written to in: sentences by gettext, dates by Babel. Owns Babel, loaded with the first date.

A sentence is written in English where it is used, with its gaps named: `say("{who} unlocked {place}.", …)`. What fills
the gaps stands as it is, in no case and with no article, because it is mostly a name. `python -m tests.catalogue`
gathers the sentences into shared/locale (docs/decisions/0043-languages.md).
"""

import functools
import gettext
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Literal, get_args

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"
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
        said = self._catalogue.gettext(sentence)
        return said.format(**gaps) if gaps else said

    def say_many(self, one: str, many: str, count: int, **gaps: object) -> str:
        """The sentence for so many; `{count}` is a gap of each."""
        return self._catalogue.ngettext(one, many, count).format(count=count, **gaps)

    def day(self, moment: datetime, zone: tzinfo) -> str:
        """The date in full, with its day of the week."""
        return self._dated(moment, zone, "full")

    def short_day(self, moment: datetime, zone: tzinfo) -> str:
        """The date in figures and short words."""
        return self._dated(moment, zone, "medium")

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
