"""Letters say what, when, who, from where and how it ended, and carry no trick of whoever supplied a text."""

import html
import zoneinfo
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.chain import chain
from alert_service.letters import letters
from alert_service.record import proofs
from alert_service.telling import cleaning, wording
from alert_service.telling.names import Names
from alert_service.telling.reader import Links, Reader
from alert_service.telling.story import Story
from gateway.pages.story import acts
from shared.mail import Letter, compose
from shared.words.messages import AuditEvent, UserRef, utc
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import ADA, START, event

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
PAGES = "https://home.example:8443"
READER = Reader(zone=BERLIN)
LINKED = Reader(zone=BERLIN, links=Links(PAGES))
EVIL = "<img src=x onerror=alert(1)>\r\nBcc: eve@example.org\u202e\x1b[2J{{7*7}}"


def row(source: str, told: AuditEvent, number: int = 1) -> chain.Row:
    return chain.append(source, told, received_at=utc(START + 2), salt=b"s" * 16, row=number)


def joined(ended: Outcome = Outcome.EXECUTED) -> Story:
    return Story(
        ended=ended,
        intent=row("gateway", event(outcome=Outcome.ASKED), 7),
        outcome=row("hall", event(outcome=ended, user=UserRef(id="u9", name="Mallory")), 8),
    )


def test_the_first_lines_say_what_when_who_where_from_and_how_it_ended() -> None:
    written = letters.write(joined(), LINKED)
    assert written.subject == "Front door (hall) unlocked — Ada, 21:04"
    assert written.text.splitlines()[:5] == [
        "Ada unlocked Front door (hall) at 21:04.",
        "",
        "When:    Monday, 23 November 2026, 21:04:00 CET",
        "Who:     Ada (through gateway)",
        "From:    192.0.2.7",
    ]
    assert "Outcome: executed, by the room hall's word" in written.text
    assert "device:unlock" not in written.text + written.html
    assert "UTC" not in written.text + written.html
    for page in ("/lockdown", "/account#sessions"):
        assert PAGES + page in written.text
        assert f'href="{PAGES}{page}"' in written.html
    assert f"{PAGES}/history?row=8#row-8" in written.text
    assert f'href="{PAGES}/history?row=8#row-8"' in written.html


def test_every_row_and_its_hash_are_printed() -> None:
    story = joined()
    written = letters.write(story, READER)
    for proof in (story.intent, story.outcome):
        assert proof is not None
        for body in (written.text, written.html):
            assert f"row {proof.row} ({proof.source})" in body
            assert proof.hash in body
    message = compose(
        Letter(to="ada@example.org", subject=written.subject, text=written.text), "Home <home@localhost>", START
    )
    for ends in (b"\n", b"\r\n"):  # as it was composed, and as mailboxes keep it
        kept = message.as_bytes().replace(b"\n", ends)
        printed = [(one.row, one.hash, one.source) for one in proofs.read(kept)]
        assert printed == [(row.row, row.hash, row.source) for row in story.rows]


def test_a_rooms_word_about_a_person_is_given_as_its_claim() -> None:
    written = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("hall", event())), READER)
    assert written.subject == "Front door (hall) unlocked — Ada (claimed), 21:04"
    assert "Ada (through gateway), as claimed by the room hall" in written.text
    assert "192.0.2.7, as claimed by the room hall" in written.text


def test_a_gateways_word_outweighs_the_rooms() -> None:
    written = letters.write(joined(), READER)
    assert "Mallory" not in written.text
    assert "claimed" not in written.text


def test_a_room_that_reports_another_action_is_pointed_out() -> None:
    asked = row("gateway", event(outcome=Outcome.ASKED, what="device:lock"))
    for what, told in (("device:unlock", "unlock"), ("device:spin", "device:spin"), ("spin", "spin")):
        story = Story(ended=Outcome.EXECUTED, intent=asked, outcome=row("hall", event(what=what)))
        text = " ".join(letters.write(story, READER).text.split())
        assert f"the room hall reports another action: {told}." in text


