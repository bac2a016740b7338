"""Whatever arrives can be recorded: as an event, or as an incident of our own, told once in a while."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.chain import arrivals, chain
from alert_service.chain.arrivals import COALESCED_SECONDS, Arrival
from shared.proof.together import TOGETHER
from shared.words import messages
from shared.words.names import Severity
from tests.unit.alert_service.parts import START, event

GOOD = event(id="e1", seq=4)


def test_an_event_is_from_the_source_that_the_topic_names() -> None:
    assert arrivals.read("audit/hall", messages.encode(GOOD), START) == Arrival("hall", GOOD)


@pytest.mark.parametrize("topic", ["audit/hall/receipt", "home/hall/lamp/state", "audit", "x"])
def test_what_is_no_audit_event_is_left_alone(topic: str) -> None:
    assert arrivals.read(topic, messages.encode(GOOD), START) is None


def test_several_in_one_message_are_read_as_if_each_had_come_alone() -> None:
    elsewhere = changed(id="e2", where="garage/door", who={"issuer": "x"})
    bodies = [messages.encode(GOOD), changed(id="a b"), elsewhere, b"3"]
    alone = [arrivals.read("audit/hall", body, START) for body in bodies]
    assert arrivals.read_all("audit/hall", b"[%b]" % b" , ".join(bodies), START) == alone
    assert [one.event.what for one in alone if one is not None][1:] == ["audit:malformed", GOOD.what, "audit:malformed"]
    for body, one in zip(bodies, alone, strict=True):
        assert arrivals.read_all("audit/hall", body, START) == [one]
    assert arrivals.read_all("home/hall/lamp/state", bodies[0], START) == []


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (b"[]", "audit:malformed"),
        (b"[%b]" % b",".join([messages.encode(GOOD)] * (TOGETHER + 1)), "audit:malformed"),
        (b"[%b" % messages.encode(GOOD), "audit:malformed"),
        (b"[[%b]]" % messages.encode(GOOD), "audit:malformed"),
        (b"[%b]" % (b"x" * arrivals.MAX_EVENT_BYTES), "audit:too-large"),
    ],
)
def test_an_array_that_is_none_of_ours_is_one_refused_event(payload: bytes, what: str) -> None:
    assert [one.event.what for one in arrivals.read_all("audit/hall", payload, START)] == [what]


def test_one_of_several_that_is_too_large_is_refused_by_its_id_and_the_others_are_not() -> None:
    large = changed(id="e2", detail={"k": "v" * arrivals.MAX_EVENT_BYTES})
    good, refused = arrivals.read_all("audit/hall", b"[%b,%b]" % (messages.encode(GOOD), large), START)
    assert good == Arrival("hall", GOOD)
    assert (refused.event.what, refused.instead_of) == ("audit:too-large", ("hall", "e2"))


def changed(**fields: object) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(GOOD) | fields)


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (b"", "audit:malformed"),
        (b"\xff\xfe", "audit:malformed"),
        (b"[]", "audit:malformed"),
        (b'{"x":' + b"[" * 15000, "audit:malformed"),
        (b"x" * (arrivals.MAX_EVENT_BYTES + 1), "audit:too-large"),
        (changed(id="a b"), "audit:malformed"),
        (changed(id="i" * 65), "audit:malformed"),
        (changed(seq=2**70), "audit:malformed"),
        (changed(seq=-1), "audit:malformed"),
        (changed(at="0001-01-01T00:00:00+23:00"), "audit:malformed"),
        (changed(at="9999-12-31T23:59:59-23:00"), "audit:malformed"),
        (changed(at="2026-01-01T00:00:00"), "audit:malformed"),
        (changed(what="a\0b"), "audit:malformed"),
        (changed(what="x" * 201), "audit:malformed"),
        (changed(outcome="perhaps"), "audit:malformed"),
        (changed(detail={f"k{n}": "v" for n in range(33)}), "audit:malformed"),
        (changed(detail={"k\0": "v"}), "audit:malformed"),
        (changed(who={"issuer": "gateway", "user": {"id": "u\0", "name": "n"}}), "audit:malformed"),
    ],
)
def test_what_cannot_be_recorded_becomes_a_security_event_of_our_own(payload: bytes, what: str) -> None:
    told = arrivals.read("audit/hall", payload, START)
    assert told is not None
    assert told.source == arrivals.OURSELVES
    assert told.event.what == what
    assert told.event.where == "hall"
    assert told.event.severity is Severity.SECURITY


def test_nobody_speaks_for_us() -> None:
    told = arrivals.read("audit/alerts", messages.encode(GOOD), START)
    assert told is not None
    assert (told.source, told.event.where) == (arrivals.OURSELVES, "broker")


@pytest.mark.parametrize("topic", ["audit/No such room", "audit/"])
def test_what_comes_under_an_impossible_name_is_no_event(topic: str) -> None:
    assert arrivals.read(topic, messages.encode(GOOD), START) is None


def test_a_thousand_refusals_within_the_time_are_one_event() -> None:
    told = {arrivals.incident("malformed", "hall", f"try {n}", START).event.id for n in range(1000)}
    assert len(told) == 1
    assert arrivals.incident("malformed", "garage", "", START).event.id not in told
    assert arrivals.incident("too-large", "hall", "", START).event.id not in told
    assert arrivals.incident("malformed", "hall", "", START + COALESCED_SECONDS).event.id not in told


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: changed(what=text, detail={text[:9]: text})))
def test_every_payload_ends_as_something_that_can_be_recorded(payload: bytes) -> None:
    told = arrivals.read("audit/hall", payload, START)
    assert told is not None
    messages.decode(messages.AuditEvent, messages.encode(told.event))  # our own fit our own rules
    assert chain.from_microseconds(chain.microseconds(told.event.at)) == told.event.at


@given(
    st.lists(st.one_of(st.text(max_size=4), st.sampled_from(["\0", "\ud800", "\udfff", "\\", '"', "\U0001f600"]))),
    st.booleans(),
    st.sampled_from(["what", "where", "command_id", "key", "value", "name", "address", "issuer"]),
)
def test_however_a_text_is_written_only_what_every_database_takes_is_recorded(
    texts: list[str], ascii_alone: bool, field: str
) -> None:
    text = "".join(texts)
    told = json.loads(messages.encode(GOOD))
    if field in ("key", "value"):
        told["detail"] = {text: "x"} if field == "key" else {"x": text}
    elif field == "name":
        told["who"]["user"] = {"id": "u1", "name": text}
    else:
        (told["who"] if field in told["who"] else told)[field] = text
    payload = json.dumps(told, ensure_ascii=ascii_alone).encode(errors="surrogatepass")
    arrival = arrivals.read("audit/hall", payload, START)
    assert arrival is not None
    recorded = json.dumps(json.loads(messages.encode(arrival.event)), ensure_ascii=False)
    recorded.encode()
    assert "\\u0000" not in recorded
    if "\0" in text:
        assert arrival.event.what == "audit:malformed"


def test_a_refused_event_is_named_so_that_its_producer_gets_a_receipt() -> None:
    for payload in (
        changed(seq=-1),
        changed(detail={"k": "v" * 20_000}),
        changed(detail={f"k{n}": "v" for n in range(33)}),
    ):
        told = arrivals.read("audit/hall", payload, START)
        assert told is not None
        assert told.instead_of == ("hall", "e1")
    for payload in (b"", b"{}", changed(id="a b")):
        told = arrivals.read("audit/hall", payload, START)
        assert told is not None
        assert told.instead_of is None


def test_a_refused_event_still_counts_as_heard_from_its_spool() -> None:
    told = arrivals.read("audit/hall", changed(detail={"k\0": "v"}), START)
    assert told is not None
    assert told.number == GOOD.seq
    for seq in (-1, 2**70, 0, "x"):
        told = arrivals.read("audit/hall", changed(seq=seq, detail={"k\0": "v"}), START)
        assert told is not None
        assert told.number is None


@pytest.mark.parametrize(
    ("source", "fields", "remarks"),
    [
        ("hall", {}, []),
        ("hall", {"at": START + 86300}, []),
        ("hall", {"at": START + 86500}, ["audit:from-future"]),
        ("hall", {"where": "hall"}, []),
        ("hall", {"where": "hallway/door"}, ["audit:not-its-own"]),
        ("hall", {"where": "garage/door", "at": START + 10**6}, ["audit:from-future", "audit:not-its-own"]),
        ("gateway", {"where": "garage/door"}, []),
        ("gateway", {"issuer": "gateway-2"}, ["audit:not-its-own"]),
        ("auth", {"where": "user/1", "issuer": "gateway"}, []),
    ],
)
def test_what_is_odd_is_recorded_as_a_claim_and_told(source: str, fields: dict[str, Any], remarks: list[str]) -> None:
    told = arrivals.read(f"audit/{source}", messages.encode(event(**fields)), START)
    assert told is not None
    assert told.source == source
    assert [remark.event.what for remark in told.remarks] == remarks
    assert all(remark.event.where == source for remark in told.remarks)
