"""Where a home's authorities are, and how an older home's keys come to the signer."""

import asyncio
import gc
import getpass
import os
import subprocess
from pathlib import Path

import pytest

from deploy.folder import home as homes
from deploy.folder.home import ROOT, Home, Settings
from deploy.pki import signers
from deploy.pki.authorities import Authorities
from deploy.pki.pairs import Pki
from deploy.signer.door import Door
from shared.running.config import ConfigError
from shared.trust import signing
from tests.unit.deploy.pki.test_pki import HOSTS, NOW

MOVE = ROOT / "deploy" / "move-vault.sh"


def older(var: Path) -> Pki:
    """As a version without a signer left it: keys among the certificates, the authorities' own only beside them."""
    made = Pki(var / "pki", vault=var / "pki" / "ca", demo=False, now=NOW)
    made.ensure_authorities(HOSTS)
    made.ensure_client("hall", "room", folder=var / "out")
    for name in ("device-ca", "web-ca"):
        (var / "pki" / "ca" / f"{name}.crt").unlink()
    return made


def move(var: Path, state: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"HOMESYSTEM_SIGNER_USER": getpass.getuser()}
    command = ["sh", str(MOVE), str(var), str(state)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_home_signs_by_itself_where_its_keys_are_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path, Settings(demo=True))
    assert home.signer() is None
    assert home.vault == tmp_path / "signer" / "vault"
    older(tmp_path)
    assert home.vault == tmp_path / "pki" / "ca"
    assert home.signer() is None
    assert signers.socket(tmp_path, demo=False, environment={}) == tmp_path / "signer" / "signer.sock"


def test_a_home_whose_keys_are_the_signers_says_what_to_start(tmp_path: Path) -> None:
    assert signers.socket(tmp_path, demo=False, environment={}) == signing.SOCKET
    assert signers.reached(tmp_path, demo=False, user="nobody-of-that-name") is None
    with pytest.raises(ConfigError, match="sudo systemctl start homesystem-signer"):
        signers.reached(tmp_path, demo=False, user=getpass.getuser())


def test_a_signer_that_listens_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMESYSTEM_SIGNER", str(tmp_path / "s.sock"))

    async def look() -> Path | None:
        door = Door(frozenset(), None, None)  # type: ignore[arg-type]  # nobody gives an order
        async with door.open(tmp_path / "s.sock"):
            return await asyncio.to_thread(Home(tmp_path, Settings()).signer)

    assert asyncio.run(look()) == tmp_path / "s.sock"
    # What the loop left of the connection goes here: collected while another test parses Python, it breaks that.
    gc.collect()
    assert Home(tmp_path, Settings(demo=True)).signer() is None


def test_a_home_that_runs_its_signer_itself_moves_an_older_ones_keys(tmp_path: Path) -> None:
    home = homes.create(tmp_path / "made", Settings(demo=True))
    device_ca = (home.pki / "device-ca.crt").read_bytes()
    (home.var / "signer" / "vault").rename(home.pki / "ca")
    signers.move(home.var)
    signers.move(home.var)
    assert home.vault == home.var / "signer" / "vault"
    homes.lay_out(home)
    assert (home.pki / "device-ca.crt").read_bytes() == device_ca


def test_the_script_gives_the_signer_all_that_it_needs_and_leaves_no_copy(tmp_path: Path) -> None:
    made = older(tmp_path / "home")
    done = move(tmp_path / "home", tmp_path / "state")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "home" / "pki" / "ca").exists()
    vault = tmp_path / "state" / "vault"
    assert vault.stat().st_mode & 0o777 == 0o700
    moved = Authorities(vault, demo=False, now=NOW)
    for name in ("device-ca", "web-ca"):
        assert moved.certificate(name) == (made.folder / f"{name}.crt").read_bytes()
    assert [line.name for line in moved.issued()] == ["hall"]
    assert move(tmp_path / "home", tmp_path / "state").returncode == 0


def test_the_script_ends_what_was_interrupted(tmp_path: Path) -> None:
    older(tmp_path / "home")
    kept = tmp_path / "kept"
    subprocess.run(["cp", "-a", tmp_path / "home", kept], check=True)
    move(tmp_path / "home", tmp_path / "state")
    assert move(kept, tmp_path / "state").returncode == 0  # as if power had failed before the old ones were deleted
    assert not (kept / "pki" / "ca").exists()


def test_the_script_throws_no_authority_away_for_another(tmp_path: Path) -> None:
    older(tmp_path / "one")
    older(tmp_path / "two")
    assert move(tmp_path / "one", tmp_path / "state").returncode == 0
    refused = move(tmp_path / "two", tmp_path / "state")
    assert refused.returncode == 1
    assert "different authorities" in refused.stderr
    assert (tmp_path / "two" / "pki" / "ca" / "device-ca.key").exists()


def test_a_home_that_ran_its_signer_itself_may_become_one_of_units(tmp_path: Path) -> None:
    home = homes.create(tmp_path / "home", Settings(demo=True))
    assert move(home.var, tmp_path / "state").returncode == 0
    assert (tmp_path / "state" / "vault" / "device-ca.key").exists()
    assert signers.socket(home.var, demo=False, environment={}) == signing.SOCKET
