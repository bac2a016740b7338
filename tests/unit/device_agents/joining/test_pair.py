"""The key is made here, once, and what the hub gives is kept only where it belongs to it."""

import datetime as dt
from pathlib import Path

import pytest

from deploy.pki import leaf as leaves
from deploy.pki.authorities import Authorities
from device_agents.joining import pair
from shared.words.problem import HomeError

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def authorities(tmp_path: Path) -> Authorities:
    made = Authorities(tmp_path / "vault", demo=True, now=NOW)
    made.ensure(["hub.home.arpa"])
    return made


def folder(tmp_path: Path, name: str = "work") -> Path:
    made = tmp_path / name
    made.mkdir(mode=0o700, exist_ok=True)
    return made


def test_a_second_try_asks_with_the_same_key(tmp_path: Path) -> None:
    first = pair.request(folder(tmp_path))
    key = (tmp_path / "work" / "room.key").read_bytes()
    assert pair.request(folder(tmp_path)) == first
    (tmp_path / "work" / "room.csr").unlink()
    pair.request(folder(tmp_path))
    assert (tmp_path / "work" / "room.key").read_bytes() == key


@pytest.mark.parametrize("left", ["room.key.making", "room.key", "room.csr.making"])
def test_what_a_kill_left_half_made_is_made_anew(tmp_path: Path, left: str) -> None:
    (folder(tmp_path) / left).write_text("-----BEGIN PRIVATE")
    assert pair.request(folder(tmp_path)).startswith("-----BEGIN CERTIFICATE REQUEST-----")


def test_the_hubs_answer_is_kept_where_it_fits(tmp_path: Path, authorities: Authorities) -> None:
    work = folder(tmp_path)
    signed = authorities.sign(leaves.client("attic", "room"), pair.request(work).encode())
    assert not pair.has_certificate(work)
    pair.take(work, signed.decode(), authorities.certificate("device-ca").decode())
    assert pair.has_certificate(work)
    assert (work / "room.crt").read_bytes() == signed


def test_a_certificate_for_another_key_is_not(tmp_path: Path, authorities: Authorities) -> None:
    other = authorities.sign(leaves.client("attic", "room"), pair.request(folder(tmp_path, "other")).encode())
    work = folder(tmp_path)
    pair.request(work)
    with pytest.raises(HomeError, match="another key"):
        pair.take(work, other.decode(), authorities.certificate("device-ca").decode())
    assert not pair.has_certificate(work)


def test_nor_is_one_that_its_authority_did_not_sign(tmp_path: Path, authorities: Authorities) -> None:
    work = folder(tmp_path)
    signed = authorities.sign(leaves.client("attic", "room"), pair.request(work).encode())
    with pytest.raises(HomeError, match="did not sign"):
        pair.take(work, signed.decode(), authorities.certificate("web-ca", ["hub.home.arpa"]).decode())
    assert not pair.has_certificate(work)
