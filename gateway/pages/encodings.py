"""How an answer's body is packed for its way: as little as the browser can unpack (RFC 9110, 12.5.3).

Which answers may be packed is for whoever makes them to say: docs/decisions/0031 has the reason.
"""

import sys
import zlib
from collections.abc import Callable
from typing import Final, Protocol

IDENTITY: Final = "identity"
_GZIP: Final = 16 + zlib.MAX_WBITS


class Packer(Protocol):
    """Takes a body piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """What is ready after this piece."""

    def flush(self) -> bytes:
        """The rest."""


def _gzip(level: int) -> Packer:
    return zlib.compressobj(level, wbits=_GZIP)


_PACKERS: dict[str, Callable[[int], Packer]] = {"gzip": _gzip}
_QUICK: Final[dict[str, int]] = {"zstd": 3, "gzip": 5}
_SMALL: Final[dict[str, int]] = {"zstd": 19, "gzip": 9}
if sys.version_info >= (3, 14):
    from compression import zstd

    _PACKERS = {"zstd": zstd.ZstdCompressor, **_PACKERS}

KNOWN: Final = tuple(_PACKERS)
"""What we can do, the best first."""


def chosen(accepted: str | None) -> str:
    """What `Accept-Encoding` wants most of what we can do, among equals the best; "identity" where it wants none.

    Who sends no such header, or one that cannot be read, gets the body as it is, and so does who refuses even that.
    """
    weights: dict[str, float] = {}
    for part in (accepted or "").split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights.setdefault(name, _weight(parameters))
    found = max(KNOWN, key=lambda name: weights.get(name, weights.get("*", 0.0)))
    weight = weights.get(found, weights.get("*", 0.0))
    return found if weight > 0 and weight >= weights.get(IDENTITY, 0.0) else IDENTITY


def packer(encoding: str) -> Packer:
    """A quick one, for what is made for each request."""
    return _PACKERS[encoding](_QUICK[encoding])


def packed(body: bytes, encoding: str) -> bytes:
    """The whole at once and as small as can be, for what is made once."""
    by = _PACKERS[encoding](_SMALL[encoding])
    return by.compress(body) + by.flush()


def _weight(parameters: list[str]) -> float:
    """The q-value, 1 where there is none; 0 for one that cannot be read."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
