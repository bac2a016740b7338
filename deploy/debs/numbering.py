"""How a package's version is derived from a commit, so that a later commit's is the newer one for apt. Pure."""

import datetime as dt


def upstream(declared: str, at: dt.datetime, *, is_released: bool, was_released: bool) -> str:
    """From the version of pyproject.toml and the commit's date.

    On the commit that the tag `v…` of that version marks it is the version itself. Before that it sorts below it
    (`0.2.0~git20261129120000`), and on later commits above it and below the next (`0.2.0+git…`); of two such the later
    commit's is the newer. `+git` sorts above `+deb12`, which every package has behind its version.
    """
    if is_released:
        return declared
    return f"{declared}{'+' if was_released else '~'}git{at:%Y%m%d%H%M%S}"
