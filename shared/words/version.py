"""Which version this is, of hub and rooms alike; pyproject.toml says the same."""

from typing import Final

VERSION: Final = "0.1.0"
