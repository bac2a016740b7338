"""`python -m tests.letter_samples FOLDER`: every kind of letter in every language, as text and as HTML, to look at."""

import argparse
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from alert_service.chain import chain
from alert_service.letters import daily, letters, notices
from alert_service.letters.day_story import Counted, DayStory, Done
from alert_service.letters.sheet import Written
from alert_service.telling import wording
from alert_service.telling.names import Names
from alert_service.telling.noticed import SECOND
from alert_service.telling.reader import Links, Reader
from alert_service.telling.story import Story
from alert_service.telling.tidings import Doubt, Form, Tiding
from alert_service.telling.tidings import Letter as Notice
from auth_service.confirming import letters as codes
from shared.mail import Letter, compose
from shared.words.internal import User
from shared.words.internal_alerts import ChainBroken, ChainStatus
from shared.words.languages import LANGUAGES, Language, tongue
from shared.words.messages import AuditEvent, UserRef, Who, utc
from shared.words.names import Outcome, Role, Severity

AT = datetime(2026, 11, 23, 13, 6, 9, tzinfo=UTC).timestamp()
_COMMAND = "5f0c5a7e-9d7b-4a43-8a6c-51f1c8a0d7a"
ANNA = UserRef(id="u1", name="Anna")
NAMES: dict[Language, tuple[dict[str, str], dict[str, dict[str, str]]]] = {
    "en": (
        {"hall": "Hall", "garage": "Garage"},
        {
            "hall": {"front-door": "Front door", "lamp": "Lamp"},
            "garage": {"door": "Garage door", "door-contact": "Garage door contact"},
        },
    ),
    "de": (
        {"hall": "Flur", "garage": "Garage"},
        {
            "hall": {"front-door": "Haustür", "lamp": "Lampe"},
            "garage": {"door": "Garagentor", "door-contact": "Garagentor"},
        },
    ),
}


def reader(language: Language) -> Reader:
    """Somebody in Berlin."""
    names = Names()
    names.recall(*NAMES[language], home={})
    return Reader(
        zone=zoneinfo.ZoneInfo("Europe/Berlin"),
        tongue=tongue(language),
        names=names,
        links=Links("https://home.example:8443"),
    )


def samples(language: Language) -> Iterator[tuple[str, Written]]:
    """Each kind of letter by a name."""
    to = reader(language)
    yield "unlocked", letters.write(_command(Outcome.EXECUTED), to, urgent=True)
    yield "no-answer", letters.write(_command(Outcome.UNKNOWN), to, urgent=True)
    yield "failed", letters.write(_command(Outcome.FAILED), to)
    yield "claimed", letters.write(Story(ended=Outcome.EXECUTED, outcome=_row("hall", _event(), 9)), to, urgent=True)
    for name, source, event in _events():
        yield name, letters.write(Story(ended=event.outcome, outcome=_row(source, event, 11)), to)
    stories = [
        Story(ended=Outcome.REJECTED, outcome=_row("gateway", _event(outcome=Outcome.REJECTED, id=f"c{n}"), 20 + n))
        for n in range(3)
    ]
    for name, notice in _notices():
        yield name, notices.write(notice, "garage", to)
    yield "refused", letters.write_refused("gateway", 3, stories, to)
    more = [
        Story(
            ended=Outcome.EXECUTED,
            intent=_row("gateway", _event(outcome=Outcome.ASKED, id=f"{_COMMAND}{n}"), 30 + 2 * n),
            outcome=_row("hall", _event(id=f"{_COMMAND}{n}"), 31 + 2 * n),
        )
        for n in range(3)
    ]
    yield "together", letters.write_together(more, to, urgent=True)
    locked = _event(what="device:lock", id=f"{_COMMAND}9", outcome=Outcome.ASKED)
    yield (
        "together-mixed",
        letters.write_together([*more[:2], Story(ended=Outcome.UNKNOWN, intent=_row("gateway", locked, 40))], to),
    )
    did = _row("hall", _event(what="device:lock", id=f"{_COMMAND}9"), 41)
    both = Story(ended=Outcome.EXECUTED, intent=_row("gateway", locked, 40), outcome=did)
    yield "together-both", letters.write_together([*more[:2], both], to)
    broken = ChainStatus(row=905, hash="9f86d0", checked_at=utc(AT), broken=ChainBroken(row=7, reason="was changed"))
    yield "daily-broken", daily.write(msgspec.structs.replace(_figures(), status=broken), to)
    yield "daily", daily.write(_figures(), to)
    yield "digest", letters.write_digest("gateway", 5, stories, to)


