"""Addresses of other machines: nothing in them is more than an address to the programs that are given it."""

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
