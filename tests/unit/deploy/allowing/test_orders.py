"""Orders bring an identity from whatever it was to what it shall be, and then there are none left to give."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deploy.allowing import orders, rights

ROLES = (rights.room_role("hall"), rights.client_role("hall", [("kitchen", "lamp")]))
OTHER = rights.client_role("other", [("hall", "lamp")])

documents = st.builds(
    lambda role, bound, disabled: {
        "roles": [OTHER, *([role] if role else [])],
        "clients": [rights.client("other"), *([{"username": "hall", "roles": bound, **disabled}] if bound else [])],
    },
    st.sampled_from([None, *ROLES]),
    st.sampled_from([None, [{"rolename": "hall"}], [{"rolename": "other"}, {"rolename": "hall"}]]),
    st.sampled_from([{}, {"disabled": False}, {"disabled": True}]),
)


@given(document=documents, role=st.sampled_from(ROLES))
def test_whoever_is_granted_a_role_has_it_and_needs_no_more_orders(document: dict[str, Any], role: rights.Role) -> None:
    plan = orders.grant(role)
    after = orders.applied(document, plan(orders.written(document, "hall")))
    standing = orders.written(after, "hall")
    assert standing.admitted
    assert standing.role is not None
    assert rights.allowed(standing.role) == rights.allowed(role)
    assert plan(standing) == []


@given(document=documents)
def test_whoever_is_shut_out_has_nothing_and_the_others_keep_theirs(document: dict[str, Any]) -> None:
    before = orders.written(document, "other")
    after = orders.applied(document, orders.shut_out(orders.written(document, "hall")))
    assert orders.written(after, "hall").out
    assert not orders.written(after, "hall").admitted
    assert orders.written(after, "other") == before


@given(document=documents)
def test_whoever_is_shut_out_again_is_dropped_again(document: dict[str, Any]) -> None:
    """Mosquitto 2.0 does not tell whether somebody is connected: only the order itself makes sure."""
    out = orders.applied(document, orders.shut_out(orders.written(document, "hall")))
    assert orders.shut_out(orders.written(out, "hall"))[-1]["command"] == "disableClient"


def test_a_connection_that_stands_is_not_out() -> None:
    entry = {"client": {"username": "hall", "roles": [], "disabled": True, "connections": [{"address": "10.0.0.7"}]}}
    assert not orders.told("hall", {}, entry).out
    assert orders.told("hall", {}, {"client": entry["client"] | {"connections": []}}).out


def test_an_identity_that_nobody_knows_has_no_standing() -> None:
    standing = orders.told("hall", {}, {})
    assert (standing.role, standing.roles, standing.admitted, standing.out) == (None, None, False, False)
