"""Is my home set up safely? What was looked at, what is wrong with it and what to do, pure.

What nobody could look at is "unknown", and never well. Each finding names what asks for it: a provision of
ETSI EN 303 645 or a requirement of OWASP ASVS 5.0.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from shared.words.internal_alerts import AlertsReady
from shared.words.internal_house import HouseKept
from shared.words.messages import Moment
from shared.words.names import Role
from shared.words.noted import BY_HAND_DAYS, BackupMade, DoctorReport

State = Literal["well", "wrong", "unknown"]

CERTIFICATE_DAYS: Final = 30
"""Rooms and the hub renew by themselves with 60 days left: below this they tried for a month."""
DOCTOR_DAYS: Final = 31
FREE_BYTES: Final = 512 * 2**20
_FAILING: Final = timedelta(hours=1)


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Where the databases lie, in bytes."""

    free: int
    total: int


class RoomKept(msgspec.Struct, frozen=True, kw_only=True):
    """One room as its agent tells of itself. `version` is None where it has not told it."""

    id: str
    name: str
    status: str
    version: str | None


class AuthorityKept(msgspec.Struct, frozen=True, kw_only=True):
    """One of the home's authorities: when it ends; whether another follows it, and when that takes its place, if it is
    known before.
    """

    ends_at: Moment | None
    followed: bool = False
    changes_at: Moment | None = None


class Authorities(msgspec.Struct, frozen=True, kw_only=True):
    """`web` is None where browsers are shown a certificate that no authority of the home signed."""

    device: AuthorityKept
    web: AuthorityKept | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What could be learned; None where it could not, and `missing` says why, by field."""

    now: datetime
    version: str
    demo: bool
    writable: bool
    rooms: tuple[RoomKept, ...]
    house: HouseKept | None
    alerts: AlertsReady | None
    disk: Disk | None
    doctor: DoctorReport | None
    backup: BackupMade | None
    authorities: Authorities | None = None
    missing: dict[str, str]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `about` names the sentence (gateway/pages/house.py), `names` and `count` fill it.

    `step` is a command where one mends it; `standard` is what asks for it.
    """

    about: str
    state: State
    standard: str
    names: tuple[str, ...] = ()
    count: int = 0
    detail: str = ""
    step: str = ""


def checks(facts: Facts) -> tuple[Checked, ...]:
    """Everything that is looked at, what is wrong first, then what nobody could look at."""
    order = {"wrong": 0, "unknown": 1, "well": 2}
    return tuple(sorted(_all(facts), key=lambda one: order[one.state]))


def _all(facts: Facts) -> Iterator[Checked]:
    yield Checked(
        about="demo", state="wrong" if facts.demo else "well", standard="ETSI EN 303 645 5.1-1", step="homesystem init"
    )
    yield _strong(facts)
    yield _certificates(facts)
    yield _versions(facts)
    yield Checked(
        about="proof", state="well" if facts.writable else "wrong", standard="ASVS 5.0 16.3.3", step="homesystem doctor"
    )
    yield from _of_alerts(facts)
    yield _disk(facts)
    yield _backup(facts)
    yield _waiting(facts)
    yield from _doctor(facts)


def _waiting(facts: Facts) -> Checked:
    standard = "ETSI EN 303 645 5.5-5"
    if facts.house is None:
        return Checked(about="waiting", state="unknown", standard=standard, detail=facts.missing.get("house", ""))
    count = facts.house.waiting
    return Checked(about="waiting", state="wrong" if count else "well", standard=standard, count=count)


def _strong(facts: Facts) -> Checked:
    standard = "ASVS 5.0 6.3.3"
    if facts.house is None:
        return Checked(about="strong", state="unknown", standard=standard, detail=facts.missing.get("house", ""))
    weak = tuple(one.name for one in facts.house.people if one.role is Role.MASTER and not one.strong)
    return Checked(about="strong", state="wrong" if weak else "well", standard=standard, names=weak, count=len(weak))


