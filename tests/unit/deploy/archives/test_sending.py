"""A backup at its target: whole or not there, noted, pruned, and never where the disk is not."""

import datetime as dt
import threading
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from deploy.archives import backup, plan, present, pruning, revocations, sealing, sending, targets
from deploy.archives.folders import FolderTarget
from deploy.archives.plan import Keep, Plan
from deploy.archives.present import Accounts, Present
from deploy.archives.revocations import Revoked
from deploy.pki.index import Issued
from shared.keeping import notes
from shared.words.noted import BackupTarget
from shared.words.problem import HomeError
from tests import killed, thrifty_passphrase

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
KEY = sealing.new_key()
GONE = Issued(serial=7, name="kitchen", role="room", not_after=NOW, revoked_at=NOW, gone=True)


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small home, out of which the kitchen was put, with a disk for its backups."""
    made = tmp_path / "homesystem"
    for name in ("data", "secrets"):
        (made / name).mkdir(parents=True)
    (made / "home.toml").write_text('name = "hub"\n')
    (made / "secrets" / revocations.SECRET).write_text("a secret of the home\n")
    (made / "secrets" / revocations.SECRET).chmod(0o600)
    monkeypatch.setattr(present, "read", lambda _var, _now: Present(b"", [GONE], Accounts(("tablet",))))
    disk = tmp_path / "disk"
    disk.mkdir()
    arranged = Plan(recipient=KEY.recipient, target=str(disk), mark="ours")
    plan.save(made, arranged)
    targets.put_mark(targets.at(str(disk), plan.folder(made)), "ours", NOW)
    return made


def disk(var: Path) -> Path:
    return var.parent / "disk"


def archives(var: Path) -> list[str]:
    return sorted(path.name for path in disk(var).iterdir() if pruning.moment(path.name))


def told(var: Path) -> BackupTarget:
    found = notes.read(var / "data", BackupTarget)
    assert found is not None
    return found


def test_the_plan_comes_back_as_it_was_said(var: Path) -> None:
    said = Plan(recipient=KEY.recipient, key="several\nlines\n", target='/a "b"', mark="x", keep=Keep(daily=3))
    plan.save(var, said)
    assert plan.read(var) == said
    assert (plan.folder(var) / plan.NAME).stat().st_mode & 0o777 == 0o600


def test_it_lies_there_sealed_with_who_was_revoked_beside_it(var: Path) -> None:
    sent = sending.send(var, plan.read(var), NOW)
    assert archives(var) == [sent.name]
    assert sealing.is_sealed(disk(var) / sent.name)
    assert (told(var).good, told(var).failure) == (NOW, "")
    with (disk(var) / revocations.NAME).open("rb") as file, (var / "list").open("w+b") as plain:
        KEY.open(file, plain)
        plain.seek(0)
        found = revocations.opened(plain.read(), b"a secret of the home")
    assert (found.names, found.issued) == (("kitchen", "tablet"), (GONE,))


def test_the_timer_makes_one_a_day_however_often_it_comes(var: Path) -> None:
    arranged = plan.read(var)
    hours = [NOW + dt.timedelta(hours=hour) for hour in range(72)]
    assert [at for at in hours if sending.send_due(var, arranged, at)] == [hours[0], hours[24], hours[48]]
    assert sending.send_due(var, arranged, NOW + dt.timedelta(hours=48, seconds=30)) is None
    assert len(archives(var)) == 3


def test_a_clock_that_was_wrong_keeps_no_backup_away(var: Path) -> None:
    arranged = plan.read(var)
    assert sending.send_due(var, arranged, NOW + dt.timedelta(days=4000))
    assert sending.send_due(var, arranged, NOW), "of what is still to come nothing is believed"
    assert sending.send_due(var, arranged, NOW + dt.timedelta(minutes=1)) is None


def test_an_archive_that_somebody_took_away_is_made_again(var: Path) -> None:
    arranged = plan.read(var)
    first = sending.send_due(var, arranged, NOW)
    assert first is not None
    (disk(var) / first.name).unlink()
    assert sending.send_due(var, arranged, NOW + dt.timedelta(hours=1))


def test_older_ones_go_and_strangers_files_stay(var: Path) -> None:
    arranged = Plan(
        **{name: getattr(plan.read(var), name) for name in ("recipient", "target", "mark")},
        keep=Keep(daily=2, weekly=0, monthly=0),
    )
    stranger = pruning.name(NOW - dt.timedelta(days=30))
    (disk(var) / stranger).write_text("copied here by hand")
    names = [sending.send(var, arranged, NOW + dt.timedelta(days=day)).name for day in range(4)]
    assert archives(var) == [stranger, *names[-2:]]


def test_on_a_full_disk_fewer_days_make_room(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arranged = plan.read(var)
    names = [sending.send(var, arranged, NOW + dt.timedelta(days=day)).name for day in range(4)]
    write = backup.write

    def full(home: Path, target: Path, now: dt.datetime, recipient: str | None = None) -> tuple[int, list[str]]:
        if len(archives(var)) >= 3:
            raise HomeError("no-proof", "No space left on device")
        return write(home, target, now, recipient)

    monkeypatch.setattr(backup, "write", full)
    with pytest.raises(HomeError, match="No space left"):
        sending.send(var, arranged, NOW + dt.timedelta(days=4))
    assert archives(var) == names, "nothing goes that the plan keeps"
    fewer = replace(arranged, keep=Keep(daily=2, weekly=0, monthly=0))
    sent = sending.send(var, fewer, NOW + dt.timedelta(days=4))
    assert archives(var) == [names[-1], sent.name]
    assert sent.pruned == names[:-1]


def test_nothing_is_written_where_the_disk_is_not(var: Path) -> None:
    (disk(var) / targets.MARK).unlink()
    for way in (sending.send, sending.send_due, sending.send_list):
        with pytest.raises(HomeError, match="plug it in and mount it"):
            way(var, plan.read(var), NOW)
    assert not list(disk(var).iterdir())
    assert (told(var).good, "plug it in" in told(var).failure) == (None, True)
    disk(var).rmdir()
    with pytest.raises(HomeError, match="plug it in"):
        sending.send(var, plan.read(var), NOW)


def test_another_homes_target_is_left_alone(var: Path) -> None:
    targets.put_mark(targets.at(str(disk(var)), plan.folder(var)), "of another", NOW)
    with pytest.raises(HomeError, match="another home"):
        sending.send(var, plan.read(var), NOW)
    assert archives(var) == []


def test_a_passphrase_is_all_one_needs_where_the_key_lies_beside(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thrifty_passphrase.be_thrifty(monkeypatch)
    protected = sealing.protect(KEY, "four words and a half").decode()
    arranged = Plan(recipient=KEY.recipient, key=protected, target=str(disk(var)), mark="ours")
    sending.send(var, arranged, NOW)
    (beside,) = disk(var).glob("homesystem-key*.age")
    assert sealing.unprotect(beside.read_bytes(), "four words and a half").recipient == KEY.recipient


def test_a_failure_is_noted_and_the_last_good_one_not_forgotten(var: Path) -> None:
    arranged = plan.read(var)
    sending.send(var, arranged, NOW)
    (var / "data" / "auth.sqlite3").write_bytes(b"SQLite format 3\0 and then nothing of the kind")
    with pytest.raises(HomeError):
        sending.send(var, arranged, NOW + dt.timedelta(days=1))
    assert (told(var).good, "could not be copied" in told(var).failure) == (NOW, True)
    assert len(archives(var)) == 1


def test_two_at_a_time_are_one_too_many(var: Path) -> None:
    with plan.alone(var), pytest.raises(HomeError, match="Another backup"), plan.alone(var):
        pytest.fail("the second had its turn")


def test_after_a_power_cut_at_any_write_the_next_one_is_whole(var: Path) -> None:
    """Whatever the first left, the second makes a backup, counts it, and leaves nothing half behind."""
    arranged = plan.read(var)

    def first() -> None:
        sending.send(var, arranged, NOW)

    code, writes = killed.at_write(first, var.parent, 0)
    assert (code, writes > 10) == (0, True)
    for die_at in range(1, writes + 1):
        code, _ = killed.at_write(first, var.parent, die_at)
        assert code == -9
        later = NOW + dt.timedelta(days=die_at)
        sent = sending.send(var, arranged, later)
        assert sent.name in archives(var)
        assert all(sealing.is_sealed(disk(var) / name) for name in archives(var))
        assert not list(disk(var).glob(".*"))
        assert told(var).good == later
    assert len(archives(var)) <= 7 + 4 + 12, "and what the power cuts left is pruned like any other"


def test_the_list_is_believed_only_as_the_homes_own_word() -> None:
    said = revocations.Revoked(NOW, ("kitchen",), ())
    content = b"".join([body := msgspec.json.encode(said), b"\n", revocations._code(body, b"secret")])
    assert revocations.opened(content, b"secret") == said
    for wrong in (content.replace(b"kitchen", b"kitchem"), content[:-1], b"", body, content + b"x"):
        with pytest.raises(HomeError):
            revocations.opened(wrong, b"secret")
    with pytest.raises(HomeError):
        revocations.opened(content, b"another home's")


def test_the_archive_is_for_the_key_alone(var: Path, tmp_path: Path) -> None:
    backup.write(var, tmp_path / "b.age", NOW, KEY.recipient)
    assert b"home.toml" not in (tmp_path / "b.age").read_bytes()
    with pytest.raises(HomeError, match="no public key"):
        backup.write(var, tmp_path / "c.age", NOW, "age1nonsense")
    assert not (tmp_path / "c.age").exists()


def test_an_older_list_never_takes_the_place_of_a_newer_one(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup is just writing it, and somebody revokes a room meanwhile."""
    write = FolderTarget.write
    known = ["kitchen"]
    revoked = threading.Thread(target=lambda: sending.send_list(var, plan.read(var), NOW))

    def gathered(_var: Path, now: dt.datetime) -> Revoked:
        return Revoked(now, tuple(known), ())

    def slowly(target: FolderTarget, name: str, content: bytes) -> None:
        if name == revocations.NAME and len(known) == 1:
            known.append("stolen")
            revoked.start()
            revoked.join(0.5)  # it is done by now, or waits for us
        write(target, name, content)

    monkeypatch.setattr(revocations, "gather", gathered)
    monkeypatch.setattr(FolderTarget, "write", slowly)
    sending.send(var, plan.read(var), NOW)
    revoked.join()
    with (disk(var) / revocations.NAME).open("rb") as file, (var / "list").open("w+b") as plain:
        KEY.open(file, plain)
        plain.seek(0)
        assert revocations.opened(plain.read(), b"a secret of the home").names == ("kitchen", "stolen")
