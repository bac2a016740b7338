"""Whoever's certificate is about to end is told of 30, 7 and 1 days before, each time once, over restarts too."""

import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from deploy.pki.authorities import LEAF_DAYS, Authorities
from deploy.pki.index import Issued
from deploy.pki.pairs import Pki
from deploy.pki.vaulted import CA_DAYS
from deploy.signer.watch import Watch
from shared.proof.spool import Spool
from shared.words.messages import AuditEvent
from shared.words.names import Severity
from shared.words.problem import HomeError
from tests.unit.deploy.pki.test_pki import HOSTS, NOW


class Signer:
    """The watch over real authorities and a real spool; days go by hand, and it may be started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.woken = 0
        self.start()

    def start(self) -> None:
        self.spool = Spool(self.folder / "spool.sqlite3")
        self.watch = Watch(self.spool, self._newest, now=lambda: self.now, wake=self._wake)

    def again(self) -> None:
        self.spool.close()
        self.start()

    def sign(self, name: str, role: str = "room") -> Pki:
        made = Pki(self.folder, vault=self.folder / "vault", demo=False, now=self.now)
        made.ensure_authorities(HOSTS)
        made.ensure_client(name, role, folder=self.folder / f"{self.now:%j}-{self.now.year}")
        return made

    def on(self, day: float) -> list[tuple[str, str]]:
        """What is told on that day: of whom, and the days that are left."""
        self.now = NOW + dt.timedelta(days=day)
        before = {event.id for event in self.events()}
        self.watch.look()
        return [(event.where, event.detail["days"]) for event in self.events() if event.id not in before]

    def events(self) -> tuple[AuditEvent, ...]:
        return self.spool.pending(1000)

    def _newest(self) -> list[Issued]:
        return Authorities(self.folder / "vault", demo=False, now=self.now).newest()

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    made = Signer(tmp_path)
    made.sign("hall")
    return made


def test_a_room_that_never_renewed_is_told_of_three_times_and_never_again(signer: Signer) -> None:
    told = {}
    for hours in range(24 * (LEAF_DAYS + 20)):
        if hours % 6 == 0 and (said := signer.on(hours / 24)):
            told[hours / 24] = said
        if hours % 240 == 0:
            signer.again()
    assert list(told.values()) == [[("room/hall", str(days - 1))] for days in (30, 7, 1)]
    assert [LEAF_DAYS - day for day in told] == pytest.approx([30, 7, 1], abs=0.26)
    assert signer.woken == 3
    assert {event.severity for event in signer.events()} == {Severity.CRITICAL}
    assert all("homesystem room renew hall" in event.detail["step"] for event in signer.events())


def test_a_room_that_renewed_is_not_told_of(signer: Signer) -> None:
    for day in range(0, 800, 10):
        if day % 30 == 0:
            signer.now = NOW + dt.timedelta(days=day)
            signer.sign("hall")
        assert signer.on(day) == []


def test_the_letters_end_when_it_is_renewed_and_begin_anew_with_the_next_end(signer: Signer) -> None:
    assert len(signer.on(LEAF_DAYS - 20)) == 1
    signer.sign("hall")
    assert signer.on(LEAF_DAYS) == []
    assert signer.on(2 * LEAF_DAYS - 20.5) == [("room/hall", "0")]


def test_who_was_taken_back_is_not_told_of(signer: Signer) -> None:
    signer.sign("kitchen").revoke("kitchen")
    assert [where for where, _ in signer.on(LEAF_DAYS - 3)] == ["room/hall"]


def test_the_authorities_are_told_of_too(signer: Signer) -> None:
    signer.on(LEAF_DAYS)
    assert {where for where, _ in signer.on(CA_DAYS - 20)} == {"certificate/device-ca", "certificate/web-ca"}


def test_a_signer_that_was_off_for_months_tells_once(signer: Signer) -> None:
    assert signer.on(500) == [("room/hall", "0")]
    assert signer.on(501) == []


def test_what_cannot_be_written_is_told_when_it_can(signer: Signer) -> None:
    with sqlite3.connect(signer.folder / "spool.sqlite3") as file:
        file.execute("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(FAIL, 'full'); END")
    with pytest.raises(HomeError):
        signer.on(LEAF_DAYS - 3)
    with sqlite3.connect(signer.folder / "spool.sqlite3") as file:
        file.execute("DROP TRIGGER full")
    assert len(signer.on(LEAF_DAYS - 3)) == 1
