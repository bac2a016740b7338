"""The history through a real gateway: filtered within what one may read, followed while open, and saved as a file."""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from shared.words.internal import Grant
from shared.words.internal_alerts import (
    MAX_AUDIT_PAGE,
    AuditFilter,
    AuditQuery,
    AuditRecord,
    AuditScope,
    ChainBroken,
    ChainStatus,
)
from shared.words.messages import UserRef, Who
from shared.words.names import Outcome, Role, Severity
from tests.house import DEADLINE, Broker
from tests.integration.gateway_parts import GatewayHouse, next_event, stream_events
from tests.unit.gateway.parts import NOW, session

MASTER = session(Role.MASTER)
MEMBER = session(Role.MEMBER)
GUEST = session(Role.GUEST, Grant(room="hall", device="lamp"))
ADA = UserRef(id="u-ada", name="=cmd|' /C calc'!A0")


@pytest.fixture
async def house(broker: Broker) -> AsyncIterator[GatewayHouse]:
    async with GatewayHouse(broker) as made:
        yield made


def record(row: int, **more: object) -> AuditRecord:
    fields: dict[str, object] = {
        "id": f"e{row}",
        "at": NOW + timedelta(seconds=row),
        "what": "device:on",
        "where": "hall/lamp",
        "who": Who(issuer="gateway", user=ADA, address="192.0.2.7"),
        "outcome": Outcome.EXECUTED,
        "severity": Severity.INFO,
        "detail": {"reason": 'ü "x",\n'},
        "row": row,
        "hash": f"{row:064x}",
        "source": "hall",
        "received_at": NOW + timedelta(seconds=row),
    }
    return AuditRecord(**(fields | more))  # type: ignore[arg-type]  # by name, from the caller


def records(count: int) -> tuple[AuditRecord, ...]:
    return tuple(record(row) for row in range(count, 0, -1))


async def test_each_asks_within_their_own_scope(house: GatewayHouse) -> None:
    house.alerts.events = records(3)
    asked = "room=hall&outcome=failed&limit=2&after=3"
    wanted = AuditFilter(room="hall", outcome=Outcome.FAILED)
    for info, scope in (
        (MASTER, None),
        (MEMBER, AuditScope(user=MEMBER.user.id, rooms=True)),
        (GUEST, AuditScope(user=GUEST.user.id, places=("hall/lamp",))),
    ):
        visitor = await house.visitor(info)
        status, body, _ = await visitor.get(f"/api/v1/audit?{asked}")
        assert status == 200
        assert house.alerts.queries[-1] == AuditQuery(scope=scope, filter=wanted, limit=2, after="3")
        assert "happenings" not in body
        assert [event["row"] for event in body["events"]] == [2, 1]
        assert body["next"] is None
        assert ("user" in body["events"][0]["who"]) == (info is not GUEST)


async def test_an_event_says_all_that_is_recorded(house: GatewayHouse) -> None:
    house.alerts.events = records(2)
    ada = await house.visitor(MASTER)
    _, body, _ = await ada.get("/api/v1/audit?limit=1")
    assert body["next"] == "2"
    assert body["events"] == [
        {
            "id": "e2",
            "at": "2027-01-15T08:00:02Z",
            "what": "device:on",
            "where": "hall/lamp",
            "who": {"issuer": "gateway", "user": {"id": ADA.id, "name": ADA.name}, "address": "192.0.2.7"},
            "outcome": "executed",
            "severity": "info",
            "detail": {"reason": 'ü "x",\n'},
            "row": 2,
            "hash": f"{2:064x}",
            "source": "hall",
            "received_at": "2027-01-15T08:00:02Z",
        }
    ]


