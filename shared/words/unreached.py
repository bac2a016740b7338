"""Why the other end of a connection was not reached, and what to do next: our sentences, by a sign of what is told.

The signs are what OpenSSL, libc and asyncio write, in small letters.
"""

import errno
from typing import Final

from shared.words.languages import later

_ANOTHER_AUTHORITY: Final = later("the other side is not of our authority: check `ca` in the configuration")
_NOTHING: Final = later("nothing listens there: is it running, and is the port right?")
SENTENCES: Final = {
    "certificate has expired": later(
        "the other side's certificate has expired: run `homesystem renew` on the hub",
    ),
    "not yet valid": later("the clock is wrong: wait for network time, or set it"),
    "hostname mismatch": later("the certificate is for another name: check the host in the configuration"),
    "ip address mismatch": later("the certificate is for another address: check the host in the configuration"),
    "self-signed certificate": _ANOTHER_AUTHORITY,
    "unable to get local issuer": _ANOTHER_AUTHORITY,
    "certificate signature failure": _ANOTHER_AUTHORITY,
    "name or service not known": later("that name is not known here: check `host` in the configuration"),
    "connection refused": _NOTHING,
    # asyncio has words of its own for the same
    f"[errno {errno.ECONNREFUSED}]": _NOTHING,
}


def parted(told: str) -> tuple[str | None, str]:
    """The sentence of ours with which `told` begins, None where it has none, and the rest."""
    for sentence in SENTENCES.values():
        if told.startswith(sentence):
            return sentence, told.removeprefix(sentence)
    return None, told
