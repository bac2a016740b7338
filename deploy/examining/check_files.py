"""What the doctor sees without asking anybody: settings, certificates, modes, the clock, the disk and the spools."""

import datetime as dt
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.examining import check_revoked
from deploy.examining.finding import Finding, examine, well, wrong
from deploy.folder import owning, parts
from deploy.folder.home import Home
from deploy.pki import pairs, reading
from shared.keeping import disks, sharing
from shared.keeping import torn as torn_files
from shared.trust import revoked

RENEW = "run `homesystem renew`, and see that homesystem-renew.timer runs"
LEAF_DAYS, CRL_DAYS, CA_DAYS = pairs.RENEW_DAYS - 7, 7, 180
"""With fewer days left than these nobody renewed in time."""
_FOLLOW = {
    "device-ca.crt": "`homesystem authority rotate`: another one follows while there is time; docs/certificates.md",
    "web-ca.crt": "`homesystem authority rotate web`: people install another one while there is time",
}
MOST_WAITING = 1000
_FREE_BYTES = 200 * 2**20
_SKEW_SECONDS = 120.0


def settings(home: Home) -> Iterator[Finding]:
    """Every configuration file can be read and used."""
    for path, read in _readers(home).items():
        found = list(examine("settings", lambda path=path, read=read: _read(path, read)))  # type: ignore[misc]
        yield from found


def _readers(home: Home) -> dict[Path, Callable[[Path], object]]:
    from alert_service import config as alerts
    from alert_service.readings import config as readings
    from auth_service import config as auth
    from device_agents import complaints
    from gateway import app as gateway_app
    from gateway import config as gateway

    def read_gateway(path: Path) -> object:
        gateway_app.check(config := gateway.load_config(path))
        return config

    readers: dict[Path, Callable[[Path], object]] = {
        home.config("auth"): auth.read,
        home.config("alerts"): alerts.read,
        home.config("readings"): readings.read,
        home.config("gateway"): read_gateway,
    }
    return readers | dict.fromkeys(sorted((home.var / "agents").glob("*.toml")), complaints.read)


def _read(path: Path, read: Callable[[Path], object]) -> Iterator[Finding]:
    read(path)
    yield well("settings", f"{path.name} can be read")


