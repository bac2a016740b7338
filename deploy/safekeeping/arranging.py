"""`homesystem backup key` and `backup target`: what the household decides about its backups, said once."""

import contextlib
import datetime as dt
import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from deploy.archives import plan as plans
from deploy.archives import sealing, sending, sftp, targets
from deploy.archives.plan import INSTALLED, Keep, Plan
from deploy.archives.sealing import Key
from deploy.archives.sending import Sent
from deploy.archives.targets import Target
from deploy.safekeeping import keys
from deploy.safekeeping.telling import console, home, now, tell_sent
from shared.words.problem import HomeError

_PLACES = ("/mnt", "/media", "/srv", "/var/backups")
"""Where the timer of an installed home may write, besides its own folders; its unit says so, too."""
_SHOWN = Path("-")


def key(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to write it, off the hub; - shows it once.")
    ] = None,
    *,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Under a passphrase, which is asked.")] = False,
    another: Annotated[bool, typer.Option("--another", help="Though there is one; it opens no older backup.")] = False,
) -> None:
    """Make the household's key for backups. The hub does not keep it: it learns the public half alone.

    Without FILE the key lies beside the backups, under a passphrase, and that is all one needs to restore.
    A FILE that has a key already is taken as it is.
    """
    var = home()
    if file is None and not passphrase:
        raise HomeError(
            "invalid-value",
            "Say where the key is to be written, on a stick for instance: homesystem backup key FILE. Or have it lie "
            "beside the backups, under a passphrase: homesystem backup key --passphrase.",
        )
    with plans.alone(var):
        plan = plans.read(var)
        known = keys.read(file) if file is not None and file != _SHOWN and file.exists() else None
        if plan.recipient is not None and not another and (known is None or known.recipient != plan.recipient):
            raise HomeError(
                "already-exists",
                f"Backups are sealed for {plan.recipient} already. With --another the next ones are sealed for another "
                "key; keep the old one for as long as there are backups that it opens.",
            )
        made = known or sealing.new_key()
        protected = sealing.protect(made, keys.ask_new()) if passphrase and known is None else None
        if known is None and file is not None:
            _hand_over(made, protected, file, var)
        beside = protected.decode() if protected is not None and file is None else None
        if known is None or known.recipient != plan.recipient:
            plans.save(var, replace(plan, recipient=made.recipient, key=beside))
    console.print(f"Backups are sealed for {made.recipient} from now on.", soft_wrap=True)
    told = (
        "The key lies beside each of them, under the passphrase: without that nobody opens them, you neither."
        if file is None
        else f"{'The key above' if file == _SHOWN else file} opens them, and nothing else does: keep it off this "
        "machine, and another copy elsewhere."
    )
    console.print(told, soft_wrap=True)


def target(
    where: Annotated[
        str, typer.Argument(metavar="WHERE", help="A folder on another disk, or sftp://USER@HOST/FOLDER.")
    ],
    *,
    daily: Annotated[int | None, typer.Option(min=1, help="Of so many days one is kept; 7.")] = None,
    weekly: Annotated[int | None, typer.Option(min=0, help="Of so many weeks; 4.")] = None,
    monthly: Annotated[int | None, typer.Option(min=0, help="Of so many months; 12.")] = None,
    take_over: Annotated[bool, typer.Option("--take-over", help="Though another home's backups lie there.")] = False,
    host_key: Annotated[
        str | None, typer.Option(metavar="SHA256:…", help="The other machine's key, for SFTP, instead of a question.")
    ] = None,
) -> None:
    """Have backups go to another disk or machine each day, and older ones there go. Needs a key first.

    A former target stays until the first backup lies at the new one.
    """
    var, at = home(), now()
    with plans.alone(var):
        plan = plans.read(var)
        if plan.recipient is None:
            raise HomeError("not-found", "First make a key: homesystem backup key FILE, or --passphrase.")
        folder = plans.folder(var)
        if where.startswith(targets.SFTP):
            _meet(where, folder, host_key)
        else:
            where = str(Path(where).absolute())
            _check_folder(Path(where), var)
        place = targets.at(where, folder)
        there = targets.marked(place)
        if there is not None and there.mark != plan.mark and not take_over:
            raise HomeError(
                "already-exists",
                f"{where} is the target of another home, or of this one before it was set up anew. If that is as it "
                "should be: --take-over. What lies there stays.",
            )
        wanted = {"daily": daily, "weekly": weekly, "monthly": monthly}
        keep = Keep(**{name: getattr(plan.keep, name) if count is None else count for name, count in wanted.items()})
        mark = plan.mark or str(uuid.uuid4())
        arranged = replace(plan, target=where, mark=mark, keep=keep)
        if plan.target in {None, where}:
            sent = _begun(var, arranged, place, mark, at)
        else:
            sent = _moved(var, plan, arranged, place, mark, at)
        kept = f"{keep.daily} days, {keep.weekly} weeks and {keep.monthly} months"
        console.print(f"Backups go to {where}, and of {kept} one each is kept.", soft_wrap=True)
        tell_sent(arranged, sent)
    if var != INSTALLED:
        console.print("This home has no timer: run homesystem backup as often as you want one.", soft_wrap=True)


