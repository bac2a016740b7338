"""A renewal as the agent does it, on a link that hears and real files: what it asks, takes, and gives up."""

from pathlib import Path

import pytest

from device_agents.link.renewal import ASK_MOST_SECONDS, LOOK_SECONDS, SOON_SECONDS, TRIES, Renewal, Renewed
from shared.trust.authority import fingerprints
from shared.words import messages, topics
from shared.words.problem import HomeError
from shared.words.renewing import Authorities, Certificate, Csr
from shared.words.topics import TopicKind
from tests.unit.device_agents.fakes import FakeLink
from tests.unit.device_agents.link.test_pair import Pi


class Bench:
    """A room whose certificate is `age` days old; with 31 it has a request waiting. Its loop is turned by hand."""

    def __init__(self, folder: Path, *, age: int = 31) -> None:
        self.pi = Pi(folder, age=age)
        self.pi.renew()
        self.pair = self.pi.pair()
        self.link = FakeLink()
        self.items: list[Renewed] = []
        self.now = 100.0
        self.renewal = Renewal(self.pair, "hall", self.link, self.items.append)
        self.renewal.born(self.now)
        self.turn()

    def turn(self, seconds: float = 0.0) -> None:
        """The loop looks when it is told to, and once more when the disk is done."""
        end = self.now + seconds
        while (due := self.renewal.deadline()) < end:
            self.now = max(self.now, due)
            self.renewal.tick(self.now)
        self.now = end
        self.renewal.tick(self.now)
        self.settle()
        self.renewal.tick(self.now)
        self.settle()

    def settle(self) -> None:
        thread = self.renewal._thread
        if thread is not None:
            thread.join()

    def asked(self) -> list[str]:
        return [csr.csr for csr in self.link.heard(Csr, topics.csr("hall"))]

    def hear(self, certificate: str) -> Renewed:
        self.renewal.hear(TopicKind.CERTIFICATE, messages.encode(Certificate(certificate=certificate)))
        self.settle()
        return self.items.pop()

    def renew(self) -> None:
        self.renewal.took(self.hear(self.pi.answer()))
        self.link.up = False


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_waits_is_asked_for_at_once_and_then_ever_more_seldom(bench: Bench) -> None:
    csr = bench.pair.request()
    assert bench.asked() == [csr]
    seconds = []
    for _ in range(40):
        before, at = len(bench.asked()), bench.now
        while len(bench.asked()) == before:
            bench.turn(LOOK_SECONDS)
        seconds.append(bench.now - at)
    assert set(bench.asked()) == {csr}
    assert max(seconds) <= ASK_MOST_SECONDS + LOOK_SECONDS
    assert min(seconds[10:]) >= ASK_MOST_SECONDS / 2
    assert seconds[0] <= 2 * LOOK_SECONDS


def test_every_new_link_and_every_new_request_is_asked_with_at_once(bench: Bench) -> None:
    bench.turn(86400)
    before = len(bench.asked())
    bench.renewal.born(bench.now)
    bench.turn()
    assert len(bench.asked()) == before + 1
    bench.pair.csr.unlink()
    bench.pi.renew()
    bench.turn(LOOK_SECONDS)
    assert bench.asked()[-1] == bench.pair.request() != bench.asked()[0]


def test_without_a_link_or_a_request_nothing_is_asked(bench: Bench) -> None:
    said = len(bench.link.said)
    bench.link.up = False
    bench.turn(7200)
    bench.link.up = True
    bench.pair.csr.unlink()
    bench.turn(7200)
    assert len(bench.link.said) == said


def test_the_answer_is_put_in_place_and_connected_with_and_the_old_pair_goes_once_it_did(bench: Bench) -> None:
    bench.renew()
    assert bench.pair.is_new
    bench.turn(LOOK_SECONDS)
    assert bench.pair.is_new, "not before it has connected"
    bench.link.up = True
    bench.renewal.born(bench.now)
    bench.turn()
    assert not bench.pair.is_new
    assert bench.pi.works()


def test_a_new_pair_that_does_not_connect_is_given_up_and_the_old_one_used_again(bench: Bench) -> None:
    old = bench.pi.identity.certificate.read_text()
    bench.renew()
    for failures in range(TRIES + 3):
        bench.link.failures = failures
        bench.turn(1)
        assert (bench.pi.identity.certificate.read_text() == old) is (failures >= TRIES)
    assert bench.pi.works()
    bench.link.up, bench.link.failures = True, 0
    bench.renewal.born(bench.now)
    bench.turn()
    assert bench.pi.works()
    assert bench.pi.identity.certificate.read_text() == old


def test_a_link_that_came_about_with_the_old_pair_proves_nothing_for_the_new_one(bench: Bench) -> None:
    old = bench.pi.identity.certificate.read_text()
    bench.renew()
    bench.link.up, bench.link.newest = True, "refused"
    bench.renewal.born(bench.now)
    bench.turn()
    assert bench.pi.identity.certificate.read_text() == old
    assert not bench.pair.is_new
    assert bench.pi.works()


