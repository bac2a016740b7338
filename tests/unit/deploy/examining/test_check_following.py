"""The doctor, while another device authority follows: who is behind, and for how long that may go on."""

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from deploy.authority import rotating
from deploy.enrolling import enrol
from deploy.examining import check_ends, check_files
from deploy.examining.check_ends import FOLLOW_DAYS
from deploy.folder.home import Home
from deploy.pki.vaulted import CA_DAYS
from tests.begun import begin_accounts, home_that_never_ran

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = home_that_never_ran(tmp_path / "home", monkeypatch)
    begin_accounts(made)
    asyncio.run(enrol.add_client(made, "phone", [], tmp_path / "phone"))
    return made


def found(home: Home, days: float = 0) -> list[tuple[str, str]]:
    return [(one.state, one.text) for one in check_ends.following(home, NOW + dt.timedelta(days=days))]


def test_it_says_who_is_behind_and_that_it_has_been_going_on_for_too_long(home: Home, tmp_path: Path) -> None:
    assert found(home) == []
    rotating.begin(home)
    (told,) = found(home, days=0.5)
    assert told == ("well", "another device authority has been following for 0 days; not yet: client phone")
    ((state, text),) = found(home, FOLLOW_DAYS + 1)
    assert state == "wrong"
    assert "these have not: client phone" in text
    asyncio.run(enrol.renew(home, "phone", "client", tmp_path / "phone-2"))
    ((state, text),) = found(home)
    assert (state, "everybody has followed" in text) == ("well", True)
    rotating.end(home)
    assert found(home) == []


def test_an_end_that_was_interrupted_is_to_be_finished(home: Home) -> None:
    rotating.begin(home)
    (home.var / rotating.ENDING).write_text('[["phone","client"]]')
    ((state, text),) = found(home)
    assert (state, "was interrupted" in text) == ("wrong", True)
    assert rotating.go_on(home)
    assert found(home) == []


def test_whoever_was_left_behind_is_named_with_what_brings_it_back(home: Home) -> None:
    rotating.begin(home)
    rotating.end(home, without=["phone"])
    told = [one for one in check_ends.ends(home, NOW + dt.timedelta(days=1)) if one.state == "wrong"]
    assert [(one.text, one.step) for one in told] == [
        ("client phone: its certificate has ended 1 days ago", "`homesystem client renew phone`")
    ]


def test_an_authority_that_ends_is_to_be_followed_while_there_is_time(home: Home) -> None:
    told = check_files.certificates(home, NOW + dt.timedelta(days=CA_DAYS - 100))
    steps = {one.text.partition(" ")[0]: one.step for one in told if one.state == "wrong"}
    assert steps["device-ca.crt"].startswith("`homesystem authority rotate`")