def certificates(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """Days left of every certificate here and of the revocation list, which refuses everyone once it has ended; and
    which of them it names. Those of rooms with a folder of their own count by the authorities' index (check_ends.py).
    """
    refused = check_revoked.serials(home)
    for path in sorted(home.pki.glob("*.crt")):
        yield from examine("certificates", lambda path=path: _standing(home, path, refused, now))  # type: ignore[misc]
    yield from examine("certificates", lambda: _days_left(home.pki / revoked.NAME, now))
    for path in sorted(home.pki.glob("*/room.crt")):
        yield from examine("certificates", lambda path=path: check_revoked.judged(home, path, refused))  # type: ignore[misc]


def _standing(home: Home, path: Path, refused: frozenset[int], now: dt.datetime) -> Iterator[Finding]:
    """What is revoked is not good for any days."""
    found = list(check_revoked.judged(home, path, refused))
    yield from found or _days_left(path, now)


def _days_left(path: Path, now: dt.datetime) -> Iterator[Finding]:
    left = (reading.ends_at(path) - now).total_seconds() / 86400
    least = CRL_DAYS if path.suffix == ".pem" else CA_DAYS if path.stem.endswith("-ca") else LEAF_DAYS
    if left < 0:
        yield wrong("certificates", f"{path.name} has ended {-left:.0f} days ago", RENEW)
    elif left < least:
        step = _FOLLOW.get(path.name, RENEW)
        yield wrong("certificates", f"{path.name} ends in {left:.0f} days", step)
    else:
        yield well("certificates", f"{path.name} is good for {left:.0f} days")


def owners(home: Home) -> Iterator[Finding]:
    """All that lies in the home belongs to whom the home belongs to, so that every service can use it."""
    owner = home.var.stat().st_uid
    strange: list[Path] = []
    served = parts.are_served(home.var)

    def closed(error: OSError) -> None:
        strange.append(Path(error.filename))

    for folder, names, files in os.walk(home.var, onerror=closed):
        if served and Path(folder) == home.var:
            names[:] = [name for name in names if name not in (parts.SERVED, "log")]
        paths = (Path(folder), *(Path(folder) / name for name in files))
        strange += [path for path in paths if path.lstat().st_uid != owner]
    if not strange and served:
        yield from _served(home)
        return
    if not strange:
        yield well("owners", "everything here belongs to the home's user")
        return
    more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
    text = f"{strange[0]}{more} cannot be used by the home's user"
    yield wrong("owners", text, parts.given_back(home.var))


def _served(home: Home) -> Iterator[Finding]:
    """What each service has is its own and the hub's commands', and nobody else's."""
    try:
        strange = sorted(set(owning.strange(home.var, owning.known())))
    except OSError as error:
        strange = [Path(error.filename)]
    if not strange:
        yield well("owners", "everything here belongs to the home's user, and to each service what is its own")
        return
    more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
    yield wrong("owners", f"{strange[0]}{more} is not the service's alone, or not its own", "`homesystem repair`")


def modes(home: Home) -> Iterator[Finding]:
    """Keys and secrets are their owner's alone."""
    private = [*home.pki.glob("*.key"), *home.vault.glob("*.key"), *(home.var / "secrets").iterdir()]
    shared = [home.mosquitto / "dynamic-security.json", *_databases(home, "*.sqlite3")]
    others = {path: 0o007 if sharing.is_shared(path.parent) else 0o077 for path in [*private, *shared]}
    open_ones = [path for path, mode in others.items() if path.exists() and path.stat().st_mode & mode]
    private += shared
    for path in open_ones:
        yield wrong(
            "modes", f"{path} may be read by others ({stat.filemode(path.stat().st_mode)})", f"chmod 600 {path}"
        )
    if not open_ones:
        yield well("modes", f"{len(private)} keys, secrets and databases are their owner's alone")


def _databases(home: Home, pattern: str) -> Iterator[Path]:
    return (path for folder in parts.databases(home.var) for path in folder.glob(pattern))


def clock(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """The clock shows no time before something that has happened already."""
    begun = {path: reading.begins_at(path).timestamp() for path in home.pki.glob("*.crt")}
    written = {path: path.stat().st_mtime for path in _databases(home, "*.sqlite3*")}
    for path, moment in (begun | written).items():
        if moment > now.timestamp() + _SKEW_SECONDS:
            then = dt.datetime.fromtimestamp(moment, dt.UTC)
            text = f"it shows {now:%Y-%m-%d %H:%M} UTC, and {path.name} is from {then:%Y-%m-%d %H:%M} UTC"
            yield wrong("clock", text, "wait for network time or set it; see timedatectl")
            return
    yield well("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, later than everything here")


def disk(home: Home) -> Iterator[Finding]:
    """There is room for proof."""
    usage = shutil.disk_usage(home.var)
    text = f"{usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.0f} where {home.var} lies"
    if usage.free < _FREE_BYTES:
        yield wrong("disk", text, "free some: without proof critical commands are refused")
    else:
        yield well("disk", text)


def databases(home: Home) -> Iterator[Finding]:
    """Accounts, record and readings are whole files, as SQLite sees them; a server looks after its own."""
    from alert_service import config as alerts
    from alert_service.readings import config as readings
    from auth_service import config as auth
    from shared.keeping.database import file_of

    found = {
        "accounts": auth.read(home.config("auth")).database,
        "record": alerts.read(home.config("alerts")).database,
        "readings": readings.read(home.config("readings")).database,
    }
    torn = 0
    for name, url in found.items():
        path = file_of(url)
        if path is None or not path.exists():
            continue
        try:
            reason = torn_files.examine(path)
        except (sqlite3.Error, OSError) as error:
            reason = f"its disk takes nothing: {error}"
        if reason is not None:
            torn += 1
            yield wrong("databases", f"{name}: {path} is torn ({reason})", "`homesystem repair`; docs/doctor.md")
    asides = sorted(path for folder in parts.databases(home.var) for path in folder.rglob("*.torn-*Z"))
    if not torn:
        lie = f"; {len(asides)} torn files lie aside in {asides[-1].parent}" if asides else ""
        yield well("databases", f"accounts, record and readings are whole files{lie}")


def spools(home: Home) -> Iterator[Finding]:
    """Every producer here can write its proof, and little waits to be recorded."""
    from auth_service import config as auth
    from gateway import config as gateway

    paths = {
        "auth": lambda: auth.read(home.config("auth")).spool,
        "gateway": lambda: gateway.load_config(home.config("gateway")).spool,
    }
    for name, where in paths.items():
        yield from examine("spools", lambda name=name, where=where: _spool(name, where()))  # type: ignore[misc]


def _spool(name: str, path: Path) -> Iterator[Finding]:
    if not path.exists():
        yield well("spools", f"{name}: not begun; the service makes it at its first start")
        return
    try:
        database = sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None, timeout=2.0)
        try:
            waiting = int(database.execute("SELECT count(*) FROM event WHERE receipted_at IS NULL").fetchone()[0])
            database.execute("BEGIN IMMEDIATE")
            database.execute("UPDATE event SET id = id WHERE seq = (SELECT max(seq) FROM event)")
            database.execute("ROLLBACK")
        finally:
            database.close()
    except sqlite3.Error as error:
        yield wrong("spools", f"{name}: {path} cannot be written ({error})", "check its disk, owner and mode")
        return
    if disks.is_full(path.parent):
        yield wrong("spools", f"{name}: {path} cannot be written, as its disk is full", "free space there")
        return
    text = f"{name}: can be written, {waiting} event{'s' if waiting != 1 else ''} wait to be recorded"
    if waiting > MOST_WAITING:
        yield wrong("spools", text, "see whether the alert service and the broker run, and alerts.log")
    else:
        yield well("spools", text)
