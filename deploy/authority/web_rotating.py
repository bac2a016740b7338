"""Lets another web authority follow the one that browsers know: it is offered to people first, and shown to them later.

A browser believes what a person installed, so nobody here can bring it along: the hub says on its pages when it changes
over, and goes on as it is until then. The signer keeps how far it has come; each step may be taken again. To be called
in the home's turn.
"""

import datetime as dt
import threading
import time

import msgspec

from deploy.authority import rotating
from deploy.folder import home as homes
from deploy.folder import naming, parts
from deploy.folder.home import Home
from deploy.pki import reading, served
from deploy.pki.files import sync, write
from deploy.pki.leaf import WEB_CA
from deploy.signer import desk
from shared.trust import authority
from shared.trust.authority import Plan
from shared.trust.signing import Phase, RotateWeb, WebFollowing, WebStep
from shared.words.problem import HomeError

DAYS = 30
"""For so long another one is offered before the hub changes over, unless somebody says otherwise."""
PATIENCE_SECONDS = 10.0
_AGAIN_SECONDS = 0.1
_LAST_DAY = dt.timedelta(days=1)


def look(home: Home) -> WebFollowing:
    """Where the home stands. Raises HomeError, ConfigError."""
    return home.authority().authorities.following_web(home.settings.web_hosts)


def begin(home: Home, now: dt.datetime, *, days: int | None = None) -> bool:
    """Have another one made and offered, to be changed over to in so many days; given again with days, in so many.

    False where nothing changed by it. Raises HomeError("invalid-value") where no browser is shown the home's own
    authority, or the hub is being renamed; "no-proof", and then nothing is begun; ConfigError.
    """
    _check(home)
    following = look(home)
    if following.phase is Phase.SERVING:
        end(home)
        return False
    changed = False
    if following.phase is None or days is not None:
        changes_at = now.replace(microsecond=0) + dt.timedelta(days=DAYS if days is None else days)
        # What has ended by itself vouches for nobody: there is no point in going on with it until then.
        changed = _step(home, "begin", min(changes_at, max(following.ends - _LAST_DAY, now.replace(microsecond=0))))
    _publish(home)
    return changed


def end(home: Home) -> None:
    """Change over to the one that follows now, and have the former's key destroyed.

    Raises HomeError("invalid-value") where none follows; "broker-unreachable" where the gateway runs and goes on with
    the former: then that is kept.
    """
    if look(home).phase is None:
        raise HomeError("invalid-value", "No web authority follows another: there is nothing to change over to.")
    _step(home, "serve")
    homes.renew(home)
    _see(home)  # before there is no way back
    _step(home, "end")
    _publish(home)


def go_on(home: Home, now: dt.datetime) -> bool:
    """What a daily timer does: finish what was interrupted, and change over once it is time. Whether it did just now.

    To be called once certificates were renewed, as that shows whether another one follows.
    """
    if len(reading.certificates(home.pki / authority.FILE)) == 1 and not (home.pki / authority.PLAN).exists():
        return False
    following = look(home)
    is_due = following.phase is Phase.SERVING or (following.changes_at is not None and now >= following.changes_at)
    if following.phase is not None and is_due:
        end(home)
        return True
    _publish(home)
    return False


def _check(home: Home) -> None:
    settings = home.settings
    naming.check(home.var, settings.name, settings.former_names)
    if (own := homes.own_certificate(home)) is not None:
        raise HomeError(
            "invalid-value",
            f"Browsers are shown {own}, which no authority of this home signed: whoever looks after that certificate "
            "renews it. There is nothing to rotate here.",
        )
    if settings.former_names:
        raise HomeError(
            "invalid-value",
            f"The hub is being renamed from {settings.former_names[0]} to {settings.name}, with another web authority: "
            "end that first (homesystem rename --done).",
        )


def _publish(home: Home) -> None:
    """What follows from what the signer says: whom programs believe, and what pages say to people."""
    home.authority().publish(WEB_CA, home.settings.web_hosts)
    following, path = look(home), home.pki / authority.PLAN
    if following.phase is None or following.changes_at is None:
        if path.exists():
            path.unlink()
            sync(path.parent)
        return
    (followed,) = authority.ders(following.pem)
    plan = Plan(fingerprint=authority.fingerprint(followed), changes_at=following.changes_at)
    content = msgspec.json.encode(plan)
    if not path.exists() or path.read_bytes() != content:
        write(path, content, 0o644)


def _see(home: Home) -> None:
    """Wait until a gateway that runs shows what lies on disk, to whoever knocks."""
    if homes.own_certificate(home) is not None:
        return
    parts.hand_out(home.var)
    path, pause = home.pki / "web.crt", threading.Event()
    patience_ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if served.look(home.called("gateway"), home.settings.https_port).is_of(path):
                return
        except HomeError:
            return  # none runs: the next one reads what lies there
        if time.monotonic() > patience_ends:
            raise HomeError(
                "broker-unreachable",
                f"The gateway still shows another certificate than {path}: `journalctl -u homesystem-gateway` says "
                "why; restart homesystem-gateway, then `homesystem renew`. The former authority is kept until then.",
            )
        pause.wait(_AGAIN_SECONDS)


def _step(home: Home, step: WebStep, changes_at: dt.datetime | None = None) -> bool:
    """The signer writes down by itself what it does; where none runs, its work is ours."""
    authorities, hosts = home.authority().authorities, tuple(home.settings.web_hosts)
    if home.signer() is None:
        order = RotateWeb(step=step, hosts=hosts, changes_at=changes_at)
        if (told := desk.told_of_web(order, authorities.following_web(hosts))) is not None:
            rotating.note(home, told.what, told.detail, severity=told.severity)
    return authorities.rotate_web(step, hosts, changes_at)