@pytest.mark.parametrize(
    ("ended", "subject", "told"),
    [
        (Outcome.EXECUTED, "Front door (hall) unlocked — Ada, 21:04", "Ada unlocked Front door (hall) at 21:04."),
        (Outcome.REJECTED, "Front door (hall): unlock refused — Ada, 21:04", "It was refused, and nothing was done."),
        (Outcome.EXPIRED, "Front door (hall): unlock came too late — Ada, 21:04", "It came too late, and nothing"),
        (Outcome.FAILED, "Front door (hall): unlock failed — Ada, 21:04", "and it failed: look at the device."),
        (Outcome.UNKNOWN, "Front door (hall): unlock, outcome unknown — Ada, 21:04", "but the room did not answer"),
    ],
)
def test_every_outcome_has_its_words(ended: Outcome, subject: str, told: str) -> None:
    written = letters.write(joined(ended), READER)
    assert written.subject == subject
    assert told in " ".join(written.text.split())


def test_an_act_of_two_names_both_by_the_gateways_word_alone() -> None:
    two = {"user": "Bea", "partner": "u2"}
    intent = row("gateway", event(outcome=Outcome.ASKED, detail=two), 7)
    story = Story(ended=Outcome.EXECUTED, intent=intent, outcome=row("hall", event(), 8))
    written = letters.write(story, LINKED)
    assert written.subject == "Front door (hall) unlocked — Bea and Ada, 21:04"
    assert written.text.startswith("Bea and Ada unlocked Front door (hall) at 21:04.")
    assert "Who:     Bea and Ada (through gateway)" in written.text
    assert "u2" not in written.text, "an id tells nobody anything"
    claimed = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("hall", event(detail=two), 8)), LINKED)
    assert "Bea and Ada" not in claimed.text + claimed.subject


@pytest.mark.parametrize("what", ["wished", "agreed", "taken-back", "wish-dropped"])
def test_what_takes_two_is_the_hubs_to_tell(what: str) -> None:
    told = event(what=f"device:{what}", command_id=None, detail={"action": "unlock", "user": "Bea", "partner": "u2"})
    ours = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("auth", told)), LINKED)
    assert "Front door (hall)" in ours.subject
    assert "claims" not in ours.text
    assert not wording.may_say("hall", told.what)


APPOINTED = {"action": "unlock", "due": "2026-03-01T20:14:00+00:00", "command": "b1"}


def test_the_letter_about_an_appointment_says_when_and_how_it_is_refused() -> None:
    told = event(what="device:appointed", command_id=None, detail=APPOINTED)
    written = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("auth", told)), LINKED)
    assert written.subject == "Front door (hall): unlock at 21:14, unless it is refused — Ada, 21:04"
    assert "Ada wants to unlock Front door (hall). It is done at 21:14, unless" in written.text
    assert "https://home.example:8443/rooms/hall#hall.front-door" in written.text
    assert "Refuse it" in written.html
    assert "2026-03-01T20:14" not in written.text
    assert "Lock the home down" in written.text


def test_to_what_something_is_to_be_set_stands_in_the_letter() -> None:
    told = event(what="device:appointed", command_id=None, detail=APPOINTED | {"action": "set", "value": "40"})
    assert "value: 40" in letters.write(Story(ended=Outcome.EXECUTED, outcome=row("auth", told)), LINKED).text


@pytest.mark.parametrize(
    ("what", "reason", "said"),
    [
        ("vetoed", None, "refused"),
        ("appointment-dropped", "missed", "It could not be done within five seconds of its time."),
        ("appointment-dropped", "session-ended", "The session is over in which it was asked for."),
        ("appointment-dropped", "lockdown", "locked down"),
        ("appointment-dropped", "room-offline", "Nothing was done."),
        ("appointment-unknown", "gateway-lost", "outcome unknown"),
    ],
)
def test_what_becomes_of_an_appointment_is_told_with_its_time_and_offers_no_refusal(
    what: str, reason: str | None, said: str
) -> None:
    detail = APPOINTED | {"user": "Bea", "partner": "u2"} | ({} if reason is None else {"reason": reason})
    told = event(what=f"device:{what}", command_id=None, detail=detail)
    written = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("auth", told)), LINKED)
    assert said in written.text + written.subject
    assert "21:14" in written.subject
    assert "Refuse it" not in written.html
    assert not wording.may_say("hall", told.what)
    assert ("Nothing was done" in written.text) is (what != "appointment-unknown")


