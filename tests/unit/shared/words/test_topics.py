"""Topics: what is built is parsed back, and nothing else is ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.words import topics
from shared.words.topics import Topic, TopicKind

names = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)


@given(names, names, names)
def test_what_is_built_is_parsed_back(room: str, device: str, who: str) -> None:
    built = {
        topics.command(room, device, who): Topic(TopicKind.SET, room, device, who),
        topics.acknowledgement(room, device): Topic(TopicKind.ACK, room, device),
        topics.state(room, device): Topic(TopicKind.STATE, room, device),
        topics.event(room, device): Topic(TopicKind.EVENT, room, device),
        topics.availability(room): Topic(TopicKind.AVAILABILITY, room),
        topics.description(room): Topic(TopicKind.DESCRIPTION, room),
        topics.csr(room): Topic(TopicKind.CSR, room),
        topics.certificate(room): Topic(TopicKind.CERTIFICATE, room),
        topics.settings(room): Topic(TopicKind.SETTINGS, room),
        topics.room_file(room): Topic(TopicKind.FILE, room),
        topics.service(who): Topic(TopicKind.SERVICE, who=who),
        topics.audit(who): Topic(TopicKind.AUDIT, who=who),
        topics.receipt(who): Topic(TopicKind.RECEIPT, who=who),
        topics.resend(who): Topic(TopicKind.RESEND, who=who),
        topics.REVOKED: Topic(TopicKind.REVOKED),
        topics.LOCKDOWN: Topic(TopicKind.LOCKDOWN),
        topics.LOCKOUTS: Topic(TopicKind.LOCKOUTS),
        topics.AUTHORITIES: Topic(TopicKind.AUTHORITIES),
    }
    assert {topic: topics.parse(topic) for topic in built} == built
    assert {parsed.kind for parsed in built.values()} == set(TopicKind)


def test_the_spelling_is_the_contracts() -> None:
    assert topics.command("hall", "lamp", "phone") == "home/hall/lamp/set/phone"
    assert topics.commands_for("hall") == "home/hall/+/set/+"
    assert topics.acknowledgement("hall", "lamp") == "home/hall/lamp/ack"
    assert topics.state("hall", "lamp") == "home/hall/lamp/state"
    assert topics.availability("hall") == "home/hall/availability"
    assert topics.csr("hall") == "home/hall/csr"
    assert topics.certificate("hall") == "home/hall/certificate"
    assert (topics.settings("hall"), topics.room_file("hall")) == ("home/hall/settings", "home/hall/file")
    assert topics.service("gateway") == "system/gateway/availability"
    assert topics.receipt("hall") == "audit/hall/receipt"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "home",
        "home/hall",
        "home/hall/lamp",
        "home/hall/lamp/get",
        "home/hall/lamp/set",
        "home/hall/lamp/set/phone/x",
        "system",
        "system/gateway",
        "system/gateway/availability/x",
        "audit",
        "audit/hall/x",
        "Home/hall/lamp/state",
        "$SYS/broker",
        "home//lamp/state",
        "home/hall/Lamp/state",
        "home/hall/lámp/set/phone",
        "home/hall/a b/ack",
        "home/hall/lamp/set/",
        "audit/" + "a" * 33,
    ],
)
def test_what_is_not_of_this_house_is_nothing(topic: str) -> None:
    assert topics.parse(topic) is None


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(topic: str) -> None:
    parsed = topics.parse(topic)
    assert parsed is None or parsed.kind in TopicKind
