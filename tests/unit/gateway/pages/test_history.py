"""The history: who did what, told honestly, within what one may read."""

from datetime import UTC, datetime, timedelta

from gateway.picture.guards import Scope
from shared.words.internal import Grant, UserRow
from shared.words.internal_alerts import AuditFilter, AuditRecord, ChainBroken, ChainStatus
from shared.words.messages import UserRef, Who
from shared.words.names import Outcome, Role, Severity
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import open_house


def event(number: int, what: str = "device:unlock", outcome: Outcome = Outcome.EXECUTED, **more: object) -> AuditRecord:
    fields: dict[str, object] = {
        "id": f"e{number}",
        "at": parts.NOW + timedelta(seconds=number),
        "what": what,
        "where": "hall/front-door",
        "who": Who(issuer="gateway", user=UserRef(id="u", name="Ada"), address="192.0.2.7"),
        "outcome": outcome,
        "severity": Severity.INFO,
        "row": number,
        "hash": f"{number:064x}",
        "source": "hall",
        "received_at": parts.NOW + timedelta(seconds=number + 1),
    }
    return AuditRecord(**(fields | more))  # type: ignore[arg-type]  # by name, from the caller


async def test_a_line_says_what_where_who_from_where_and_how_it_ended() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (event(1),)
        page = await house.get("/history")
        assert "Unlock Front door, Hall Ada from 192.0.2.7 done" in page.text
        assert page.has("time", datetime="2027-01-15T08:00:01+00:00")
        assert "09:00:01" in page.text


async def test_an_intent_without_an_outcome_is_told_as_that() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(3, outcome=Outcome.ASKED, command_id="c2"),
            event(2, command_id="c1"),
            event(1, outcome=Outcome.ASKED, command_id="c1"),
        )
        page = await house.get("/history")
        assert page.text.count("How it ended is not recorded here.") == 1
        assert len([1 for tag, a in page.elements if tag == "li" and "line" in (a.get("class") or "").split()]) == 2
        assert page.has("li", id="row-1"), "what was asked stands in the line of how it ended"


async def test_a_rooms_word_about_a_person_is_given_as_its_claim() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (event(1, detail={"claimed_by": "hall"}),)
        page = await house.get("/history")
        assert "Ada, as claimed by the room hall" in page.text
        assert not page.has("option", value="u"), "whom a room alone names cannot be chosen"
        house.alerts.events = (event(1),)
        assert (await house.get("/history")).has("option", value="u")


async def test_what_a_room_did_of_itself_is_told_as_that() -> None:
    button = Who(issuer="hall")
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(3, what="device:on", where="hall/lamp", who=button, detail={"button": "wall-<b>"}),
            event(2, what="device:off", where="hall/lamp", who=button),
            event(1, what="device:on", where="hall/lamp", who=button, detail={"button": "x", "claimed_by": "garage"}),
        )
        page = await house.get("/history")
        assert "Switch on Lamp, Hall the button wall-<b> in the room done" in page.text
        assert "Switch off Lamp, Hall the room itself done" in page.text
        assert "the button x in the room, as claimed by the room garage" in page.text
        assert "<b>" not in page.body


async def test_the_hubs_words_in_a_rooms_mouth_are_told_as_that() -> None:
    room = Who(issuer="hall")
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.alerts.events = (
            event(3, "audit:chain-broken", where="hall", who=room),
            event(2, "audit:dropped", where="hall", who=room),
            event(1, what="home:locked-down", source="auth", where="home", who=Who(issuer="admin")),
        )
        text = (await house.get("/history")).text
        assert text.count("says so, and it is not the hub.") == 1
        assert "Nobody but hall says so, and it is not the hub." in text


async def test_how_far_the_record_goes_is_told_to_those_who_may_hear_of_it() -> None:
    async with open_house() as house:
        for role, head in ((Role.MEMBER, "907"), (Role.GUEST, "0")):
            await house.sign_in(role)
            house.alerts.events = (event(907),)
            assert (await house.get("/history")).has("main", **{"data-head": head})


async def test_nobody_is_offered_by_the_name_that_a_room_alone_gives_them() -> None:
    def by(name: str) -> Who:
        return Who(issuer="gateway", user=UserRef(id="u-ben", name=name))

    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.alerts.events = (
            event(3, who=by("Mallory"), detail={"claimed_by": "hall"}),
            event(2, who=Who(issuer="gateway", user=UserRef(id="\r<b>", name="x")), detail={"claimed_by": "hall"}),
            event(1, who=by("Ben")),
        )
        page = await house.get("/history")
        assert page.has("option", value="u-ben")
        assert ">Ben</option>" in page.body
        assert ">Mallory</option>" not in page.body
        assert "\r" not in page.body