def events(language: Language) -> Iterator[tuple[str, Written]]:
    """A letter about every event that has words, with a person in it, by its `what`."""
    to = reader(language)
    for what in wording.KNOWN:
        place = {"device": "hall/lamp", "home": "home", "room": "garage", "account": "user/u1"}.get(what.split(":")[0])
        told = _event(what=what, where=place or f"{what.split(':')[0]}/x", id=None, detail={"user": "Anna"})
        yield what.replace(":", "-"), letters.write(Story(ended=told.outcome, outcome=_row("auth", told, 12)), to)
    forged = _event(what="session:new-place", where="session/x", id=None)
    yield "claim", letters.write(Story(ended=forged.outcome, outcome=_row("hall", forged, 13)), to)


def _notices() -> Iterator[tuple[str, Notice]]:
    at = round(AT * SECOND)
    opened = Tiding(what="device:opened", place="garage/door-contact", at=at, until=at, received_at=at)
    lasting = msgspec.structs.replace(opened, told_after=600 * SECOND)
    doubtful = msgspec.structs.replace(lasting, doubts=(Doubt("room-away", at + 300 * SECOND),))
    over = at + 840 * SECOND
    ended = msgspec.structs.replace(lasting, ended_at=over, end_received_at=over)
    press = msgspec.structs.replace(opened, what="device:pressed", place="hall/doorbell", nobody_home=True)

    def notice(form: Form, told: Tiding, after: int) -> Notice:
        return Notice(form=form, rule="Garage left open", urgent=False, made_at=at + after * SECOND, tidings=(told,))

    yield "open", notice("began", lasting, 605)
    yield "open-as-far-as-known", notice("began", doubtful, 605)
    yield "closed-again", notice("ended", ended, 840)
    yield "was-open", notice("both", ended, 86_400)
    yield "bell", notice("began", press, 0)
    many = tuple(msgspec.structs.replace(ended, at=at + n * SECOND, until=at + n * SECOND) for n in range(20))
    yield "sum", msgspec.structs.replace(notice("sum", opened, 3600), tidings=many, count=1200, last_at=over, late=True)


