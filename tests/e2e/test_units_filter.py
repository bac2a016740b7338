"""A day of the whole home under the system call filter of the units: whatever is forbidden is borne, and seen."""

import re
import uuid
from collections.abc import Iterator

import pytest

from tests import sandbox
from tests.demo import Demo, text_of
from tests.filtered_home import UNITS
from tests.house import until

BORNE = ("Passwords are checked at the service's own priority",)
"""What the code tries and does without, by the sentence that says so."""

pytestmark = pytest.mark.skipif(not sandbox.is_possible(), reason="needs systemd-analyze and libseccomp")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("filter"), module="tests.filtered_home")
    told = made.command("init", "--demo")
    assert told.returncode == 0, told.stderr
    made.start()
    yield made
    made.stop()


def test_all_units_have_one_filter() -> None:
    filters = {path.name: tuple(re.findall(r"(?m)^SystemCall\w+=.+$", path.read_text())) for path in UNITS}
    as_root = filters.pop("homesystem-backup.service")
    (others,) = set(filters.values())
    assert [line for line in as_root if line not in others] == ["SystemCallFilter=@setuid @chown"]


def test_people_sign_in_and_command_and_the_master_user_gets_the_letter(house: Demo) -> None:
    master = house.client("master")  # asks for a code, which needs the pool of passwords
    assert master.act("hall/lamp", "on").status == 200
    before, wish = len(house.letters()), str(uuid.uuid4())
    assert master.act("hall/front-door", "unlock", id=wish, confirm=True).status == 200
    assert until(lambda: [x for x in house.letters(after=before) if wish in text_of(x)], "the letter")


@pytest.mark.parametrize(
    "words",
    [
        ("rights",),
        ("room", "add", "attic", "--out", "{var}/attic"),
        ("room", "revoke", "attic"),
        ("client", "add", "tablet", "--may", "hall/lamp", "--out", "{var}/tablet"),
        ("client", "revoke", "tablet"),
        ("renew",),
        ("lockdown", "begin"),
        ("lockdown", "end"),
        ("audit", "verify"),
        ("user", "list"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_every_command_works(house: Demo, words: tuple[str, ...]) -> None:
    told = house.command(*(word.format(var=house.var) for word in words))
    assert told.returncode == 0, told.stdout + told.stderr


def test_rights_are_mended_with_the_broker_away(house: Demo) -> None:
    house.supervise("stop", "broker")
    path = house.home.mosquitto / "dynamic-security.json"
    path.write_text(path.read_text().replace('"audit/gateway"', '"audit/another"'))
    told = house.command("rights")
    house.supervise("start", "broker")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "gateway" in told.stdout


def test_services_that_are_killed_come_back(house: Demo) -> None:
    for name in ("auth", "alerts", "gateway", "agent-hall"):
        house.reborn(name, house.kill(name))
    until(lambda: house.command("doctor").returncode == 0, "all is well again")
    assert house.client("member").act("hall/lamp", "off").status == 200


def test_whatever_was_refused_was_borne_and_told(house: Demo) -> None:
    lines = [line for path in sorted((house.var / "log").glob("*.log")) for line in path.read_text().splitlines()]
    refused = [line for line in lines if "Operation not permitted" in line or "PermissionError" in line]
    assert refused, "the pool of passwords says so at least"
    assert [line for line in refused if not any(words in line for words in BORNE)] == []
