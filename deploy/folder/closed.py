"""While an upgrade is under way nobody changes anything: what they did might go back with the copy of the home."""

from collections.abc import Sequence
from pathlib import Path

from shared.words.problem import HomeError

_ALLOWED = frozenset({"authority", "doctor", "renew", "repair", "rights", "up"})
"""What looks only, and what units and an update do themselves."""


def check(var: Path, words: Sequence[str]) -> None:
    """Raises HomeError("upgrading") for a command that may change something, while the home in `var` is closed."""
    if words and words[0] not in _ALLOWED and "--help" not in words and mark(var).exists():
        raise HomeError(
            "upgrading",
            "This home is being brought up to date: wait until that has ended, then again. Where it was cut off, "
            "`sudo homesystem upgrade` finishes it.",
        )


def mark(var: Path) -> Path:
    """The file that says so; root's, beside the home."""
    return var.with_name(f"{var.name}.closed")
