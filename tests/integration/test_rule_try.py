"""`homesystem rule try` as a person runs it, over a real home's database: what the rules would have told."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from alert_service.store import open_store
from alert_service.tables import deliveries, happenings, letters, notices
from deploy.folder import home as homes
from deploy.folder.home import Home
from tests import house
from tests.begun import begin_accounts
from tests.integration.test_audit_command import Command

DRAFT = """
[[rules]]
name = "garage left open"
what = "device:opened"
where = "garage/door-contact"
lasting = "10 min"

[[rules]]
name = "the bell"
what = "device:pressed"
where = "hall/dorbell"
unless = "somebody-at-home"

[[rules]]
name = "any bell"
what = "device:pressed"
unless = "somebody-at-home"
"""


@pytest.fixture(scope="module")
def var(home: Home) -> Path:
    """A home that was set up and runs nothing."""
    homes.lay_out(home)
    begin_accounts(home)
    house.seal(home)
    return home.var


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], var: Path) -> Command:
    return Command(monkeypatch, capsys, var)


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.toml"
    path.write_text(DRAFT, encoding="utf-8")
    return path


def of(what: str, place: str, seq: int, ago: float) -> dict[str, object]:
    at = round((time.time() - ago) * 1e6)
    room = place.partition("/")[0]
    made = {"source": room, "id": f"h{seq}", "seq": seq, "at": at, "until": at, "times": 1, "received_at": at}
    return made | {"what": what, "place": place, "room": room, "event": ""}


def put(var: Path, *some: dict[str, object]) -> None:
    async def do() -> None:
        store = await open_store(f"sqlite+aiosqlite:///{var}/data/alerts.sqlite3")
        async with store.write() as connection:
            if some:
                await connection.execute(insert(happenings), list(some))
        await store.close()

    asyncio.run(do())


def counts(var: Path) -> list[int]:
    async def do() -> list[int]:
        store = await open_store(f"sqlite+aiosqlite:///{var}/data/alerts.sqlite3")
        async with store.read() as connection:
            found = [
                (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (letters, deliveries, notices)
            ]
        await store.close()
        return found

    return asyncio.run(do())


def test_a_rule_is_tried_before_it_is_used(run: Command, var: Path, draft: Path) -> None:
    assert "never ran here" in run("rule", "try", "--rules", str(draft), code=1)
    put(var)
    assert "Nothing has happened yet that is kept" in run("rule", "try", "--rules", str(draft))
    day = 86400.0
    put(
        var,
        of("device:opened", "garage/door-contact", 1, 2 * day),
        of("device:closed", "garage/door-contact", 2, 2 * day - 14 * 60),
        of("device:opened", "garage/door-contact", 3, day),
        of("device:closed", "garage/door-contact", 4, day - 60),
        of("device:pressed", "hall/doorbell", 1, 3600),
        of("device:opened", "garage/door-contact", 5, 20 * day),
    )
    before = counts(var)
    said = run("rule", "try", "--rules", str(draft))
    assert counts(var) == before == [0, 0, 0]
    assert "5 happenings came" in said
    assert re.search(r"Door contact \(garage\) has been open for 10 minutes, since \d\d:\d\d( on .+)?\.", said)
    assert re.search(r"Door contact \(garage\) was closed again at \d\d:\d\d, after 14 minutes\.", said)
    assert "2 letters in" in said
    assert re.search(r"Doorbell \(hall\) was pressed at .*; unless somebody was at home", said)
    assert 'nothing was ever heard from "hall/dorbell"; did you mean "hall/doorbell"?' in said
    assert "3 letters in 20 days" in run("rule", "try", "--rules", str(draft), "--days", "30")


def test_a_draft_that_is_wrong_is_told_so(run: Command, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[[rules]]\nwhat = "device:pressed"\nlasting = "10 min"\nwhere = "x"\n', encoding="utf-8")
    said = run("rule", "try", "--rules", str(wrong), code=78)
    assert '"device:pressed" does not last' in said
    assert "no rule is on happenings" in run("rule", "try")