def test_an_outcome_that_came_while_the_letter_waited_is_told() -> None:
    story = Story(
        ended=Outcome.UNKNOWN,
        intent=row("gateway", event(outcome=Outcome.ASKED)),
        outcome=row("hall", event(outcome=Outcome.EXECUTED)),
    )
    assert letters.write(story, READER).subject.startswith("Front door (hall) unlocked")


def test_an_account_event_and_a_security_event_have_their_subjects() -> None:
    account = event(what="account:created", where="bob@example.org", issuer="admin", user=None, command_id=None)
    written = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("auth", account)), READER)
    assert written.subject == "Account created: bob@example.org — the hub's command line, 21:04"
    attack = event(severity=Severity.SECURITY, outcome=Outcome.REJECTED, user=None, issuer="phone")
    written = letters.write(Story(ended=Outcome.REJECTED, outcome=row("hall", attack)), READER)
    assert written.subject == "Security: Front door (hall): unlock refused — phone (claimed), 21:04"


MISMATCH = event(
    what="device:mismatch",
    where="hall/lamp",
    issuer="hall",
    user=None,
    address=None,
    command_id=None,
    outcome=Outcome.FAILED,
    detail={"pin": "17", "wrote": "0", "reads": "1"},
)


def test_a_pin_that_does_not_follow_is_told_with_what_it_reads_and_what_to_do() -> None:
    written = letters.write(Story(ended=Outcome.FAILED, outcome=row("hall", MISMATCH)), LINKED, urgent=True)
    assert written.subject == "Pin mismatch: Lamp (hall) does not follow — the room hall, 21:04"
    for line in ("Who:    the room hall", "Detail: pin: 17", "Detail: reads: 1"):
        assert line in written.text.splitlines()
    for body in (written.text, written.html):
        assert "take the device off its supply" in body
        assert "sessions that you do not know" not in body
    assert "border-left" in written.html, "it is marked urgent"


@pytest.mark.parametrize(
    ("what", "ended", "subject"),
    [
        ("device:locked-out", Outcome.EXECUTED, "Lamp (hall) locked out — Ada, 21:04"),
        ("device:locked-out", Outcome.FAILED, "Lamp (hall): lock-out failed — Ada, 21:04"),
        ("device:lockout-lifted", Outcome.EXECUTED, "Lamp (hall) lock-out lifted — Ada, 21:04"),
        ("device:lockout-lifted", Outcome.FAILED, "Lamp (hall): lifting the lock-out failed — Ada, 21:04"),
        ("device:follows-again", Outcome.EXECUTED, "Lamp (hall) follows again — Ada, 21:04"),
    ],
)
def test_a_lock_out_is_told_with_its_master_user(what: str, ended: Outcome, subject: str) -> None:
    told = event(what=what, where="hall/lamp", command_id=None, outcome=ended)
    written = letters.write(Story(ended=ended, outcome=row("auth", told)), READER)
    assert written.subject == subject
    assert "Ada (through gateway)" in written.text


@pytest.mark.parametrize(
    ("what", "ended", "subject"),
    [
        ("home:locked-down", Outcome.EXECUTED, "The home is locked down — Ada, 21:04"),
        ("home:locked-down", Outcome.FAILED, "The lockdown failed — Ada, 21:04"),
        ("home:lockdown-ended", Outcome.EXECUTED, "The lockdown is over — Ada, 21:04"),
        ("home:lockdown-ended", Outcome.FAILED, "Ending the lockdown failed — Ada, 21:04"),
    ],
)
def test_a_lockdown_is_told_without_a_place_and_with_the_way_out(what: str, ended: Outcome, subject: str) -> None:
    told = event(what=what, where="home", command_id=None, outcome=ended)
    written = letters.write(Story(ended=ended, outcome=row("auth", told)), READER)
    assert written.subject == subject
    assert "Ada (through gateway)" in written.text
    assert ("`homesystem lockdown end`" in written.text) is (what == "home:locked-down")


