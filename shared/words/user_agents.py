"""A browser's own description of itself, made short, pure: a hint for recognising one's own sessions, no more."""

from typing import NamedTuple

_BROWSERS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
SYSTEMS = tuple(name for _, name in _SYSTEMS)
"""What a system may be called; sentences of the languages (tests/catalogue.py)."""


class Agent(NamedTuple):
    """What could be told: browser and system by name, or None; `own` is the program's first word, not cleaned."""

    browser: str | None
    system: str | None
    own: str


def read(agent: str) -> Agent:
    """What a `User-Agent` says, which anybody may have made up."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    return Agent(browser, system, agent.split("/")[0].split(" ")[0])
