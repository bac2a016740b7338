"""The pages tell the master user when letters do not arrive, since mail itself cannot, and do not wait for it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.inside import alerts_client
from gateway.inside.alerts_client import AlertsClient
from gateway.pages.mail_notice import notice
from shared.door.client import AlertsAddress, ServiceClient
from shared.trust import tls
from shared.words import internal
from shared.words.internal_alerts import AlertsReady, ChainStatus, MailStatus
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway.pages.house import open_house

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def status(
    *, since: datetime | None = None, waiting: int = 0, refused: int = 0, known: bool = True, failure: str | None = None
) -> MailStatus:
    return MailStatus(
        letters_waiting=waiting, letters_refused=refused, recipients_known=known, failing_since=since, failure=failure
    )


def test_it_is_told_at_once_and_the_gravest_first() -> None:
    assert notice(status(), NOW) is None
    first = notice(status(since=NOW, waiting=3, failure="Connect call failed ('127.0.0.1', 25)"), NOW)
    assert first is not None, "at once: whoever is locked out by it cannot wait for an hour"
    assert (first.tone, "No letter goes out since" in first.title, "127.0.0.1" in first.text) == ("unsure", True, False)
    assert notice(status(known=False), NOW) is None
    long = notice(status(since=NOW - timedelta(days=1), waiting=3, refused=1, failure="refused\u202e<b>"), NOW)
    assert long is not None
    assert long.tone == "bad"
    assert "Sunday 22 November 2026" in long.title
    assert "3 wait." in long.text
    assert "\u202e" not in long.text
    refused = notice(status(refused=2), NOW)
    assert refused is not None
    assert "refuses letters for good" in refused.title
    nobody = notice(status(known=False, waiting=1), NOW)
    assert nobody is not None
    assert "Nobody is known" in nobody.title


@pytest.mark.parametrize("path", ["/", "/house"])
async def test_what_is_our_own_word_is_said_in_the_pages_language(path: str) -> None:
    refused = tls.explain(ConnectionRefusedError(111, "Connection refused"))
    async with open_house() as house:
        house.alerts.status = status(since=datetime(2026, 1, 1, tzinfo=UTC), waiting=3, failure=refused)
        await house.sign_in(Role.MASTER)
        german = (await house.get(path, **{"Accept-Language": "de"})).text
        assert "dort lauscht nichts: läuft er, und stimmt der Port?" in german
        assert "nothing listens" not in german
        assert "Er sagt" not in german, "who is not reached says nothing"
        house.alerts.status = status(since=datetime(2026, 1, 1, tzinfo=UTC), waiting=3, failure="450 come back")
        assert "450 come back" in (await house.get(path, **{"Accept-Language": "de"})).text


@pytest.mark.parametrize("path", ["/", "/history"])
async def test_the_master_user_sees_it_and_nobody_else(path: str) -> None:
    async with open_house() as house:
        house.alerts.status = status(since=datetime(2026, 1, 1, tzinfo=UTC), waiting=3, failure="<b>away</b>")
        await house.sign_in(Role.MASTER)
        page = await house.get(path)
        assert "No letter goes out since Thursday 1 January 2026" in page.text
        assert "<b>" not in page.body
        for role in (Role.MEMBER, Role.GUEST):
            await house.sign_in(role)
            assert "No letter goes out" not in (await house.get(path)).text
        await house.sign_in(Role.MASTER)
        for fine in (status(), None):
            house.alerts.status = fine
            assert "No letter goes out" not in (await house.get(path)).text


class Service:
    """Stands for the alert service behind its client."""

    def __init__(self) -> None:
        self.calls = 0
        self.answer: AlertsReady | HomeError | None = None

    async def call(self, method: str, path: str, _kind: type[Any]) -> AlertsReady:
        assert (method, path) == ("GET", internal.READY)
        self.calls += 1
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, HomeError):
            raise self.answer
        assert self.answer is not None
        return self.answer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    monkeypatch.setattr(ServiceClient, "__init__", lambda *_, **__: None)
    monkeypatch.setattr(ServiceClient, "call", lambda _self, *arguments: made.call(*arguments))
    return made


def client() -> AlertsClient:
    return AlertsClient(AlertsAddress(port=1), tls.Identity(ca=Path("a"), certificate=Path("b"), key=Path("c")))


async def test_it_is_asked_once_in_some_seconds_and_never_for_long(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts_client, "MAIL_PATIENCE_SECONDS", 0.01)
    asked = client()
    assert await asked.mail() is None  # no answer in time
    service.answer = AlertsReady(broker=True, recording=True, chain=ChainStatus(row=0, hash=""), mail=status(refused=1))
    assert await asked.mail() is None
    assert service.calls == 1
    monkeypatch.setattr(alerts_client, "MAIL_FRESH_SECONDS", 0.0)
    assert await asked.mail() == status(refused=1)
    service.answer = HomeError("alerts-unreachable")
    assert await asked.mail() is None
