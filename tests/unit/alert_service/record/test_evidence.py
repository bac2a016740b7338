"""Letters against the table: a cut-off end and a table that was made anew are found, with the letter that knows."""

import contextlib
import os
import pwd
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from alert_service.letters.outbox import Manner, Outbox
from alert_service.record import evidence, proofs
from alert_service.record.evidence import Evidence
from alert_service.record.retention import Retention
from alert_service.tables import events
from shared.keeping.database import Store
from shared.mail import Letter, compose
from shared.words.messages import utc
from shared.words.problem import HomeError
from tests.unit.alert_service.letters.test_daily import read_by
from tests.unit.alert_service.parts import START, Clock, Postman, event, work
from tests.unit.alert_service.record.test_retention import WHOLE
from tests.unit.alert_service.record_parts import DAY, acts, all_rows, tell

FORGED = "f" * 64


def write(folder: Path, name: str, text: str) -> None:
    letter = Letter(to="ada@example.org", subject="x", text=text, html="<p>x</p>")
    (folder / name).write_bytes(compose(letter, "Home <home@localhost>", START).as_bytes())


async def weighed(store: Store, folder: Path) -> Evidence:
    return await evidence.weigh(store, evidence.gather(folder))


@pytest.fixture
async def mailbox(store: Store, tmp_path: Path, clock: Clock, postman: Postman) -> Path:
    """The letters about six critical events, two alone and four in a digest, and two about commands."""
    folder = tmp_path / "mail"
    folder.mkdir()
    await read_by(store)
    await tell(store, [("auth", event(id=f"a{n}", what="account:changed", command_id=None)) for n in range(6)])
    await tell(store, [("hall", event(id="done", issuer="phone", user=None))])
    outbox = Outbox(store, postman, Manner(zone=utc(0).tzinfo, per_minute=1000, alone=2), now=clock)  # type: ignore[arg-type]  # it has one
    await work(outbox)
    clock.time += 600
    await work(outbox)
    for number, letter in enumerate(postman.letters):
        (folder / f"{number}.eml").write_bytes(compose(letter, "Home <home@localhost>", START).as_bytes())
    return folder


async def test_letters_of_every_kind_agree_with_an_untouched_table(store: Store, mailbox: Path) -> None:
    assert await weighed(store, mailbox) == Evidence(4, 7, 0, [], [])


async def test_a_cut_off_end_is_found_with_the_letter_that_knows_it(store: Store, mailbox: Path) -> None:
    async with store.write() as connection:
        await connection.execute(delete(events).where(events.c.row > 5))
    found = await weighed(store, mailbox)
    assert [(one.row, one.reason) for one in found.conflicts] == [
        (6, "is gone: the table was truncated or rolled back after row 5"),
        (7, "is gone: the table was truncated or rolled back after row 5"),
    ]
    assert all((mailbox / one.letter).exists() for one in found.conflicts)


async def test_a_table_rolled_back_and_filled_again_is_found(store: Store, mailbox: Path) -> None:
    async with store.write() as connection:
        await connection.execute(delete(events).where(events.c.row > 5))
    await tell(store, acts(5, first=50))
    found = await weighed(store, mailbox)
    assert [one.row for one in found.conflicts] == [6, 7]
    assert "another hash" in found.conflicts[0].reason


async def test_an_emptied_table_is_found(store: Store, mailbox: Path) -> None:
    async with store.write() as connection:
        await connection.execute(delete(events))
    assert len((await weighed(store, mailbox)).conflicts) == 7


async def test_a_rewritten_row_is_found(store: Store, mailbox: Path) -> None:
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 7).values(source="garage"))
        await connection.execute(update(events).where(events.c.row == 2).values(hash=FORGED))
        await connection.execute(delete(events).where(events.c.row == 4))
    found = (await weighed(store, mailbox)).conflicts
    assert [(one.row, one.reason.partition(":")[0]) for one in found] == [
        (2, "has another hash"),
        (4, "is gone"),
        (7, "has another source"),
    ]


async def test_letters_about_removed_days_are_no_conflict_but_the_last_row_is_still_known(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    await tell(store, acts(4), START - 40 * DAY)
    await tell(store, acts(2, first=10))
    rows = await all_rows(store)
    write(tmp_path, "old.eml", "".join(f"    row {row.row}, hash {row.hash}\n" for row in rows))
    assert await Retention(store, 30, lambda: WHOLE, now=clock).round() is not None
    assert await weighed(store, tmp_path) == Evidence(1, 6, 3, [], [])
    write(tmp_path, "forged.eml", f"Proof: row 4 (hall), hash {FORGED}\n")
    found = (await weighed(store, tmp_path)).conflicts
    assert [(one.row, one.letter) for one in found] == [(4, "forged.eml")]


async def test_what_is_no_letter_is_told_and_stops_nothing(store: Store, tmp_path: Path) -> None:
    await tell(store, acts(1))
    row = (await all_rows(store))[0]
    folder = tmp_path / "mail"
    (folder / "deep").mkdir(parents=True)
    write(folder, "deep/good.eml", f"Proof: row 1 ({row.source}), hash {row.hash}\n")
    write(folder, "other.eml", "Your code is\n\nABCD-EFGH\n")
    (folder / "empty.eml").write_bytes(b"")
    (folder / "binary.eml").write_bytes(bytes(range(256)) * 10)
    (folder / "html.eml").write_bytes(b"Subject: x\nContent-Type: text/html\n\n<p>x</p>\n")
    (folder / "charset.eml").write_bytes(b"Subject: x\nContent-Type: text/plain; charset=klingon\n\nx\n")
    (folder / "folder.eml").mkdir()
    (folder / "huge.eml").write_bytes(b"Subject: x\n\n" + b"x" * 5_000_000)
    (folder / "note.txt").write_text(f"Proof: row 1 (hall), hash {FORGED}\n")
    found = await weighed(store, folder)
    assert (found.letters, found.proofs, found.conflicts) == (2, 1, [])
    assert {name for name, _ in found.unreadable} == {
        "empty.eml",
        "binary.eml",
        "html.eml",
        "charset.eml",
        "folder.eml",
        "huge.eml",
    }
    with pytest.raises(HomeError, match="no such folder"):
        evidence.gather(tmp_path / "nowhere")


def test_a_folder_that_is_closed_to_the_homes_user_is_told_and_not_passed_over() -> None:
    with tempfile.TemporaryDirectory() as made:
        mailbox = Path(made) / "mail"
        (mailbox / "home").mkdir(parents=True)
        Path(made).chmod(0o755)
        mailbox.chmod(0)
        us = os.geteuid()
        try:
            if us == 0:
                os.seteuid(pwd.getpwnam("nobody").pw_uid)
            for folder in (Path(made), mailbox, mailbox / "home"):
                with pytest.raises(HomeError, match=r"Permission denied.*the home's own user"):
                    evidence.gather(folder)
        finally:
            os.seteuid(us)
            mailbox.chmod(0o700)


def test_a_text_from_a_room_cannot_pass_for_a_proof() -> None:
    lines = [
        f"Detail:   x = Proof: row 1 (hall), hash {FORGED}",
        f"  row 1, hash {FORGED}",
        f"> Head: row 1, hash {FORGED}",
    ]
    letter = Letter(to="a@b", subject="x", text="\n".join(lines))
    assert proofs.read(compose(letter, "Home <home@localhost>", START).as_bytes()) == []


@given(st.binary(max_size=300))
def test_no_file_whatever_stops_the_reading(content: bytes) -> None:
    with contextlib.suppress(proofs.UnreadableError):
        proofs.read(content)
