"""Which device authorities are believed, as rooms are told: what lies in the file that this service believes itself.

The signer makes them, and the `homesystem` command puts them there, once the broker believes them, too.
"""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home.notices import Notice
from shared.trust import authority
from shared.trust.renewal import Latest
from shared.words import topics
from shared.words.renewing import Authorities


def notice(file: Path) -> Notice[Authorities]:
    """Retained at the broker. Raises ConfigError where the file cannot be read at first; later, the last word stays."""
    latest = Latest(lambda: _believed(file), (file,))

    async def read(_connection: AsyncConnection) -> Authorities:
        return latest.value()

    return Notice(topics.AUTHORITIES, read, _as_it_is)


def _believed(file: Path) -> Authorities:
    found = authority.fingerprints(file)
    return Authorities(signs=found[0], believed=found)


def _as_it_is(told: Authorities) -> Authorities:
    return told
