"""The words: which names may be carried, and that the tables of kinds and actions agree with one another."""

import pytest

from shared.words import names
from shared.words.names import ACTIONS, SAFE_ACTIONS, STAMPED_KINDS, Kind


@pytest.mark.parametrize("name", ["hall", "a", "front-door", "room2", "a" * 32])
def test_an_identity_is_a_short_slug(name: str) -> None:
    assert names.is_identity(name)


@pytest.mark.parametrize("name", ["", "Hall", "2room", "-x", "a_b", "a/b", "a" * 33, "hall\n", "ö", "a b", "+", "#"])
def test_anything_else_is_none(name: str) -> None:
    assert not names.is_identity(name)


@pytest.mark.parametrize(
    ("name", "reserved", "gateway"),
    [
        ("gateway", True, True),
        ("gateway-2", True, True),
        ("gateway-x", True, False),
        ("gateway-", True, False),
        ("gateways", False, False),
        ("auth", True, False),
        ("auth-server", True, False),
        ("admin", True, False),
        ("broker-1", True, False),
        ("alerts", True, False),
        ("web", True, False),
        ("web-ca", True, False),
        ("device-ca", True, False),
        ("crl", True, False),
        ("room", True, False),
        ("client", True, False),
        ("interop", True, False),
        ("interop-ha", True, False),
        ("automation-2", True, False),
        ("signer", True, False),
        ("recorder", True, False),
        ("dev-board", True, False),
        ("former", True, False),
        ("user", True, False),
        ("account", True, False),
        ("certificate", True, False),
        ("address", True, False),
        ("home", True, False),
        ("session", True, False),
        ("dev", False, False),
        ("web-2", False, False),
        ("rooms", False, False),
        ("signer-2", False, False),
        ("hall", False, False),
        ("gateway-2\n", False, False),
    ],
)
def test_the_hubs_names_are_kept_for_it(name: str, *, reserved: bool, gateway: bool) -> None:
    assert names.is_reserved(name) is reserved
    assert names.is_gateway(name) is gateway


def test_every_gateway_is_reserved() -> None:
    assert all(names.is_reserved(f"gateway-{n}") and names.is_gateway(f"gateway-{n}") for n in range(100))


def test_names_that_were_kept_later_are_still_those_of_rooms_where_a_home_has_them() -> None:
    assert names.is_hub("signer")
    assert names.is_hub("auth-server")
    assert not any(names.is_hub(name) for name in ("web", "room", "client", "dev-board", "interop", "recorder"))


def test_safe_actions_are_actions_and_inputs_obey_nothing() -> None:
    outputs = {Kind.SWITCH, Kind.DIMMER, Kind.LOCK, Kind.COVER, Kind.PULSE}
    assert set(ACTIONS) == outputs
    for kind, safe in SAFE_ACTIONS.items():
        assert set(safe) <= set(ACTIONS[kind])
    assert Kind.PULSE not in SAFE_ACTIONS
    assert outputs >= STAMPED_KINDS