def test_a_link_that_came_about_before_the_new_pair_was_tried_leaves_all_as_it_is(bench: Bench) -> None:
    bench.renew()
    bench.link.up, bench.link.newest = True, "untried"
    bench.renewal.born(bench.now)
    bench.turn(LOOK_SECONDS)
    assert bench.pair.is_new
    bench.link.newest = "taken"
    bench.renewal.born(bench.now)
    bench.turn()
    assert not bench.pair.is_new


def test_a_broker_that_is_away_takes_no_proven_pair_back(bench: Bench) -> None:
    bench.renew()
    bench.link.up = True
    bench.renewal.born(bench.now)
    bench.turn()
    new = bench.pi.identity.certificate.read_text()
    bench.link.up = False
    for failures in range(20):
        bench.link.failures = failures
        bench.turn(5)
    assert bench.pi.identity.certificate.read_text() == new


def test_a_certificate_that_would_not_do_is_told_and_the_pair_stays(bench: Bench) -> None:
    before = bench.pi.files()
    told = bench.hear(bench.pi.sign(bench.pair.request() or "", name="kitchen"))
    assert told.fault is not None
    assert "kitchen" in told.fault
    bench.renewal.took(told)
    assert bench.pi.files() == before
    bench.renew()


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"certificate":7}', b'{"certificate":"' + b"x" * 9000 + b'"}'])
def test_what_cannot_be_read_is_refused(bench: Bench, payload: bytes) -> None:
    with pytest.raises(HomeError):
        bench.renewal.hear(TopicKind.CERTIFICATE, payload)


def test_what_nobody_asked_for_is_not_looked_at(bench: Bench) -> None:
    answer = bench.pi.answer()
    bench.renew()
    bench.renewal.hear(TopicKind.CERTIFICATE, messages.encode(Certificate(certificate=answer)))
    bench.settle()
    assert bench.items == []


def test_a_card_that_is_read_only_is_told_and_the_pair_stays(bench: Bench) -> None:
    before = bench.pi.files()
    bench.pair.next_certificate = bench.pi.folder / "no" / "folder"
    told = bench.hear(bench.pi.answer())
    assert told.fault is not None
    bench.renewal.took(told)
    assert bench.pi.files() == before


def authorities(bench: Bench, *, signs: int = 0, believed: int = 1) -> bytes:
    """What auth says of the vault's authorities: how many of them are believed, and which of them signs."""
    told = fingerprints(bench.pi.folder / "hub" / "device-ca.crt")
    return messages.encode(Authorities(signs=told[signs], believed=told[:believed]))


def test_a_room_asks_before_its_time_once_another_authority_signs_for_rooms(tmp_path: Path) -> None:
    bench = Bench(tmp_path, age=1)
    assert bench.asked() == []
    bench.renewal.hear(TopicKind.AUTHORITIES, authorities(bench))
    bench.turn()
    assert not bench.pair.due.exists()

    bench.pi.rotate("begin", "sign")
    bench.renewal.hear(TopicKind.AUTHORITIES, authorities(bench, believed=2))
    bench.turn()
    assert bench.pair.due.exists()
    bench.pi.renew()
    bench.turn(SOON_SECONDS + 1)
    (asked,) = bench.link.heard(Csr, topics.csr("hall"))
    assert asked.follows
    bench.renewal.hear(TopicKind.CERTIFICATE, messages.encode(bench.pi.follow()))
    bench.settle()
    assert bench.items.pop().fault is None
    assert not bench.pair.due.exists()
    bench.renewal.hear(TopicKind.AUTHORITIES, authorities(bench, believed=2))
    bench.turn()
    assert not bench.pair.due.exists()


def test_a_room_asks_before_its_time_where_one_that_it_believes_has_ended(tmp_path: Path) -> None:
    bench = Bench(tmp_path, age=1)
    bench.pi.rotate("begin", "sign")
    bench.pi.identity.ca.write_bytes((bench.pi.folder / "hub" / "device-ca.crt").read_bytes())
    bench.pi.rotate("serve", "end")
    bench.renewal.hear(TopicKind.AUTHORITIES, authorities(bench))
    bench.turn()
    assert bench.pair.due.exists()
    bench.pi.identity.ca.write_bytes((bench.pi.folder / "hub" / "device-ca.crt").read_bytes())
    bench.renewal.hear(TopicKind.AUTHORITIES, authorities(bench))
    bench.turn()
    assert not bench.pair.due.exists()


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"signs":"x","believed":[]}'])
def test_a_word_on_authorities_that_cannot_be_read_is_refused(bench: Bench, payload: bytes) -> None:
    with pytest.raises(HomeError):
        bench.renewal.hear(TopicKind.AUTHORITIES, payload)
