"""Text that another machine supplied, made harmless to look at, pure; escaping is the templates' affair.

Room-supplied text is untrusted (ASVS 5.0 1.2): a mark that turns the reading direction could make a line say something
else than what was recorded.
"""

import unicodedata

NAME_CHARACTERS = 64


def plain(text: str, most: int = NAME_CHARACTERS) -> str:
    """One line without control and direction marks, cut at `most` characters."""
    kept = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Zs") else sign for sign in text)
    kept = "".join(sign for sign in kept if unicodedata.category(sign)[0] != "C")
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1].rstrip() + "…"