def _certificates(facts: Facts) -> Checked:
    standard = "ASVS 5.0 12.3.5"
    if facts.house is None or facts.house.unsigned is not None:
        why = facts.missing.get("house", "") if facts.house is None else facts.house.unsigned or ""
        return Checked(about="certificates", state="unknown", standard=standard, detail=why)
    known = [(one, one.ends_at) for one in facts.house.enrolled if one.ends_at is not None]
    if len(known) < len(facts.house.enrolled):
        nameless = tuple(one.name for one in facts.house.enrolled if one.ends_at is None)
        return Checked(about="no-ends", state="unknown", standard=standard, names=nameless, count=len(nameless))
    least = timedelta(days=CERTIFICATE_DAYS)
    ending = tuple(one.name for one, at in known if at - facts.now < least)
    state: State = "wrong" if ending else "well"
    step = "homesystem room renew" if ending else ""
    return Checked(about="certificates", state=state, standard=standard, names=ending, count=len(ending), step=step)


def _versions(facts: Facts) -> Checked:
    standard = "ETSI EN 303 645 5.3-13"
    silent = tuple(room.name for room in facts.rooms if room.version is None)
    other = tuple(room.name for room in facts.rooms if room.version not in (None, facts.version))
    if other:
        step = "sudo homesystem upgrade"
        return Checked(about="versions", state="wrong", standard=standard, names=other, count=len(other), step=step)
    if silent:
        return Checked(about="no-version", state="unknown", standard=standard, names=silent, count=len(silent))
    return Checked(about="versions", state="well", standard=standard)


def _of_alerts(facts: Facts) -> Iterator[Checked]:
    letters, record = "ASVS 5.0 6.3.5", "ASVS 5.0 16.4.2"
    if facts.alerts is None:
        why = facts.missing.get("alerts", "")
        yield Checked(about="letters", state="unknown", standard=letters, detail=why)
        yield Checked(about="record", state="unknown", standard=record, detail=why)
        return
    mail, chain = facts.alerts.mail, facts.alerts.chain
    failing = mail.failing_since is not None or bool(mail.letters_refused) or not mail.recipients_known
    state: State = "wrong" if failing else "well"
    yield Checked(about="letters", state=state, standard=letters, step="homesystem doctor")
    if chain.broken is not None:
        row = chain.broken.row
        yield Checked(about="record", state="wrong", standard=record, count=row, step="homesystem audit verify")
    elif not facts.alerts.recording:
        yield Checked(about="recording", state="wrong", standard=record, step="homesystem doctor")
    elif chain.checked_at is None:
        yield Checked(about="record", state="unknown", standard=record)
    else:
        yield Checked(about="record", state="well", standard=record)


def _disk(facts: Facts) -> Checked:
    standard = "ETSI EN 303 645 5.9-1"
    if facts.disk is None:
        return Checked(about="disk", state="unknown", standard=standard, detail=facts.missing.get("disk", ""))
    return Checked(about="disk", state="well" if facts.disk.free >= FREE_BYTES else "wrong", standard=standard)


def _backup(facts: Facts) -> Checked:
    standard, step = "ETSI EN 303 645 5.9-2", "homesystem backup"
    if facts.backup is None:
        if "backup" in facts.missing:
            return Checked(about="backup", state="unknown", standard=standard, detail=facts.missing["backup"])
        return Checked(about="no-backup", state="wrong", standard=standard, step=step)
    days = (facts.now - facts.backup.at).days
    if days > BY_HAND_DAYS:
        return Checked(about="backup", state="wrong", standard=standard, count=days, step=step)
    return Checked(about="backup", state="well", standard=standard, count=max(days, 0))


def _doctor(facts: Facts) -> Iterator[Checked]:
    standard, step = "ETSI EN 303 645 5.12-3", "homesystem doctor"
    if facts.doctor is None:
        yield Checked(
            about="no-doctor", state="unknown", standard=standard, detail=facts.missing.get("doctor", ""), step=step
        )
        return
    days = (facts.now - facts.doctor.at).days
    if days > DOCTOR_DAYS:
        yield Checked(about="old-doctor", state="unknown", standard=standard, count=days, step=step)
        return
    faults = [line for line in facts.doctor.findings if line.state == "wrong"]
    skipped = sum(line.state == "skipped" and not line.noted for line in facts.doctor.findings)
    for line in faults:
        yield Checked(
            about="doctor-fault",
            state="wrong",
            standard=standard,
            names=(line.area,),
            detail=line.text,
            step=line.step,
        )
    if skipped:
        yield Checked(about="doctor-skipped", state="unknown", standard=standard, count=skipped, step=step)
    if not faults and not skipped:
        yield Checked(about="doctor", state="well", standard=standard, count=len(facts.doctor.findings))
