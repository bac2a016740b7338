"""Orders bring an identity from whatever it was to what it shall be, and then there are none left to give."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deploy.allowing import orders, rights

MANY = [("r" * 32, f"{'d' * 28}-{number:03}") for number in range(200)]
"""Devices whose rights are several messages."""
ROLES = (
    rights.room_role("hall"),
    rights.client_role("hall", [("kitchen", "lamp")]),
    rights.client_role("hall", MANY),
    rights.client_role("hall", MANY[50:]),
)
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


@given(document=documents, role=st.sampled_from(ROLES), cut=st.integers(0, 12))
def test_an_order_that_is_cut_off_gave_nothing_that_was_not_meant_and_is_finished_by_the_next(
    document: dict[str, Any], role: rights.Role, cut: int
) -> None:
    plan = orders.grant(role)
    messages = list(orders.in_messages(plan(orders.written(document, "hall"))))
    half = orders.applied(document, [order for some in messages[:cut] for order in some])
    standing = orders.written(half, "hall")
    before = orders.written(document, "hall").role
    assert rights.allowed(standing.role or {}) <= rights.allowed(role) | rights.allowed(before or {})
    after = orders.applied(half, plan(standing))
    assert rights.allowed(orders.written(after, "hall").role or {}) == rights.allowed(role)


@given(
    wanted=st.lists(
        st.sampled_from([*orders.grant(ROLES[2])(orders.told("hall", {}, {})), {"command": "enableClient"}])
    )
)
def test_messages_hold_all_orders_in_their_turn_and_fit_the_broker(wanted: list[orders.Order]) -> None:
    messages = list(orders.in_messages(wanted))
    assert [order for some in messages for order in some] == wanted
    assert all(messages)
    marked = [[order | {"correlationData": "0" * 16} for order in some] for some in messages]
    assert all(len(json.dumps({"commands": some})) < 65_000 for some in marked)


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