def test_a_button_in_the_room_is_named() -> None:
    told = event(issuer="hall", user=None, address=None, detail={"button": "wall-button"})
    written = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("hall", told)), READER)
    assert written.subject == "Front door (hall) unlocked — the button Wall button, 21:04"
    assert written.text.startswith("The button Wall button unlocked Front door (hall) at 21:04.")
    assert "Who:     the button Wall button in the room hall" in written.text


def test_a_button_proves_nothing_where_somebody_else_is_named() -> None:
    for told in (
        event(issuer="hall", detail={"button": "wall-button"}),
        event(issuer="phone", user=None, detail={"button": "wall-button"}),
        event(issuer="garage", user=None, detail={"button": "wall-button"}),
    ):
        assert "as claimed by the room hall" in wording.who(row("hall", told), READER)


def test_a_late_record_says_when_it_was_recorded() -> None:
    late = chain.append("hall", event(at=START - 3600), received_at=utc(START), salt=b"s" * 16)
    assert (
        "Recorded: Monday, 23 November 2026, 21:04:00 CET"
        in letters.write(Story(ended=Outcome.EXECUTED, outcome=late), READER).text
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


PLAIN_TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "body",
    "h1",
    "table",
    "style",
    "ol",
    "li",
    "small",
    "tr",
    "th",
    "td",
    "bdi",
    "p",
    "code",
    "br",
    "a",
    "span",
}
nasty = st.text(max_size=60) | st.sampled_from([EVIL, "\r\n.\r\nRSET", "\u2028x\u2066y", "</td><script>", "ā" * 200])


@given(nasty, nasty, nasty)
def test_no_text_breaks_a_letter(one: str, two: str, three: str) -> None:
    told = event(
        what=one,
        where=two,
        issuer=three,
        user=UserRef(id="u", name=one),
        address=two,
        command_id=three,
        detail={one: two, two: three},
    )
    story = Story(ended=Outcome.EXECUTED, outcome=row("hall", told))
    for written in (letters.write(story, LINKED), letters.write_digest("hall", 3, [story], LINKED)):
        assert len(written.subject) <= cleaning.SUBJECT_CHARACTERS
        assert cleaning.clean(written.subject) == written.subject
        seen = Tags()
        seen.feed(written.html)
        assert seen.tags <= PLAIN_TAGS
        assert all(line.isprintable() for line in written.text.split("\n"))
        message = compose(
            Letter(to="ada@example.org", subject=written.subject, text=written.text, html=written.html),
            "Home <home@localhost>",
            START,
        )
        raw = message.as_bytes()
        header = raw.partition(b"\n\n")[0]
        assert b"\nBcc:" not in header
        assert all(sign < 128 for sign in header)


def test_markup_is_shown_as_text() -> None:
    written = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("hall", event(detail={"x": EVIL}))), READER)
    assert "<img" not in written.html
    assert html.escape("<img src=x") in written.html
    assert "\u202e" not in written.text
    assert "{{7*7}}" in written.text


def test_a_digest_lists_the_first_and_counts_the_rest() -> None:
    stories = [joined(), Story(ended=Outcome.REJECTED, outcome=row("hall", event(outcome=Outcome.REJECTED), 9))]
    written = letters.write_digest("hall", 500, stories, LINKED)
    assert written.subject == "500 alerts from hall"
    assert "And 498 more" in written.text
    assert "498 more" in written.html
    assert "row 9" in written.text


def test_places_are_told_as_people_say_them() -> None:
    names = Names()
    assert names.place("hall/front-door") == "Front door (hall)"
    assert names.place("garage/door") == "Door (garage)"
    assert names.place("x/<b>") == "x/<b>"
    assert names.place("account") == "account"