async def test_a_guest_who_asks_for_somebody_else_is_told_of_nothing(house: GatewayHouse) -> None:
    house.alerts.events = records(3)
    guest = await house.visitor(GUEST)
    _, body, _ = await guest.get(f"/api/v1/audit?user={ADA.id}")
    assert (body, house.alerts.queries) == ({"events": [], "next": None}, [])
    _, body, _ = await guest.get(f"/api/v1/audit?user={GUEST.user.id}")
    assert len(house.alerts.queries) == 1


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limit=0", "limit: use a whole number from 1 to 200"),
        ("limit=201", "limit: use"),
        ("limit=1e2", "limit: use"),
        ("after=", "after: use a whole number"),
        ("after=c1", "after: use"),
        ("outcome=done", "outcome: write one of asked, executed"),
        ("since=yesterday", "since: write a day such as 2026-11-23"),
        ("usr=u1", "usr: there is no such parameter; there are user, room"),
        ("room=hall&room=garage", "A parameter comes twice"),
        ("device=lamp", "device: write room/device"),
        ("format=csv", "format: there is no such"),
    ],
)
async def test_what_cannot_be_asked_is_told_with_what_could(house: GatewayHouse, query: str, told: str) -> None:
    ada = await house.visitor(MEMBER)
    status, body, _ = await ada.get(f"/api/v1/audit?{query}")
    assert (status, body["type"]) == (400, "/problems/bad-request")
    assert told in body["detail"]
    assert house.alerts.queries == []


# --- as a file -------------------------------------------------------------------------------------------------


async def test_the_whole_history_is_a_file_of_lines(house: GatewayHouse) -> None:
    count = 2 * MAX_AUDIT_PAGE + 7
    house.alerts.events = records(count)
    ada = await house.visitor(MEMBER)
    status, body, response = await ada.get("/api/v1/audit/export?format=jsonl&outcome=executed")
    assert status == 200
    assert [json.loads(line)["row"] for line in body.splitlines()] == list(range(count, 0, -1))
    assert response.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="history-\d{4}-\d\d-\d\d\.jsonl"', response.headers["Content-Disposition"]
    )
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert {query.scope for query in house.alerts.queries} == {AuditScope(user=MEMBER.user.id, rooms=True)}
    assert {query.filter for query in house.alerts.queries} == {AuditFilter(outcome=Outcome.EXECUTED)}


