"""Which calls to the auth service may take long: those that bear a password, and no other."""

import asyncio
import inspect
from pathlib import Path
from typing import Any, TypeGuard, get_type_hints

import msgspec
import pytest

from gateway.inside.auth_client import PASSWORD_SECONDS, AuthClient
from shared.door.client import AuthAddress, ServiceClient
from shared.trust import renewal, tls

BEARING = {"password", "current", "new"}
LATER = {"ask_code"}
"""The password is checked after the answer, so that nothing tells how long that takes."""
OTHERWISE = {"join"}
"""A machine's certificate is made meanwhile."""


class Word(str):
    """Whatever is asked with."""

    __slots__ = ()
    room = device = id = "it"


def calls() -> dict[str, type[msgspec.Struct] | None]:
    """Each method that asks something, and what it sends."""
    found = {}
    for name, method in inspect.getmembers(AuthClient, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            hints = get_type_hints(method)
            found[name] = next((kind for kind in hints.values() if _is_struct(kind)), None)
    return found


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


@pytest.mark.parametrize("name", sorted(calls()))
def test_a_password_is_waited_for_and_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    waited: list[float | None] = []

    async def call(*_: Any, seconds: float | None = None, **__: Any) -> None:
        waited.append(seconds)

    monkeypatch.setattr(ServiceClient, "call", call)
    monkeypatch.setattr(renewal, "client", lambda _identity: None)
    client = AuthClient(AuthAddress(port=8444), tls.Identity(ca=tmp_path, certificate=tmp_path, key=tmp_path))
    parameters = inspect.signature(getattr(client, name)).parameters.values()
    asyncio.run(getattr(client, name)(**{one.name: Word("it") for one in parameters if one.default is one.empty}))
    sent = calls()[name]
    bears = sent is not None and bool(BEARING & set(sent.__struct_fields__)) and name not in LATER
    assert waited == [PASSWORD_SECONDS if bears else 30.0 if name in OTHERWISE else None]
