"""Rights are pure: who may send and hear what, in the plugin's own words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.allowing import rights
from shared.trust.signing import Grant, Refresh
from shared.words import names, topics

NAMES = st.from_regex(names.IDENTITY, fullmatch=True).filter(lambda name: not names.is_reserved(name))


def allowed(role: dict[str, Any], kind: str) -> set[str]:
    return {acl["topic"] for acl in role["acls"] if acl["acltype"] == kind and acl["allow"]}


@given(room=NAMES, devices=st.lists(NAMES, max_size=4))
def test_a_room_sends_only_as_itself_and_of_its_own_devices(room: str, devices: list[str]) -> None:
    role = rights.room_role(room, devices)
    assert not any("+" in topic or "#" in topic for topic in allowed(role, "publishClientSend"))
    states = {topic for topic in allowed(role, "publishClientSend") if topic.endswith("/state")}
    assert states == {topics.state(room, device) for device in devices}
    sends = allowed(role, "publishClientSend")
    assert all(topic.startswith(f"home/{room}/") or topic == f"audit/{room}" for topic in sends)
    assert not any("/set/" in topic or topic.endswith(("receipt", "resend", "certificate")) for topic in sends)
    hears = allowed(role, "publishClientReceive")
    assert topics.certificate(room) in hears
    assert not any(topic.endswith("csr") for topic in hears)


@given(name=NAMES, may=st.lists(st.tuples(NAMES, NAMES), max_size=4))
def test_a_client_commands_what_it_was_granted_in_its_own_name(name: str, may: list[tuple[str, str]]) -> None:
    role = rights.client_role(name, may)
    assert allowed(role, "publishClientSend") == {topics.command(room, device, name) for room, device in may}
    for kind in ("subscribePattern", "subscribeLiteral", "publishClientReceive"):
        assert not any("#" in topic or "+" in topic for topic in allowed(role, kind))


@given(name=NAMES, may=st.lists(st.tuples(NAMES, NAMES), max_size=4))
def test_only_the_auth_service_says_whether_there_is_a_lockdown(name: str, may: list[tuple[str, str]]) -> None:
    roles = [rights.hub_role(hub) for hub in ("gateway", "gateway-2", "alerts", "admin")]
    for role in (*roles, rights.room_role(name), rights.client_role(name, may)):
        assert topics.LOCKDOWN not in allowed(role, "publishClientSend")
    assert topics.LOCKDOWN in allowed(rights.hub_role("auth"), "publishClientSend")


@given(name=NAMES, may=st.lists(st.tuples(NAMES, NAMES), max_size=4))
def test_only_the_auth_service_sets_a_rooms_file_and_a_room_hears_and_tells_its_own(
    name: str, may: list[tuple[str, str]]
) -> None:
    roles = [rights.hub_role(hub) for hub in ("gateway", "gateway-2", "alerts", "admin", "recorder")]
    for role in (*roles, rights.room_role(name), rights.client_role(name, may)):
        assert not any(topic.endswith("/settings") for topic in allowed(role, "publishClientSend"))
    assert topics.settings("+") in allowed(rights.hub_role("auth"), "publishClientSend")
    room = rights.room_role(name)
    heard = {topic for topic in allowed(room, "publishClientReceive") if topic.endswith(("/settings", "/file"))}
    assert heard == {topics.settings(name)}
    told = {topic for topic in allowed(room, "publishClientSend") if topic.endswith("/file")}
    assert told == {topics.room_file(name)}
    assert topics.ALL_FILES in allowed(rights.hub_role("gateway"), "publishClientReceive")


def test_only_the_alert_service_writes_receipts() -> None:
    roles = [rights.hub_role(name) for name in ("gateway", "auth", "admin")] + [rights.room_role("hall")]
    for role in roles:
        assert not any("receipt" in topic or "resend" in topic for topic in allowed(role, "publishClientSend"))
    assert topics.receipt("+") in allowed(rights.hub_role("alerts"), "publishClientSend")


def test_what_may_be_subscribed_may_be_received_and_nothing_else() -> None:
    for role in (rights.hub_role("gateway"), rights.hub_role("alerts"), rights.room_role("hall")):
        subscribed = allowed(role, "subscribePattern") | allowed(role, "subscribeLiteral")
        assert subscribed == allowed(role, "publishClientReceive")


def test_only_the_auth_service_says_who_is_locked_out_and_every_room_hears_it() -> None:
    roles = [rights.hub_role(name) for name in ("gateway", "alerts", "admin")] + [rights.room_role("hall")]
    assert not any(topics.LOCKOUTS in allowed(role, "publishClientSend") for role in roles)
    assert topics.LOCKOUTS in allowed(rights.hub_role("auth"), "publishClientSend")
    assert topics.ALL_SYSTEM in allowed(rights.room_role("hall"), "subscribePattern")


def test_roles_of_hub_and_rooms_that_are_missing_or_other_ones_are_outdated() -> None:
    hub = ("gateway", "auth")
    known = [rights.hub_role(name) for name in (*hub, "gateway-2")] + [rights.room_role("hall")]
    for role in known:
        role["acls"].reverse()
    assert rights.outdated(known, hub) == []
    for role in known:
        role["acls"].pop()
    wanted = [rights.hub_role(name) for name in ("gateway", "auth", "gateway-2")]
    assert rights.outdated(known, hub) == [*wanted, rights.room_role("hall")]
    assert rights.outdated([], hub) == [rights.hub_role(name) for name in hub]


def test_only_the_auth_service_hears_what_rooms_ask_for_and_gives_certificates() -> None:
    others = [rights.hub_role(name) for name in ("gateway", "alerts", "admin")]
    others += [rights.client_role("phone", [("hall", "lamp")]), rights.room_role("hall")]
    for role in others:
        assert not any(topic.endswith("/csr") for topic in allowed(role, "publishClientReceive"))
        assert not any(topic.endswith("/certificate") for topic in allowed(role, "publishClientSend"))
    auth = rights.hub_role("auth")
    assert topics.ALL_CSRS in allowed(auth, "subscribePattern")
    assert topics.certificate("+") in allowed(auth, "publishClientSend")


def test_rooms_of_an_older_home_get_what_came_later_and_clients_keep_what_they_were_granted() -> None:
    old_room, client = rights.room_role("hall"), rights.client_role("phone", [("hall", "lamp")])
    old_room["acls"] = [acl for acl in old_room["acls"] if not acl["topic"].endswith(("/csr", "/certificate"))]
    client["acls"].pop()
    assert rights.outdated([old_room, rights.room_role("attic"), client], ()) == [rights.room_role("hall")]


def test_of_which_devices_a_room_speaks_is_left_as_it_was_told() -> None:
    known = rights.room_role("hall", ["lamp"])
    assert rights.outdated([known], ()) == []
    known["acls"] = [acl for acl in known["acls"] if not acl["topic"].endswith("/csr")]
    assert rights.outdated([known], ()) == [rights.room_role("hall", ["lamp"])]
    assert rights.order_of(known) == Grant(name="hall", role="room", may=(("hall", "lamp"),))


def test_an_older_homes_room_speaks_for_all_until_it_is_told() -> None:
    old = rights.room_role("hall", ["+"])
    assert rights.speaks_for_all(old)
    assert rights.outdated([old], ()) == []
    assert not rights.speaks_for_all(rights.room_role("hall", ["lamp"]))


def test_a_stranger_is_no_identity_of_the_hub() -> None:
    with pytest.raises(ValueError, match="no identity"):
        rights.hub_role("phone")


def test_the_document_denies_by_default() -> None:
    document = rights.document([rights.room_role("hall")])
    access = document["defaultACLAccess"]
    assert not any(access[kind] for kind in ("publishClientSend", "publishClientReceive", "subscribe"))
    assert document["clients"] == [{"username": "hall", "roles": [{"rolename": "hall"}]}]


def test_the_recorder_hears_states_and_says_nothing_but_that_it_is_there() -> None:
    role = rights.hub_role("recorder")
    assert allowed(role, "publishClientSend") == {topics.service("recorder")}
    heard = {topics.ALL_STATES, topics.ALL_AVAILABILITY, topics.ALL_DESCRIPTIONS}
    assert allowed(role, "publishClientReceive") == allowed(role, "subscribePattern") == heard
    assert rights.order_of(role) == Refresh()
