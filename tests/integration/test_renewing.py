"""`renew` may be stopped anywhere and is right the next time; what does not fit is found and made anew."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.pki import authorities, building, files, leaf, pairs, reading
from deploy.pki.pairs import Pki
from shared.running.config import ConfigError
from tests import house

NOW = dt.datetime.now(dt.UTC)
STEMS = [*homes.PAIRS, "broker", "auth-server", "alerts-server", "recorder-server", "web"]
ALL = [*STEMS, "signer"]
"""The signer's own lies with its keys."""


class KilledError(BaseException):
    """As kill -9 would: nothing of ours catches it."""


class Killer:
    """Counts what reaches the disk, and kills in the chosen write, with its file half made and not in its place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.at = 0, 0
        self.written: list[str] = []
        write = files.write

        def counted(path: Path, content: bytes, mode: int) -> None:
            self.count += 1
            if self.count == self.at:
                path.with_name(f".{path.name}.new").write_bytes(content[: len(content) // 2])
                raise KilledError
            self.written.append(path.name)
            write(path, content, mode)

        for module in (authorities, pairs, homes):
            monkeypatch.setattr(module, "write", counted)

    def each(self, work: Callable[[], object], again: Callable[[], object]) -> Iterator[int]:
        """Do `work`, killed before its first write, then before its second and so on, until it is through; after each
        `again`, unkilled, and the caller's look at what came of it.
        """
        for at in range(1, 200):
            self.count, self.at = 0, at
            try:
                work()
            except KilledError:
                self.at = 0
                again()
                yield at
            else:
                return
        raise AssertionError("it never came to its end")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return house.make_home(tmp_path)


def renew(home: Home, days: float, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`homesystem renew`, so many days from now."""
    now = NOW + dt.timedelta(days=days)
    pki = Pki(home.pki, vault=home.vault, demo=True, now=now)
    with monkeypatch.context() as patch:
        patch.setattr(Home, "authority", lambda _home: pki)
        return homes.renew(home)


def look(home: Home, days: float) -> None:
    """Everything fits, is of one pair of authorities, and good for some time."""
    now = NOW + dt.timedelta(days=days)
    pki = Pki(home.pki, vault=home.vault, demo=True, now=now)
    hosts = home.settings.hosts
    wanted = {name: leaf.client(name, "service") for name in homes.PAIRS} | {
        "broker": leaf.server("broker", "service", hosts),
        "auth-server": leaf.server("auth", "service", hosts),
        "alerts-server": leaf.server("alerts", "service", hosts),
        "web": leaf.web(hosts),
    }
    assert {stem: pki.fault_of(what, home.pki, stem) for stem, what in wanted.items()} == dict.fromkeys(wanted)
    for name in ("device-ca", "web-ca"):
        assert (home.pki / f"{name}.crt").read_bytes() == (home.vault / f"{name}.crt").read_bytes()
        key = reading.private_key(home.vault / f"{name}.key")
        assert reading.belong_together(key, reading.certificate(home.pki / f"{name}.crt"))
    (listed,) = reading.revocation_lists(home.pki / "crl.pem")
    assert reading.is_list_of(listed, reading.certificate(home.pki / "device-ca.crt"))
    assert reading.ends_at(home.pki / "crl.pem") > now


def test_making_a_homes_certificates_may_be_stopped_before_any_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer, number = Killer(monkeypatch), iter(range(1000))
    made: list[Home] = []

    def begin() -> None:
        made.append(house.make_home(tmp_path / str(next(number))))
        renew(made[-1], 0, monkeypatch)

    for kills in killer.each(begin, lambda: renew(made[-1], 0, monkeypatch)):
        look(made[-1], 0)
        most = kills
    assert most > 20


def test_a_renewal_may_be_stopped_before_any_write_and_the_next_makes_everything_right(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(monkeypatch)
    killer.count, killer.at = 0, 0
    renew(home, 0, monkeypatch)
    day = [0.0]

    def next_round() -> None:
        day[0] += 80
        renew(home, day[0], monkeypatch)

    for kills in killer.each(next_round, lambda: renew(home, day[0], monkeypatch)):
        look(home, day[0])
        most = kills
    assert most >= 2 * len(STEMS)


def test_nothing_is_due_twice(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(renew(home, 0, monkeypatch)) == sorted(ALL)
    assert renew(home, 0, monkeypatch) == []
    assert renew(home, 20, monkeypatch) == []
    assert sorted(renew(home, 80, monkeypatch)) == sorted(ALL)


def test_an_authority_that_is_gone_is_not_replaced_behind_everybodys_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew(home, 0, monkeypatch)
    for path in home.vault.iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match=r"device-ca\.key: the authority is gone.*backup"):
        renew(home, 0, monkeypatch)


def foreign(path: Path) -> None:
    path.write_bytes(building.private_bytes(ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize(
    "spoil",
    [
        foreign,
        lambda key: key.write_bytes(key.read_bytes()[:100]),
        lambda key: key.write_bytes(b""),
        lambda key: key.unlink(),
        lambda key: key.with_suffix(".crt").write_text("no certificate"),
        lambda key: key.with_suffix(".crt").unlink(),
        lambda key: key.with_suffix(".crt").write_bytes((key.parent / "alerts.crt").read_bytes()),
    ],
    ids=["other key", "half a key", "empty key", "no key", "no certificate", "missing certificate", "another's"],
)
def test_a_pair_that_cannot_be_used_is_found_and_made_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    renew(home, 0, monkeypatch)
    spoil(home.pki / "auth.key")
    assert renew(home, 0, monkeypatch) == ["auth"]
    look(home, 0)


def test_pairs_of_other_authorities_are_made_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    renew(home, 0, monkeypatch)
    for path in home.vault.glob("web-ca.*"):
        path.unlink()
    (home.pki / "web-ca.crt").unlink()
    assert renew(home, 0, monkeypatch) == ["web"]
    look(home, 0)


def test_what_was_made_while_the_clock_was_ahead_is_made_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    renew(home, 0, monkeypatch)
    assert len(renew(home, 400, monkeypatch)) == len(ALL)
    assert len(renew(home, 0, monkeypatch)) == len(ALL)
    look(home, 0)


def test_a_key_that_does_not_fit_is_said_as_what_it_is(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    renew(home, 0, monkeypatch)
    foreign(home.pki / "auth.key")
    pki = Pki(home.pki, vault=home.vault, demo=True, now=NOW)
    assert (
        pki.fault_of(leaf.client("auth", "service"), home.pki, "auth") == "key and certificate do not belong together"
    )
    assert pki.fault_of(leaf.client("auth", "room"), home.pki, "alerts") == "it says something else of its holder"
