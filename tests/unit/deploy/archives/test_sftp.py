"""Addresses of other machines: nothing in them is more than an address to the programs that are given it."""

from pathlib import Path

import pytest

from deploy.archives import sftp
from deploy.archives.sftp import Address
from shared.words.problem import HomeError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sftp://backup@nas.example/homesystem", Address("backup", "nas.example", 22, "homesystem")),
        ("sftp://backup@nas.example:2222/a/b/", Address("backup", "nas.example", 2222, "a/b")),
        ("sftp://backup@192.0.2.7//srv/backups", Address("backup", "192.0.2.7", 22, "/srv/backups")),
        ("sftp://backup@[2001:db8::7]", Address("backup", "2001:db8::7", 22, ".")),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    assert sftp.address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "sftp://nas.example/x",
        "sftp://-oProxyCommand=x@nas.example/x",
        "sftp://backup@-oProxyCommand=x/x",
        "sftp://backup@nas.example/a b",
        "sftp://backup@nas.example/a\nrm *",
        "sftp://backup@nas.example/a;b",
        "sftp://backup@nas.example/../../etc",
        "sftp://backup@nas.example/-r",
        "ftp://backup@nas.example/x",
    ],
)
def test_what_a_program_could_take_for_more_is_refused(text: str) -> None:
    with pytest.raises(HomeError, match="is no target"):
        sftp.address(text)


def test_a_machine_stays_trusted_beside_another_one(tmp_path: Path) -> None:
    nas, attic = b"nas ssh-ed25519 AAAA\nnas ssh-rsa BBBB\n", b"[attic]:2222 ssh-ed25519 CCCC\n"
    assert not sftp.is_trusted(tmp_path, nas)
    for keys in (nas, attic):
        sftp.trust(tmp_path, keys)
    assert all(sftp.is_trusted(tmp_path, keys) for keys in (nas, attic))
    assert not sftp.is_trusted(tmp_path, b"nas ssh-ed25519 AAAA\n"), "it had another key as well"
    assert not sftp.is_trusted(tmp_path, b"nas ssh-ed25519 DDDD\nnas ssh-rsa BBBB\n")
    sftp.trust(tmp_path, b"nas ssh-ed25519 DDDD\n")
    assert (tmp_path / sftp.HOSTS).read_bytes() == attic + b"nas ssh-ed25519 DDDD\n"
