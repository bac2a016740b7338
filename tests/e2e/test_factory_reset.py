"""The house is given away: nobody erases it by mistake, its owners are told, nothing is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import Demo
from tests.house import SmtpSink, until


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path / "home", warm=True)
    assert made.command("init", "--demo").returncode == 0
    yield made
    if made.runs:
        made.stop()


def test_a_home_is_erased_once_its_owners_are_told_and_another_can_begin(house: Demo, smtp_sink: SmtpSink) -> None:
    house.start()
    master = house.client("master")
    assert master.act("hall/front-door", "unlock", confirm=True).status == 200
    until(lambda: "hall/front-door" in str(master.call("GET", "/api/v1/audit").body), "the act is in the record")
    refused = house.command("factory-reset", "--erase", "localhost")
    assert "The home runs" in refused.stderr
    house.stop()
    as_a_household_has_it(house, smtp_sink.port)

    asked = house.command("factory-reset")
    assert asked.returncode == 1
    assert "--erase localhost" in asked.stderr
    assert "- 3 people" in asked.stdout
    assert "garage, hall, kitchen" in asked.stdout
    mistaken = house.command("factory-reset", "--erase", "hub.example.org")
    assert "nothing was erased" in mistaken.stderr
    assert (house.var / "home.toml").exists()
    assert smtp_sink.letters == []

    owner = house.users()["master"]["email"]
    told = house.command("factory-reset", "--erase", "localhost")
    assert told.returncode == 0, told.stdout + told.stderr
    assert owner in told.stdout
    assert list(house.var.iterdir()) == []
    (letter,) = smtp_sink.letters
    assert letter["To"] == owner
    assert "The home on localhost is being erased" in letter["Subject"]
    assert "Its record ended with row" in letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]

    assert "there is no home here" in house.command("doctor").stderr
    assert house.command("init", "--demo").returncode == 0


def test_without_a_letter_nothing_is_erased_unless_one_says_so(house: Demo) -> None:
    as_a_household_has_it(house, house.ports["SMTP"])
    refused = house.command("factory-reset", "--erase", "localhost")
    assert refused.returncode == 1
    assert "--no-letters goes on without" in refused.stderr
    assert (house.var / "home.toml").exists()
    told = house.command("factory-reset", "--erase", "localhost", "--no-letters")
    assert told.returncode == 0, told.stdout + told.stderr
    assert list(house.var.iterdir()) == []


def test_a_home_that_is_being_erased_is_no_home_until_that_is_done(house: Demo) -> None:
    (house.var / "factory-reset.unfinished").write_text("")
    for command in (["up"], ["user", "list"], ["init", "--demo"]):
        said = house.command(*command)
        assert said.returncode != 0
        assert "run `homesystem factory-reset` again" in said.stderr, command
    assert house.command("factory-reset").returncode == 0, "what was begun is finished unasked"
    assert list(house.var.iterdir()) == []


def test_accounts_that_cannot_be_read_keep_nobody_from_erasing(house: Demo) -> None:
    (house.var / "data" / "auth.sqlite3").write_bytes(b"torn" * 2_000)
    as_a_household_has_it(house, house.ports["SMTP"])
    refused = house.command("factory-reset", "--erase", "localhost")
    assert "Not readable, and erased all the same: the accounts" in refused.stdout
    assert "Nobody is known to write to" in refused.stderr
    told = house.command("factory-reset", "--erase", "localhost", "--no-letters")
    assert told.returncode == 0, told.stdout + told.stderr


def as_a_household_has_it(house: Demo, port: int) -> None:
    """No demo any more, whose mailbox goes with it: letters go to a server of somebody else's."""
    settings = house.var / "home.toml"
    assert "demo = true" in settings.read_text()
    settings.write_text(settings.read_text().replace("demo = true", "demo = false"))
    house.ports["SMTP"] = port
