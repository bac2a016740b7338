"""bcrypt over a keyed pre-hash, in its own bounded pool."""

import asyncio
import errno
import os
import subprocess
import sys
import threading

import bcrypt
import pytest

from auth_service.people import passwords as module
from auth_service.people.passwords import Passwords
from deploy.folder.home import ROOT
from shared.words.problem import HomeError
from tests import sandbox


async def test_password_is_known_again_and_no_other(passwords: Passwords) -> None:
    stored = await passwords.hash("violet engine")
    assert await passwords.verify("violet engine", stored)
    assert not await passwords.verify("violet engines", stored)
    assert not await passwords.verify("Violet engine", stored)


async def test_same_password_is_stored_differently_each_time(passwords: Passwords) -> None:
    assert await passwords.hash("violet engine") != await passwords.hash("violet engine")


async def test_every_character_of_a_long_password_counts(passwords: Passwords) -> None:
    stored = await passwords.hash("x" * 1024)
    assert await passwords.verify("x" * 1024, stored)
    assert not await passwords.verify("x" * 1023 + "y", stored)


async def test_password_with_a_null_character_is_not_cut(passwords: Passwords) -> None:
    stored = await passwords.hash("violet\0engine")
    assert not await passwords.verify("violet\0", stored)


async def test_stored_hash_is_worthless_without_the_pepper(passwords: Passwords) -> None:
    stored = await passwords.hash("violet engine")
    other = Passwords(b"another pepper", rounds=4)
    assert not await other.verify("violet engine", stored)
    other.close()


async def test_unknown_user_costs_a_bcrypt_of_the_same_rounds(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    real = bcrypt.checkpw

    def seen(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", seen)
    assert not await passwords.verify("violet engine", None)
    assert not await passwords.verify("violet engine", await passwords.hash("other"))
    assert costs[0] == costs[1] == b"$2b$04$"


async def effort(passwords: Passwords, stored: str | None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What bcrypt had to do for one check, call by call: two to the power of its rounds."""
    spent = []
    check, make = bcrypt.checkpw, bcrypt.hashpw

    def checked(password: bytes, hashed: bytes) -> bool:
        spent.append(2 ** int(hashed.split(b"$")[2]))
        return check(password, hashed)

    def made(password: bytes, salt: bytes) -> bytes:
        spent.append(2 ** int(salt.split(b"$")[2]))
        return make(password, salt)

    with monkeypatch.context() as watched:
        watched.setattr(bcrypt, "checkpw", checked)
        watched.setattr(bcrypt, "hashpw", made)
        await passwords.verify("violet engine", stored)
    return spent


@pytest.mark.parametrize("former", [4, 5, 6, 7, 8])
async def test_an_account_with_a_hash_of_another_cost_is_told_from_none_by_nothing(
    former: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, today = Passwords(b"pepper", rounds=former), Passwords(b"pepper", rounds=6)
    old, new = await before.hash("violet engine"), await today.hash("violet engine")
    today.reckon_with([new, old])
    efforts = [await effort(today, one, monkeypatch) for one in (old, new, None)]
    assert [sum(one) for one in efforts] == [2 ** max(former, 6)] * 3
    assert efforts[2] == efforts[1], "most accounts have a new one: their check is none's, call by call"
    assert await today.verify("violet engine", old)
    assert await today.verify("violet engine", new)
    assert not await today.verify("violet engines", old)
    assert (today.is_outdated(old), today.is_outdated(new)) == (former != 6, False)
    before.close()
    today.close()


@pytest.mark.parametrize("spoilt", ["", "violet", "$2b$12$", "$2b$99", "$2b$04$" + "é" * 53])
async def test_a_hash_that_can_be_read_no_more_fits_nothing_and_stops_nothing(
    spoilt: str, passwords: Passwords, caplog: pytest.LogCaptureFixture
) -> None:
    passwords.reckon_with([spoilt, await passwords.hash("violet engine")])
    assert not await passwords.verify("violet engine", spoilt)
    assert "homesystem user reset" in caplog.text


async def test_a_home_without_accounts_checks_as_dearly_as_it_would_store(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(b"pepper", rounds=5)
    passwords.reckon_with([])
    assert await effort(passwords, None, monkeypatch) == [2**5]
    passwords.close()


async def test_bcrypt_runs_in_two_threads_at_the_most_and_too_long_a_queue_is_refused(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, threads = threading.Event(), set()

    def slow(_password: bytes, _hashed: bytes) -> bool:
        threads.add(threading.get_ident())
        release.wait(20)
        return True

    monkeypatch.setattr(bcrypt, "checkpw", slow)
    stored = await passwords.hash("y")
    waiting = [asyncio.ensure_future(passwords.verify("x", stored)) for _ in range(module._WAITING_MOST)]
    await asyncio.sleep(0)
    with pytest.raises(HomeError, match="rate-limited") as refusal:
        await passwords.verify("x", stored)
    assert refusal.value.facts["retry_after"] > 0
    release.set()
    assert all(await asyncio.gather(*waiting))
    assert len(threads) <= 2


def test_keyed_hashes_differ_by_purpose_key_and_part(passwords: Passwords) -> None:
    other = Passwords(b"another pepper", rounds=4)
    seen = {
        passwords.keyed("code", "a", "b"),
        passwords.keyed("browser", "a", "b"),
        passwords.keyed("code", "b", "a"),
        passwords.keyed("code", "ab"),
        other.keyed("code", "a", "b"),
    }
    other.close()
    assert len(seen) == 5


async def test_passwords_are_checked_where_stepping_back_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refused(*arguments: int) -> None:
        asked.append(arguments)
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", refused)
    pool = Passwords(b"pepper", rounds=4)
    assert await pool.verify("violet engine", await pool.hash("violet engine"))
    assert asked
    pool.close()


@pytest.mark.skipif(not sandbox.is_possible(), reason="needs systemd-analyze and libseccomp")
def test_passwords_are_checked_under_the_units_filter() -> None:
    unit = ROOT / "deploy" / "systemd" / "homesystem-auth.service"
    code = (
        "import asyncio; from auth_service.people.passwords import Passwords\n"
        "async def main(): pool = Passwords(b'pepper', rounds=4); assert await pool.verify('x', await pool.hash('x'))\n"
        "asyncio.run(main())"
    )
    ran = subprocess.run(sandbox.command(unit, sys.executable, "-c", code), cwd=ROOT, capture_output=True, check=False)
    assert ran.returncode == 0, ran