def _begun(var: Path, arranged: Plan, place: Target, mark: str, at: dt.datetime) -> Sent:
    """The first target of all, or the same one anew: it counts at once, so that the timer tries again by itself."""
    # The plan first: a mark that no plan knows would be another home's.
    plans.save(var, arranged)
    try:
        targets.put_mark(place, mark, at)
        return sending.send(var, arranged, at)
    except BaseException:
        again = ", and the timer tries again each hour" if var == INSTALLED else ""
        console.print(
            f"Backups are to go to {place.name}, but this one DID NOT GET THERE. When what follows is mended: "
            f"homesystem backup{again}.",
            soft_wrap=True,
        )
        raise


def _moved(var: Path, plan: Plan, arranged: Plan, place: Target, mark: str, at: dt.datetime) -> Sent:
    """Another target in the place of one that may well work: it counts once a backup lies there."""
    there, made = targets.marked(place), plans.made(var)
    try:
        targets.put_mark(place, mark, at)
        sent = sending.send_first(var, arranged, at)
        plans.save(var, arranged)
    except BaseException:
        console.print(
            f"The first backup DID NOT GET to {place.name}, so they go to {plan.target} as before. When what follows "
            f"is mended: homesystem backup target {place.name}",
            soft_wrap=True,
        )
        with contextlib.suppress(HomeError):  # the place itself may be what failed; a mark alone does no harm there
            if there is None:
                place.remove([targets.MARK])
            else:
                targets.put_mark(place, there.mark, there.made_at)
        plans.note(var, made)
        raise
    sending.note(var, arranged, at)
    return sent


def _hand_over(made: Key, protected: bytes | None, file: Path, var: Path) -> None:
    """To whoever is to keep it, before the hub seals anything for it."""
    content = protected or made.written()
    if file == _SHOWN:
        sys.stdout.write(content.decode())
        sys.stdout.flush()
        return
    _check_outside(file, var)
    keys.write(file.absolute(), content)


def _check_outside(file: Path, var: Path) -> None:
    if file.resolve().is_relative_to(var.resolve()):
        raise HomeError("invalid-value", f"{file} lies in the home itself, and would be lost or stolen with it.")


def _check_folder(folder: Path, var: Path) -> None:
    """A folder that the timer may write, better not on the home's disk. Makes the last part of it."""
    _check_outside(folder, var)
    if var == INSTALLED and not any(folder.resolve().is_relative_to(place) for place in _PLACES):
        raise HomeError(
            "invalid-value", f"{folder}: the timer writes nowhere but below {', '.join(_PLACES)}; mount the disk there."
        )
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HomeError("invalid-value", f"{folder} cannot be made: {error.strerror}.") from error
    if folder.stat().st_dev == var.stat().st_dev:
        text = f"Beware: {folder} is on the same disk as the home. When that dies, both are gone."
        console.print(text, soft_wrap=True)


def _meet(where: str, folder: Path, host_key: str | None) -> None:
    """Have a person confirm the other machine's key, once, and show ours. Raises HomeError."""
    at = sftp.address(where)
    ours = sftp.make_key(folder)
    print(f"The hub's own key, a line for ~/.ssh/authorized_keys of {at.user} on {at.host}:\n{ours}", flush=True)
    found = sftp.host_keys(at)
    if not sftp.is_trusted(folder, found):
        shown = sftp.fingerprints(found)
        print(f"{at.host} says that its keys are:", *(f"  {one}" for one in shown), sep="\n", flush=True)
        if not _is_confirmed(at.host, shown, host_key):
            raise HomeError("invalid-value", "Then it may be another machine; nothing was sent there.")
        sftp.trust(folder, found)
    sftp.SftpTarget(where, folder).lay_out()


def _is_confirmed(host: str, shown: list[str], host_key: str | None) -> bool:
    if host_key is not None:
        return any(one.split()[0] == host_key for one in shown)
    if not sys.stdin.isatty():
        raise HomeError("invalid-value", "Nobody is here to confirm them: name one with --host-key SHA256:…")
    print(f"Compare one with what {host} itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub", flush=True)
    return typer.confirm("Is one of them the same", default=False)