async def test_lock_outs_and_pins_that_do_not_follow_have_their_lines() -> None:
    mismatch = {"pin": "17", "wrote": "0", "reads": "<script>alert(1)</script>"}
    room = Who(issuer="hall")
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(5, what="device:locked-out", severity=Severity.CRITICAL),
            event(4, what="device:lockout-lifted", severity=Severity.CRITICAL),
            event(3, what="device:mismatch", who=room, outcome=Outcome.FAILED, detail=mismatch),
            event(2, what="device:follows-again", who=room),
            event(1, what="device:mismatch", who=room, outcome=Outcome.FAILED),
        )
        page = await house.get("/history")
        assert "Locked out Front door, Hall Ada from 192.0.2.7 done critical" in page.text
        assert "Lock-out lifted Front door, Hall Ada" in page.text
        assert "Pin does not follow Front door, Hall the room itself Pin 17 was told 0 and reads <script>alert(1…" in (
            page.text
        )
        assert "Pin ? was told ? and reads ?. failed" in page.text
        assert "Pin follows again Front door, Hall the room itself done" in page.text
        assert "<script>alert" not in page.body


async def test_a_refusal_says_why() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(2, outcome=Outcome.REJECTED, detail={"reason": "interlocked"}),
            event(1, outcome=Outcome.UNKNOWN, detail={"reason": "no-answer"}),
        )
        text = (await house.get("/history")).text
        assert "Another device holds this one back." in text
        assert "The room did not answer in time." in text


async def test_what_others_wrote_is_text() -> None:
    evil = "<script>alert(1)</script>"
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(
                1,
                what=f"{evil}:x",
                where=f"{evil}/\u202ex",
                who=Who(issuer=evil, address=evil),
                detail={"reason": evil},
            ),
        )
        page = await house.get("/history")
        assert "<script>alert" not in page.body
        assert "\u202e" not in page.body


async def test_ids_that_tell_people_nothing_are_left_out() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        agent = {"browser": "Mozilla/5.0 (Android 14) Firefox/130.0"}
        house.alerts.events = (
            event(4, what="session:started", where="session/s-123", detail=agent),
            event(3, what="account:created", where="user/u-123", detail={"user": "Guest"}, who=Who(issuer="admin")),
            event(2, what="room:added", where="room/hall", who=Who(issuer="admin")),
            event(1, what="device:set", where="kitchen/lamp", who=Who(issuer="phone"), detail={"value": "40"}),
            event(0, what="home:locked-down", where="home", who=Who(issuer="admin")),
        )
        text = (await house.get("/history")).text
        assert "Signed in Firefox on Android" in text
        assert "Account created Guest the hub's command line" in text
        assert "Room added Hall" in text
        assert "Set to 40 % kitchen/lamp phone" in text
        assert "The home was locked down the hub's command line" in text
        assert "123" not in text.replace("12:3", "")


async def test_each_reads_only_their_own_part() -> None:
    grant = Grant(room="hall", device="lamp")
    async with open_house() as house:
        await house.sign_in(Role.GUEST, grant)
        await house.get("/history")
        await house.sign_in(Role.MASTER)
        await house.get("/history?after=77")
        assert house.alerts.asked == [
            (Scope(user="u-guest", places=("hall/lamp",), discreet=True), AuditFilter(), None),
            (Scope(user=None), AuditFilter(), "77"),
        ]


FILTER = "user=u-master&room=hall&device=hall%2Flamp&outcome=failed&since=2027-01-14&until=2027-01-15"


async def test_the_filter_is_asked_for_and_keeps_its_values() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.next = "30"
        page = await house.get(f"/history?{FILTER}")
        ((scope, wanted, after),) = house.alerts.asked
        assert (scope, after) == (Scope(user=None), None)
        assert wanted == AuditFilter(
            user="u-master",
            room="hall",
            device="hall/lamp",
            outcome=Outcome.FAILED,
            since=datetime(2027, 1, 13, 23, tzinfo=UTC),  # the household's midnights
            until=datetime(2027, 1, 15, 23, tzinfo=UTC),
        )
        fields = page.form("/history").fields
        assert fields == {
            "user": "u-master",
            "room": "hall",
            "device": "hall/lamp",
            "what": "",
            "outcome": "failed",
            "since": "2027-01-14",
            "until": "2027-01-15",
        }
        for word in ("Master (you)", "Hall", "Lamp, Hall", "failed", "from 14 January", "until 15 January"):
            assert page.text.count(word) >= 1, word
        without = FILTER.replace("user=u-master&", "").replace("%2F", "/")
        for address in (f"/history?{without}", "/history", f"/history?{FILTER}&after=30".replace("%2F", "/")):
            assert page.has("a", href=address), address
        for kind in ("csv", "jsonl"):
            assert page.has("a", href=f"/api/v1/audit/export?{FILTER}&happenings=too&format={kind}".replace("%2F", "/"))
        assert "Nothing fits this filter." in page.text


