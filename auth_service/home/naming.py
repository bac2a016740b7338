"""What a room or a device may be called by the master user, pure: seen by everybody, and mistaken for nothing else."""

import unicodedata
from collections.abc import Iterable

from shared.words.looks import NAME_MOST
from shared.words.naming import BLANK, key
from shared.words.problem import HomeError


def checked_name(name: str, others: Iterable[str]) -> str:
    """A name as it is kept. Raises HomeError("invalid-value"), of the field `name`.

    `others` are what stands beside it on the pages: two that read alike would have somebody open the wrong door.
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(name) <= NAME_MOST or not name.isprintable() or BLANK & set(name):
        raise HomeError("invalid-value", f"A name has 1 to {NAME_MOST} characters that can be seen.", field="name")
    if key(name) in map(key, others):
        raise HomeError("invalid-value", "Something beside it is called so already. Choose another name.", field="name")
    return name
