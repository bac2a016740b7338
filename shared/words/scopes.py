"""What an API token may, in words that gateway and auth service share: of which devices, and which actions.

A token is `hs_` and 43 letters for 256 random bits; a session's own token never looks like that.
"""

import re
from typing import Annotated, Final

import msgspec

from shared.words.names import Action

PREFIX: Final = "hs_"
MOST_DEVICES: Final = 200
"""In one token's scope."""
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
_TOKEN: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


class Allowed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One device of a scope: it may be looked at, and `actions` may be asked of it. None is named but by its name."""

    room: Slug
    device: Slug
    actions: tuple[Action, ...] = ()


Scope = Annotated[tuple[Allowed, ...], msgspec.Meta(min_length=1, max_length=MOST_DEVICES)]


class TokenUse(msgspec.Struct, frozen=True, kw_only=True):
    """By which token somebody asks. It never may more than its owner may at that moment."""

    name: str
    scope: tuple[Allowed, ...]

    def sees(self, room: str, device: str) -> bool:
        """Whether the device is in the scope."""
        return any(one.room == room and one.device == device for one in self.scope)

    def acts(self, room: str, device: str, action: str) -> bool:
        """Whether the device may be asked for that."""
        return any(one.room == room and one.device == device and action in one.actions for one in self.scope)


def is_token(text: str) -> bool:
    """Whether it has the shape of an API token."""
    return _TOKEN.fullmatch(text) is not None


def in_words(scope: tuple[Allowed, ...]) -> str:
    """For the record: "hall/lamp: on, off; hall/door: look"."""
    return "; ".join(f"{one.room}/{one.device}: {', '.join(one.actions) or 'look'}" for one in scope)