async def test_a_moment_keeps_its_clock() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        page = await house.get("/history?since=2027-01-14T20:00:00Z")
        assert page.form("/history").fields["since"] == "2027-01-14T21:00:00"
        again = await house.get("/history?since=2027-01-14T21:00:00")
        assert house.alerts.asked[0] == house.alerts.asked[1]
        assert again.form("/history").fields["since"] == "2027-01-14T21:00:00"


async def test_an_empty_form_is_no_filter() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/history?user=&room=&device=&outcome=&since=&until=")
        assert house.alerts.asked == [(Scope(user="u-member", rooms=True), AuditFilter(), None)]
        assert "Nothing has happened yet." in page.text


async def test_what_cannot_be_asked_is_said_in_the_form() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        page = await house.get("/history?since=<yesterday>&outcome=failed")
        assert (page.status, house.alerts.asked) == (400, [])
        assert "Write a day such as 2026-11-23" in page.text
        assert page.form("/history").fields["since"] == "<yesterday>"
        assert page.form("/history").fields["outcome"] == "failed"
        assert page.has("input", id="filter-since", type="text")
        assert "Nothing has happened yet." not in page.text
        for bad in ("after=x", "row=0", "row=-1", "after=1e9", f"row={2**53}"):
            assert (await house.get(f"/history?{bad}")).status == 400, bad


async def test_a_filter_offers_whom_one_knows_and_what_one_may_see() -> None:
    async with open_house() as house:
        info = await house.sign_in(Role.GUEST, Grant(room="hall", device="lamp"))
        page = await house.get("/history")
        assert "Guest (you)" in page.text
        assert "Front door" not in page.text
        await house.sign_in(Role.MASTER)
        house.auth.people = [UserRow(user=info.user, grants=(), created_at=parts.NOW, signed_in_at=None)]
        house.alerts.events = (event(1),)
        page = await house.get("/history?user=gone")
        assert {"u", "u-guest", "u-master", "gone", ""} <= {
            a.get("value") for tag, a in page.elements if tag == "option"
        }
        house.auth.away = True
        assert (await house.get("/history")).status == 200  # it offers whom it knows


async def test_every_line_says_where_it_stands_in_the_record() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (event(4567),)
        page = await house.get("/history")
        assert page.has("li", id="row-4567")
        assert page.text.index("Unlock") < page.text.index("Row 4567, hash")
        assert f"{4567:064x}" in page.text
        assert page.has("main", **{"data-head": "4567"})


async def test_a_letters_link_shows_its_row_with_those_around_it() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (event(8), event(7), event(6))
        page = await house.get("/history?row=7")
        assert house.alerts.around == [7]
        assert page.has("li", **{"id": "row-7", "aria-current": "true"})
        assert not page.has("li", **{"id": "row-8", "aria-current": "true"})
        assert page.has("a", href="/history")  # to the newest
        missing = await house.get("/history?row=99")
        assert "Row 99 is not here." in missing.text
        assert "Row 7 is not here." not in page.text


async def test_the_master_user_reads_whether_the_record_is_whole() -> None:
    at = parts.NOW
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        assert "was not checked yet" in (await house.get("/history")).text
        house.alerts.whole = ChainStatus(row=41, hash="h", checked_at=at)
        assert "The record is whole up to row 41 , checked at" in (await house.get("/history")).text
        broken = ChainBroken(row=42, reason="was <b>changed")
        house.alerts.whole = ChainStatus(row=41, hash="h", checked_at=at, broken=broken)
        page = await house.get("/history")
        assert "The record was changed at row 42: was <b>changed." in page.text
        assert page.has("div", **{"class": "said bad", "role": "alert"})
        assert "<b>" not in page.body
        await house.sign_in(Role.MEMBER)
        assert "The record" not in (await house.get("/history")).text


async def test_only_the_newest_page_is_live() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        for path, live in (
            ("/history", True),
            ("/history?room=hall", True),
            ("/history?after=9", False),
            ("/history?row=9", False),
        ):
            assert ("history.js" in (await house.get(path)).body) == live, path


async def test_a_guest_reads_no_names_of_what_they_may_not_see() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="lamp"))
        house.alerts.events = (event(1, where="hall/lamp", what="device:on"),)
        assert "Lamp, Hall" in (await house.get("/history")).text


async def test_older_events_are_a_link_away() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events, house.alerts.next = (event(1),), "17"
        page = await house.get("/history")
        assert page.has("a", href="/history?after=17")
        assert not page.has("a", href="/history", rel="next")


async def test_without_the_alert_service_the_page_says_so_and_the_rest_works() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.away = True
        page = await house.get("/history")
        assert page.status == 503
        assert "The history cannot be shown just now." in page.text
        assert (await house.get("/")).status == 200


async def test_an_empty_history_says_so() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        assert "Nothing has happened yet." in (await house.get("/history")).text
