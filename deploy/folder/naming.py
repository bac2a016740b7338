"""Whether the hub's name is one that browsers were told to trust: a name may be changed by `homesystem rename` alone.

A certificate for a name that its authority may not vouch for is refused by every browser, whatever it looks like here.
"""

from collections.abc import Iterable
from pathlib import Path

from deploy.pki import leaf, reading
from shared.running.config import ConfigError


def unannounced(pki: Path, name: str, former: Iterable[str]) -> str | None:
    """The name that browsers know, where `name` is another that no rename gave; None where all is well."""
    path = pki / "web-ca.crt"
    if not path.exists():
        return None
    authority = reading.certificate(path)
    known = leaf.permitted_names(authority)
    # A rename that was stopped half-way has noted the name that its authority is still to be made for.
    if leaf.permits(authority, [name]) or not known or not set(known).isdisjoint(former):
        return None
    return known[0]


def check(var: Path, name: str, former: Iterable[str]) -> None:
    """Raises ConfigError, with what to do, where home.toml names the hub as no browser trusts it."""
    if (known := unannounced(var / "pki", name, former)) is not None:
        raise ConfigError(
            f'{var / "home.toml"}: name is "{name}", and browsers were told to trust {known} alone; write '
            f'name = "{known}" there again, then run `homesystem rename {name}`'
        )
