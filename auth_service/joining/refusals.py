"""What a machine that is not let in is told, and what to do then, pure: as its line or its code came to it."""

from typing import Final

from auth_service.home.identity_rows import in_use
from auth_service.home.window import Refusal, Window
from shared.words.internal_joining import Kind, role_of
from shared.words.languages import later

_ANOTHER: Final = "On the hub: homesystem {role} {way} {name}, which prints another line."
_OF_LINE: Final = {
    Refusal.UNKNOWN: (
        "The hub knows no such token: it was mistyped, a later line took its place, or it was called off, as by a "
        "lockdown. " + _ANOTHER
    ),
    Refusal.USED: (
        "Another machine has used this line already. If that was not you, somebody else has seen it: "
        "on the hub, homesystem {role} revoke {name}, and then add the {role} under another name."
    ),
    Refusal.OVER: "This line is over: it works for ten minutes. " + _ANOTHER,
    Refusal.REVOKED: (
        "The name {name} was revoked, and none is ever given out twice. Add the {role} under another name."
    ),
}
_NO_CODE: Final = later(
    "The hub knows no such code. Look at it again; a later one took the place of those before, and a lockdown ends all."
)


def words(reason: Refusal, window: Window | None, kind: Kind, name: str) -> str:
    """For whoever came as a `kind` called `name`; a phone does not say its name, but its window may."""
    if window is not None and kind == "phone":
        name = window.name
    if reason is Refusal.EXISTS:
        return in_use(name, role_of(kind))
    way = "renew" if window is not None and window.renews else "add"
    if kind == "phone":
        return _of_code(reason, name, way)
    return _OF_LINE[reason].format(role=role_of(kind), name=name, way=way)


def _of_code(reason: Refusal, name: str, way: str) -> str:
    match reason:
        case Refusal.USED:
            return (
                "This code has brought its file already. If that was not you, run homesystem client revoke "
                f"{name} on the hub. If the file was lost on its way, homesystem client renew with --p12 shows another "
                "code."
            )
        case Refusal.OVER:
            return (
                f"This code is over: it works for ten minutes. Run homesystem client {way} {name} --p12 on the hub, "
                "which shows another one."
            )
        case Refusal.REVOKED:
            return f"The name {name} was revoked, and no name is ever given out twice. Choose another one."
    return _NO_CODE