@given(st.text(max_size=300))
def test_cleaned_text_is_one_printable_line_of_limited_length(text: str) -> None:
    cleaned = cleaning.clean(text, 50)
    assert len(cleaned) <= 50
    assert cleaned.isprintable()
    assert cleaning.clean(cleaned, 50) == cleaned


def test_ada_is_named_by_the_gateway() -> None:
    assert wording.who(row("gateway", event(user=ADA)), READER) == "Ada (through gateway)"
    assert wording.who(row("auth", event(user=None, issuer="admin")), READER) == "the hub's command line"


def test_a_rooms_detail_cannot_pass_as_a_line_of_ours() -> None:
    told = event(detail={"Who": "nobody", "Outcome": "rejected"})
    text = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("hall", told)), READER).text
    assert sum(line.startswith("Who:") for line in text.splitlines()) == 1
    assert sum(line.startswith("Outcome:") for line in text.splitlines()) == 1
    assert "Detail:  Outcome: rejected" in text


def test_a_room_that_is_away_is_told_with_since_when_and_no_outcome() -> None:
    away = event(
        what="room:offline",
        where="garage",
        issuer="alerts",
        user=None,
        address=None,
        command_id=None,
        outcome=Outcome.FAILED,
        detail={"since": "2026-11-23T20:02:00+00:00"},
    )
    written = letters.write(Story(ended=Outcome.FAILED, outcome=row("alerts", away)), LINKED, urgent=True)
    assert written.subject == "Room is offline: garage — 21:04"
    assert "check its power and its network" in " ".join(written.text.split())
    assert "Outcome" not in written.text
    assert written.text.startswith("The room garage has not answered since 21:02.")


def test_a_lockdown_and_a_new_place_read_well_on_a_lock_screen() -> None:
    for what, where, subject in (
        ("home:locked-down", "home", "The home is locked down — Ada, 21:04"),
        ("session:new-place", "session/abc", "Security: Sign-in from a new place — Ada, 21:04"),
        ("account:password-changed", "user/u1", "Password changed: Ada — Ada, 21:04"),
        ("client:added", "client/phone", "Trusted client added: phone — Ada, 21:04"),
    ):
        severity = Severity.SECURITY if what.startswith("session") else Severity.CRITICAL
        told = event(what=what, where=where, severity=severity, command_id=None, detail={"user": "Ada"})
        assert letters.write(Story(ended=Outcome.EXECUTED, outcome=row("auth", told)), READER).subject == subject


def test_letters_about_one_device_share_a_thread_whoever_tells() -> None:
    def thread(source: str, told: AuditEvent) -> str:
        return letters.write(Story(ended=told.outcome, outcome=row(source, told)), READER).thread

    door = thread("gateway", event())
    assert door == thread("hall", event(what="device:mismatch")) != thread("hall", event(where="hall/lamp"))
    first, second = (event(what="session:new-place", where=f"session/{x}") for x in "ab")
    assert thread("auth", first) == thread("auth", second)


def test_whatever_the_history_has_words_for_a_letter_has_too() -> None:
    assert set(acts._HAPPENINGS) <= set(wording.KNOWN)


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("home:locked-down", "home"),
        ("audit:chain-broken", "alerts"),
        ("audit:day-removed", "alerts"),
        ("room:offline", "garage"),
        ("device:lockout-lifted", "hall/front-door"),
        ("account:password-changed", "user/u1"),
    ],
)
def test_a_room_that_speaks_the_hubs_words_is_quoted_and_not_believed(what: str, where: str) -> None:
    told = event(what=what, where=where, severity=Severity.CRITICAL, command_id=None, detail={"user": "Ada"})
    forged = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("hall", told)), READER)
    assert forged.subject.startswith("The room hall claims: ")
    assert "If the room hall was not being tried out, revoke it." in " ".join(forged.text.split())
    own = letters.write(Story(ended=Outcome.EXECUTED, outcome=row("auth", told)), READER)
    assert "claims" not in own.subject + own.text
