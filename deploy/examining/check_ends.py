"""What the doctor knows from the authorities: who signs, and whose certificate ends that lies on no disk here."""

import datetime as dt
from collections.abc import Iterator

from deploy.authority import rotating, web_rotating
from deploy.examining.finding import Finding, well, wrong
from deploy.folder.home import Home
from deploy.pki import signers
from shared.running import installed
from shared.trust.signing import UNIT, End, Phase

FOLLOW_DAYS = 45
"""A room that is on follows another authority within a day; whoever has not by then waits for somebody."""
TOLD_DAYS = 30
"""A room has tried to renew for as long by then."""
LATE = dt.timedelta(days=2)
"""A daily timer has come by twice."""


def signer(home: Home) -> Iterator[Finding]:
    """The authorities' keys are the signer's alone, and it answers."""
    reached = home.signer()
    if reached is not None:
        yield well("signer", f"answers at {reached}")
    elif home.settings.demo:
        yield well("signer", "does not run; whoever may run this command signs by itself")
    else:
        yield wrong(
            "signer",
            f"does not answer at {signers.socket(home.var, demo=False)}; the authorities' keys lie in {home.vault}, "
            "where every service of the home can read them",
            f"run {installed.again('hub')}, which moves them, and see that {UNIT} runs",
        )


def ends(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """Rooms and clients have their certificates elsewhere; the newest of each is what counts."""
    known = [end for end in home.authority().authorities.ends() if end.role in ("room", "client")]
    for end in known:
        left = (end.at - now).total_seconds() / 86400
        when = f"has ended {-left:.0f} days ago" if left < 0 else f"ends in {left:.0f} days"
        if left < TOLD_DAYS:
            yield wrong("certificates", f"{end.role} {end.name}: its certificate {when}", step(end))
    good = [end for end in known if (end.at - now).total_seconds() / 86400 >= TOLD_DAYS]
    if good:
        soonest = min(good, key=lambda end: end.at)
        days = (soonest.at - now).days
        text = f"{len(good)} rooms and clients are good, the first ({soonest.name}) for {days} days"
        yield well("certificates", text)


def following(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """Where another device authority follows: who is behind, and for how long that has been going on."""
    standing = rotating.look(home)
    if standing.following.phase is None and not standing.ending:
        return
    since = standing.following.since or now
    days, behind = (now - since).days, standing.behind
    names = ", ".join(f"{one.role} {one.name}" for one in behind)
    if standing.ending:
        text = "the former device authority was to end, and that was interrupted"
        yield wrong("certificates", text, "`homesystem authority rotate --finish`")
    elif not behind:
        text = "everybody has followed the other device authority; the former one ends with the next `homesystem renew`"
        yield well("certificates", text)
    elif days < FOLLOW_DAYS:
        yield well("certificates", f"another device authority has been following for {days} days; not yet: {names}")
    else:
        text = f"another device authority has been following for {days} days, and these have not: {names}"
        yield wrong("certificates", text, "`homesystem authority list` says what to do for each")


def following_web(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """Where another web authority is offered: when the hub changes over, and whether it should have."""
    if home.settings.former_names:
        return  # its new name has an authority of its own, and none follows that before the rename is done
    found = web_rotating.look(home)
    if found.phase is None:
        return
    changes = found.changes_at or now
    if found.phase is Phase.SERVING:
        text = "the hub was to change over to another web authority, and that was interrupted"
        yield wrong("certificates", text, "`homesystem renew`")
    elif now > changes + LATE:
        text = f"the hub was to change over to another web authority on {changes:%Y-%m-%d}, and has not"
        yield wrong("certificates", text, "`homesystem renew`, and see that homesystem-renew.timer runs")
    else:
        text = (
            f"another web authority is offered to browsers, and the hub changes over on {changes:%Y-%m-%d}: each phone "
            f"and computer installs it from https://{home.settings.name}:{home.settings.https_port}/authority before"
        )
        yield well("certificates", text)


def step(end: End) -> str:
    """What a person can do about it."""
    renew = f"`homesystem {end.role} renew {end.name}`"
    if end.role == "client":
        return renew
    return f"see that its Pi is on and homesystem-room-renew@{end.name}.timer runs there, or: {renew}"
