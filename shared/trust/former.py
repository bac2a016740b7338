"""The names that the hub had before: where the pair for each lies, and which browser is shown it.

`homesystem rename` writes the pairs; the gateway shows each to whoever asks for that name, until the rename is done.
"""

import re
import ssl
from pathlib import Path

from shared.running.config import ConfigError
from shared.trust import tls
from shared.trust.renewal import Latest

FORMER = "former"
"""Beside the hub's own pair, a folder with a folder for each former name."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class FormerNames:
    """Of the pair `certificate`, `key`: the pairs `former/NAME/` beside it, under the same file names."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._found: dict[str, Latest[ssl.SSLContext]] = {}

    def names(self) -> frozenset[str]:
        """Every former name, as of now."""
        folder = self._certificate.parent / FORMER
        return frozenset(path.parent.name for path in folder.glob(f"*/{self._certificate.name}"))

    def shown_to(self, name: str | None) -> ssl.SSLContext | None:
        """For a browser that asks for `name` (RFC 6066, 3); None where that is no former name, or its pair is unfit."""
        asked = (name or "").lower()
        if _NAME.fullmatch(asked) is None or ".." in asked:
            return None  # it becomes a path
        certificate, key = self._place(asked, self._certificate), self._place(asked, self._key)
        if not certificate.exists():
            self._found.pop(asked, None)
            return None
        if asked not in self._found:
            try:
                self._found[asked] = Latest(lambda: tls.web_context(certificate, key), (key, certificate))
            except ConfigError:
                return None  # half written just now, or spoiled: the next handshake looks again
        return self._found[asked].value()

    def _place(self, name: str, file: Path) -> Path:
        return self._certificate.parent / FORMER / name / file.name