def _events() -> Iterator[tuple[str, str, AuditEvent]]:
    away = {"since": "2026-11-23T13:02:00+00:00"}
    yield (
        "mismatch",
        "hall",
        _event(
            what="device:mismatch",
            where="hall/lamp",
            issuer="hall",
            user=None,
            address=None,
            outcome=Outcome.FAILED,
            id=None,
            detail={"pin": "17", "wrote": "0", "reads": "1"},
        ),
    )
    yield (
        "room-away",
        "alerts",
        _event(
            what="room:offline",
            where="garage",
            issuer="alerts",
            user=None,
            address=None,
            outcome=Outcome.FAILED,
            id=None,
            detail=away,
        ),
    )
    yield (
        "room-back",
        "alerts",
        _event(
            what="room:online-again",
            where="garage",
            issuer="alerts",
            user=None,
            address=None,
            id=None,
            detail=away | {"away": "4 min 9 s"},
        ),
    )
    yield (
        "new-place",
        "auth",
        _event(
            what="session:new-place",
            where="session/x",
            severity=Severity.SECURITY,
            id=None,
            detail={"browser": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
        ),
    )
    yield "password", "auth", _event(what="account:password-changed", where="user/u1", id=None, detail={"user": "Anna"})
    yield (
        "account",
        "auth",
        _event(
            what="account:created",
            where="user/u2",
            id=None,
            issuer="admin",
            user=None,
            address=None,
            detail={"user": "Ben"},
        ),
    )
    stands = {
        "grant-1": "hall/front-door mon-fri 22:00-06:00 until 2026-12-24T23:00:00Z only lock unlock",
        "grant-2": "hall/lamp",
    }
    detail = {"user": "Ben", "grants": "2", **stands}
    yield "grants", "auth", _event(what="account:grants-changed", where="user/u2", id=None, detail=detail)
    yield "lockdown", "auth", _event(what="home:locked-down", where="home", id=None)
    yield "lockdown-over", "auth", _event(what="home:lockdown-ended", where="home", id=None)
    yield "locked-out", "auth", _event(what="device:locked-out", where="hall/lamp", id=None)
    yield (
        "id-reused",
        "gateway",
        _event(severity=Severity.SECURITY, outcome=Outcome.REJECTED, detail={"reason": "id-reused"}),
    )
    yield (
        "broken",
        "alerts",
        _event(
            what="audit:chain-broken",
            where="alerts",
            issuer="alerts",
            user=None,
            address=None,
            id=None,
            severity=Severity.SECURITY,
            detail={"row": "7", "told": "was changed"},
        ),
    )


def _figures() -> daily.Figures:
    story = DayStory(
        done=(
            Done("device:unlock", "hall/front-door", 3, ("Anna", "Ben")),
            Done("device:press", "garage/door", 1, ("Anna",)),
        ),
        opened=(Counted("device:opened", "hall/front-door", 14),),
        odd=(Counted("room:offline", "garage", 1), Counted("device:mismatch", "hall/lamp", 1)),
        refused=2,
    )
    return daily.Figures(
        day="2026-11-24",
        since=AT - 80_000,
        until=AT + 6400,
        row=905,
        hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        events=212,
        security=1,
        critical={"executed": 4, "rejected": 2},
        sent=9,
        waiting=0,
        refused=0,
        gathered={},
        removed={},
        status=ChainStatus(row=905, hash="9f86d0", checked_at=utc(AT)),
        story=story,
    )


def _codes(language: Language) -> Iterator[tuple[str, Letter]]:
    given = {
        "to": User(id="u1", name="Anna", email="anna@example.org", role=Role.MASTER),
        "code": "ABCD-2345",
        "address": "192.0.2.7",
        "message_id": "1",
        "tongue": tongue(language),
    }
    yield "code", codes.code_letter(**given)  # type: ignore[arg-type]  # by name
    yield "code-lockdown", codes.lockdown_letter(ends=False, **given)  # type: ignore[arg-type]  # by name


def _command(ended: Outcome) -> Story:
    outcome = None if ended is Outcome.UNKNOWN else _row("hall", _event(outcome=ended), 8)
    return Story(ended=ended, intent=_row("gateway", _event(outcome=Outcome.ASKED), 7), outcome=outcome)


def _event(
    *,
    what: str = "device:unlock",
    where: str = "hall/front-door",
    issuer: str = "gateway",
    user: UserRef | None = ANNA,
    address: str | None = "192.0.2.7",
    id: str | None = "3f0c5a7e-9d7b-4a43-8a6c-51f1c8a0d7aa",  # noqa: A002 - the field's own name
    outcome: Outcome = Outcome.EXECUTED,
    severity: Severity = Severity.CRITICAL,
    detail: dict[str, str] | None = None,
) -> AuditEvent:
    return AuditEvent(
        id=f"e-{what}-{id}".replace(":", "-")[:64],
        at=utc(AT),
        what=what,
        where=where,
        who=Who(issuer=issuer, user=user, address=address),
        command_id=id,
        outcome=outcome,
        severity=severity,
        detail=detail or {},
    )


def _row(source: str, event: AuditEvent, number: int) -> chain.Row:
    return chain.append(source, event, received_at=utc(AT + 1), salt=b"s" * 16, row=number)


def _letter(name: str, written: Written) -> Letter:
    return Letter(
        to="anna@example.org",
        subject=written.subject,
        text=written.text,
        html=written.html,
        thread=written.thread,
        urgent=written.urgent,
        message_id=name,
    )


def main() -> None:
    """Write them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True, exist_ok=True)
        told = [(name, _letter(name, written)) for name, written in (*samples(language), *events(language))]
        for name, letter in [*told, *_codes(language)]:
            for ending, content in (
                ("txt", f"{letter.subject}\n\n{letter.text}".encode()),
                ("html", (letter.html or "").encode()),
                ("eml", compose(letter, "Home System <home@example.org>", AT).as_bytes()),
            ):
                (folder / language / f"{name}.{ending}").write_bytes(content)


if __name__ == "__main__":
    main()
