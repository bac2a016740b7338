"""For whom a letter is written, pure: the language, the home's zone and names, and where its pages are."""

from datetime import datetime, tzinfo
from urllib.parse import quote

import msgspec

from alert_service.telling.names import Names
from shared.words.languages import Tongue, tongue


class Links(msgspec.Struct, frozen=True):
    """Addresses of signed-in pages at `home` ("https://home.example:8443"); opening one changes nothing."""

    home: str

    def row(self, number: int) -> str:
        """The history, opened at one row."""
        return f"{self.history}?row={number}#row-{number}"

    def device(self, where: str) -> str:
        """A device's card on the page of its room; `where` is `hall/front-door`."""
        room, _, device = where.partition("/")
        return f"{self.home}/rooms/{quote(room, safe='')}#{quote(room, safe='')}.{quote(device, safe='')}"

    @property
    def history(self) -> str:
        """All that is recorded."""
        return f"{self.home}/history"

    @property
    def lockdown(self) -> str:
        """Where the home is locked down, and where that is ended."""
        return f"{self.home}/lockdown"

    @property
    def sessions(self) -> str:
        """Where one is signed in, and the end of each."""
        return f"{self.home}/account#sessions"


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """`links` is None where nobody said under which name the home's pages are reached.

    `locked_down`: whether the home is, as the record has it when the letter is written.
    """

    zone: tzinfo
    tongue: Tongue = msgspec.field(default_factory=tongue)
    names: Names = msgspec.field(default_factory=Names)
    links: Links | None = None
    locked_down: bool = False

    def say(self, sentence: str, **gaps: object) -> str:
        """A sentence in this reader's language."""
        return self.tongue.say(sentence, **gaps)

    def time(self, moment: datetime) -> str:
        """Hours and minutes in the home's zone."""
        return self.tongue.time(moment, self.zone)

    def exactly(self, moment: datetime) -> str:
        """Day, date and time to the second, with the zone, once."""
        return self.tongue.exactly(moment, self.zone)

    def shortly(self, moment: datetime) -> str:
        """Day and time, for a list."""
        return f"{self.tongue.short_day(moment, self.zone)}, {self.time(moment)}"
