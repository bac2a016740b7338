"""Cleans and cuts every text that a room or a client supplied before it reaches a letter; pure."""

import unicodedata
from datetime import datetime

SUBJECT_CHARACTERS = 120
TEXT_CHARACTERS = 200
NAME_CHARACTERS = 40


def clean(text: str, most: int = TEXT_CHARACTERS) -> str:
    """One line of printable characters: no control, no direction mark, no line end; cut at `most`."""
    kept = "".join(" " if (kind := unicodedata.category(sign))[0] == "Z" or kind == "Cc" else sign for sign in text)
    kept = "".join(sign for sign in kept if unicodedata.category(sign)[0] != "C")
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def words(text: str, most: int = 60) -> str:
    """A `what` that has no words of ours: "camera:moved" as "camera moved"."""
    return clean(text, most).replace(":", " ").replace("-", " ")


def moment_of(text: str) -> datetime | None:
    """A moment with its zone, as a detail has it; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
