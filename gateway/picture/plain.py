"""Text that another machine supplied, made harmless to look at, pure; escaping is the templates' affair.

Room-supplied text is untrusted (ASVS 5.0 1.2): a mark that turns the reading direction could make a line say something
else than what was recorded.
"""

import ipaddress
import re
import unicodedata
from typing import Final

_TOKEN: Final = re.compile(r"[\w.:%\[\]]+")
_PORT: Final = re.compile(r"…'?(?: on port |, )\d+")

NAME_CHARACTERS = 64


def plain(text: str, most: int = NAME_CHARACTERS) -> str:
    """One line without control and direction marks, cut at `most` characters."""
    kept = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Zs") else sign for sign in text)
    kept = "".join(sign for sign in kept if unicodedata.category(sign)[0] != "C")
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1].rstrip() + "…"


def without_addresses(text: str) -> str:
    """What a library said, without the addresses and ports that people need not read."""
    return _PORT.sub("…", _TOKEN.sub(lambda found: "…" if _is_address(found[0]) else found[0], text))


def _is_address(token: str) -> bool:
    """`127.0.0.1`, `127.0.0.1:25`, `::1`, `[::1]:25` or `localhost`."""
    host, bracket, _ = token.removeprefix("[").partition("]")
    for written in (host, host if bracket else token.rpartition(":")[0]):
        if written == "localhost":
            return True
        try:
            ipaddress.ip_address(written.rstrip("."))
        except ValueError:
            continue
        return True
    return False