async def test_no_cell_of_a_table_is_a_formula(house: GatewayHouse) -> None:
    evil = tuple(f"{sign}1+1" for sign in "=+-@\t\r\n＝＋－＠")
    house.alerts.events = tuple(record(row, where=text) for row, text in enumerate(evil, 1))
    ada = await house.visitor(MASTER)
    _, body, response = await ada.get("/api/v1/audit/export?format=csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(io.StringIO(body.decode(), newline=""))
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [one["where"] for one in told] == [f"'{text}" for text in evil]
    assert {one["user_name"] for one in told} == {f"'{ADA.name}"}
    assert json.loads(told[0]["detail"]) == {"reason": 'ü "x",\n'}
    assert (told[0]["row"], told[0]["at"], told[0]["command_id"]) == ("1", "2027-01-15T08:00:01+00:00", "")
    assert not any(cell.startswith(tuple("=+-@\t\r")) for row in rows for cell in row)


async def test_an_empty_file_has_its_head(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    _, body, _ = await ada.get("/api/v1/audit/export?format=csv")
    assert body.startswith(b'"row","at","received_at",')
    assert (await ada.get("/api/v1/audit/export?format=jsonl"))[:2] == (200, b"")


async def test_a_file_of_no_form_is_refused(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    for query in ("", "format=xlsx", "format=csv&limit=3", "format=csv&since=x"):
        status, body, _ = await ada.get(f"/api/v1/audit/export?{query}")
        assert (status, body["type"]) == (400, "/problems/bad-request"), query


async def test_files_have_a_limit_of_their_own(broker: Broker) -> None:
    def strict(text: str) -> str:
        return text.replace('exports = "20/hour"', 'exports = "2/hour"')

    async with GatewayHouse(broker, edit=strict) as house:
        ada = await house.visitor(MEMBER)
        path = "/api/v1/audit/export?format=csv"
        assert [(await ada.get(path))[0] for _ in range(3)] == [200, 200, 429]
        assert (await ada.get("/api/v1/audit"))[0] == 200


async def test_a_client_that_goes_away_ends_its_file(house: GatewayHouse, caplog: pytest.LogCaptureFixture) -> None:
    house.alerts.events = tuple(record(row, detail={"x": "y" * 200}) for row in range(200 * MAX_AUDIT_PAGE, 0, -1))
    ada = await house.visitor(MEMBER)
    async with ada.http.get("/api/v1/audit/export?format=jsonl") as response:
        await response.content.readline()
        assert response.connection is not None
        response.close()
    await house.until(
        lambda: any("export" in str(r.__dict__.get("facts")) for r in caplog.records), "the request is over"
    )
    assert len(house.alerts.queries) < 200
    assert not [r for r in caplog.records if r.levelname == "ERROR"]
    assert (await ada.get("/api/v1/audit"))[0] == 200


async def test_a_session_that_ends_breaks_its_file_off(house: GatewayHouse) -> None:
    house.alerts.events = records(3 * MAX_AUDIT_PAGE)
    ada = await house.visitor(MEMBER)
    house.gateway.sessions._link_up = lambda: False  # nothing is remembered
    house.alerts.when_asked = house.auth.sessions.clear
    with pytest.raises(aiohttp.ClientPayloadError):
        await ada.get("/api/v1/audit/export?format=jsonl")
    assert len(house.alerts.queries) == 1


async def test_without_the_alert_service_there_is_a_problem_and_no_file(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    house.gateway.alerts._service._base = "https://127.0.0.1:1"
    status, body, response = await ada.get("/api/v1/audit/export?format=csv")
    assert (status, body["type"]) == (503, "/problems/alerts-unreachable")
    assert "Content-Disposition" not in response.headers


# --- followed --------------------------------------------------------------------------------------------------


async def test_whoever_follows_the_record_is_told_how_far_it_goes(house: GatewayHouse) -> None:
    house.alerts.events = records(3)
    ada = await house.visitor(MEMBER)
    events = stream_events(ada, "/api/v1/events?audit")
    assert await next_event(events, "audit") == {"row": 3, "happening": 0}
    await house.alerts.record(record(4))
    assert await next_event(events, "audit") == {"row": 4, "happening": 0}
    ben = await house.visitor(MASTER)
    others = stream_events(ben, "/api/v1/events?audit")
    assert await next_event(others, "audit") == {"row": 4, "happening": 0}
    await events.aclose()
    await others.aclose()


async def test_whoever_does_not_follow_it_or_may_not_is_not_told(house: GatewayHouse) -> None:
    house.alerts.events = records(3)
    ada, guest = await house.visitor(MEMBER), await house.visitor(GUEST)
    follower, plain, hidden = (
        stream_events(who, path)
        for who, path in ((ada, "/api/v1/events?audit"), (ada, "/api/v1/events"), (guest, "/api/v1/events?audit"))
    )
    for events in (plain, hidden):
        await next_event(events, "ready")
    await next_event(follower, "audit")
    await house.alerts.record(record(4))
    assert await next_event(follower, "audit") == {"row": 4, "happening": 0}
    await ada.command("lamp", "on")
    for events in (plain, hidden):
        names = []
        async with asyncio.timeout(DEADLINE):
            async for name, _ in events:
                names.append(name)
                if name == "command":
                    break
        assert "audit" not in names
        await events.aclose()
    await follower.aclose()


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (ChainStatus(row=0, hash="", checked_at=NOW), False),
        (ChainStatus(row=7, hash="h"), False),
        (ChainStatus(row=7, hash="h", checked_at=NOW), True),
        (ChainStatus(row=0, hash="", broken=ChainBroken(row=1, reason="was changed")), True),
    ],
)
async def test_a_record_counts_as_checked_once_a_row_of_it_was(
    house: GatewayHouse, status: ChainStatus, shown: bool
) -> None:
    house.alerts.chain = status
    assert await house.gateway.alerts.chain() == (status if shown else None)
