"""A critical command's id is known in the spool's file: from its intent on, over restarts, and for a week."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from gateway.acting.proof import Proof
from gateway.acting.used import TABLE, Used
from gateway.acting.wish import Wish
from gateway.picture.devices import device_of
from shared.proof.spool import KEPT_SECONDS, Spool
from shared.words.messages import UserRef
from shared.words.names import Action, Outcome
from shared.words.problem import HomeError
from tests.unit.gateway.parts import BLIND, DOOR, registered


def wish(id_: str = "a", *, user: str = "u-ada") -> Wish:
    return Wish(
        id=id_,
        user=UserRef(id=user, name="Ada"),
        device=device_of("hall", registered(DOOR), DOOR),
        action=Action.UNLOCK,
        value=None,
        origin="192.0.2.7",
        issued_at=0.0,
    )


def blind(value: int) -> Wish:
    device = msgspec.structs.replace(device_of("hall", registered(BLIND), BLIND), critical=True)
    return msgspec.structs.replace(wish(), device=device, action=Action.SET, value=value)


class File:
    """A gateway's spool that can be opened anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.time = 1_800_000_000.0
        self.open()

    def open(self) -> None:
        self.spool = Spool(self.path, kept=(TABLE,))
        self.used = Used(self.spool, now=lambda: self.time)
        self.proof = Proof(self.spool, issuer="gateway", urgent=lambda _events: None)

    def claim(self, one: Wish, *, late: bool = False, again: bool = False) -> str:
        written = self.used.claim(one, self.proof.event(one, Outcome.ASKED), late=late, again=again)
        assert bool(written.events) is not (written.is_used or written.is_late)
        return "used" if written.is_used else "late" if written.is_late else "written"

    @property
    def intents(self) -> int:
        return len(self.spool.pending(100))


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "spool.sqlite3")


def test_an_id_is_used_from_its_intent_on_and_after_a_restart(file: File) -> None:
    assert file.claim(wish()) == "written"
    assert file.claim(wish()) == "used"
    file.spool.close()
    file.open()
    assert file.claim(wish()) == "used"
    assert file.claim(wish("b")) == file.claim(wish(user="u-ben")) == "written"
    assert file.intents == 3


def test_a_late_wish_is_written_only_to_be_told_that_its_id_is_used(file: File) -> None:
    assert file.claim(wish(), late=True) == "late"
    assert file.intents == 0
    file.claim(wish())
    assert file.claim(wish(), late=True) == "used"


def test_an_id_serves_one_wish(file: File) -> None:
    file.claim(blind(40))
    assert file.claim(blind(40)) == "used"
    with pytest.raises(HomeError, match="id-reused"):
        file.claim(blind(41))
    assert file.intents == 1


def test_what_was_not_sent_is_written_again(file: File) -> None:
    file.claim(wish())
    assert file.claim(wish(), again=True) == "written"
    assert file.intents == 2


def test_an_id_is_known_as_long_as_the_spool_keeps_what_it_told(file: File) -> None:
    file.claim(wish())
    file.time += KEPT_SECONDS - 1
    file.claim(wish("b"))
    assert file.claim(wish()) == "used"
    file.time += 2
    file.claim(wish("c"))
    assert file.claim(wish()) == "written"


def test_what_an_earlier_version_told_counts(file: File) -> None:
    door, level = file.proof.event(wish(), Outcome.ASKED), file.proof.event(blind(40), Outcome.ASKED)
    refused = file.proof.event(wish("b"), Outcome.REJECTED)
    file.spool.append(door, msgspec.structs.replace(level, command_id="l"), refused, durable=True)
    assert file.claim(wish()) == "used"
    assert file.claim(msgspec.structs.replace(blind(40), id="l")) == "used"
    assert file.claim(wish("b")) == "written"


def test_a_spoilt_event_hides_no_other(file: File) -> None:
    file.spool.append(file.proof.event(wish("b"), Outcome.ASKED), file.proof.event(wish(), Outcome.ASKED), durable=True)
    with sqlite3.connect(file.path) as other:
        other.execute("UPDATE event SET body = '{' WHERE seq = (SELECT min(seq) FROM event)")
    other.close()
    assert file.claim(wish()) == "used"
