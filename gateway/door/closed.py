"""While a newer version is tried on the home, nobody changes anything: it might go back to how it was before.

A file says so, which outlives a power cut; whoever finishes the upgrade takes it away.
"""

from pathlib import Path
from typing import Final

from aiohttp import web

from shared.words.problem import HomeError

_AGAIN_SECONDS = 30
MARK: Final[web.AppKey[Path]] = web.AppKey("closed")


def check(app: web.Application, *, is_change: bool) -> None:
    """Raises HomeError("upgrading") for a change while it is so."""
    if is_change and app[MARK].exists():
        raise HomeError("upgrading", retry_after=_AGAIN_SECONDS)
