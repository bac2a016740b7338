"""What merely happened, in the history: one line each, what belongs together as one, by the names of the pages."""

from datetime import timedelta
from typing import Any

from shared.words.internal import Grant
from shared.words.internal_alerts import AuditFilter, Happening
from shared.words.messages import UserRef, Who
from shared.words.names import Outcome, Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import open_house
from tests.unit.gateway.pages.test_history import event


def happening(number: int, what: str, where: str = "hall/front-door", **more: object) -> Happening:
    at = parts.NOW + timedelta(seconds=number)
    fields: dict[str, object] = {
        "number": number,
        "source": "hall",
        "id": f"h{number}",
        "what": what,
        "where": where,
        "at": at,
        "until": at,
        "received_at": at,
    }
    return Happening(**(fields | more))  # type: ignore[arg-type]  # by name, from the caller


def anchors(page: Page) -> list[str]:
    return [a["id"] for tag, a in page.elements if tag == "li" and "line" in a.get("class", "").split()]


async def test_what_happened_stands_among_the_acts_in_order() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (event(6), event(2))
        house.alerts.happenings = (happening(9, "device:opened"), happening(4, "device:closed"))
        page = await house.get("/history")
        assert anchors(page) == ["happened-9", "row-6", "happened-4", "row-2"]
        assert "Front door opened Hall 09:00:09" in page.text
        assert "Front door closed Hall 09:00:04" in page.text
        assert "Kept beside the record, not in its chain." in page.text
        assert page.has("main", **{"data-happening": "9"})
        assert house.alerts.kinds == ["too"]


async def test_each_kind_has_its_words_and_its_picture() -> None:
    until = parts.NOW + timedelta(minutes=14)
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.happenings = (
            happening(8, "room:back", "hall"),
            happening(7, "device:pressed", "gone/bell"),
            happening(6, "device:pressed", "hall/front-door", event="long"),
            happening(5, "device:pressed", "hall/front-door", event="double"),
            happening(4, "device:motion", "hall/lamp", times=12, until=until),
            happening(3, "device:opened", "hall/front-door", times=2, until=until),
            happening(2, "room:away", "hall"),
        )
        page = await house.get("/history")
        for words in (
            "Motion in Hall, 12 times until 09:14 Lamp",
            "Front door opened, 2 times until 09:14 Hall",
            "Front door held Hall",
            "Front door pressed twice Hall",
            "bell pressed gone",
            "Hall was away for 6 seconds",
        ):
            assert words in page.text, words
        for picture in ("door-open", "motion", "bell", "question"):
            assert f"#{picture}" in page.body
        assert "went away" not in page.text
        assert len(anchors(page)) == 6


async def test_an_absence_is_one_line_only_where_both_ends_are_known() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.happenings = (
            happening(9, "room:away", "hall"),
            happening(8, "room:back", "hall"),
            happening(7, "room:back", "garage"),
            happening(6, "room:away", "hall"),
            happening(5, "room:back", "hall"),
        )
        page = await house.get("/history")
        assert anchors(page) == ["happened-9", "happened-8", "happened-7", "happened-5"]
        assert "Hall went away" in page.text
        assert "Hall was away for 2 seconds" in page.text
        assert page.text.count("is back") == 2


async def test_a_claim_is_not_put_into_one_line_with_what_the_hub_says() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        bob = Who(issuer="gateway", user=UserRef(id="u-bob", name="Bob"))
        house.alerts.events = (
            event(4, command_id="c2"),
            event(3, command_id="c1", who=bob, detail={"claimed_by": "hall"}),
            event(2, command_id="c1", outcome=Outcome.ASKED),
            event(1, command_id="c2", outcome=Outcome.ASKED),
        )
        page = await house.get("/history")
        assert anchors(page) == ["row-4", "row-3", "row-2"]
        assert "Bob, as claimed by the room hall" in page.text
        assert "How it ended is not recorded here." not in page.text


async def test_a_letters_link_to_what_was_asked_opens_the_line_of_how_it_ended() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(8),
            event(7, command_id="c1"),
            event(6, command_id="c1", outcome=Outcome.ASKED),
        )
        page = await house.get("/history?row=6")
        assert page.has("li", **{"id": "row-7", "aria-current": "true"})
        assert [a.get("open") for tag, a in page.elements if tag == "details" and a.get("class") == "stamp"] == [
            None,
            "",
        ]
        assert page.has("li", id="row-6")
        assert "Row 6 is not here." not in page.text


async def test_one_asks_for_a_kind() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        page = await house.get("/history?what=device:opened,device:closed")
        assert house.alerts.asked[-1][1] == AuditFilter(what="device:opened,device:closed")
        assert "Doors and windows ×" in page.text
        assert page.form("/history").fields["what"] == "device:opened,device:closed"
        for what, kind in (("acts", "none"), ("happenings", "only"), ("device:odd", "too"), ("", "too")):
            await house.get(f"/history?what={what}")
            assert (house.alerts.kinds[-1], house.alerts.asked[-1][1].what) == (
                kind,
                what if what == "device:odd" else None,
            )
        bad = await house.get("/history?what=<b>")
        assert (bad.status, "what: write what an event is about" in bad.text) == (400, True)


async def test_a_guest_is_told_neither_how_far_happenings_go_nor_names_they_may_not_see() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="lamp"))
        house.alerts.happenings = (happening(7, "device:motion", "hall/lamp"),)
        page = await house.get("/history")
        assert "Motion in Hall Lamp" in page.text
        assert page.has("main", **{"data-happening": "0"})


async def test_what_a_room_wrote_is_text() -> None:
    evil = "<script>alert(1)</script>"
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.happenings = (
            happening(2, "device:pressed", f"hall/{evil}", event=evil, source=evil),
            happening(1, f"device:{evil}", f"{evil}/\u202ex"),
        )
        page = await house.get("/history")
        assert "<script>alert" not in page.body
        assert "\u202e" not in page.body


async def test_what_a_guest_may_use_from_then_on_stands_beside_the_change() -> None:
    detail = {"user": "Grace", "grants": "3", "grant-1": "hall/lamp", "grant-2": "hall/blind mon-fri"}
    detail["grant-3"] = "hall/lamp in a way that a later version has"
    about: dict[str, Any] = {"where": "user/u", "source": "auth"}
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(2, "account:grants-changed", detail={"user": "Grace", "grants": "0"}, **about),
            event(1, "account:grants-changed", detail=detail, **about),
        )
        page = await house.get("/history")
        assert "Grants changed Grace" in page.text
        named = "Lamp in Hall, every day, at any time; Blind in Hall, Mon to Fri, at any time"
        assert f"From now on: {named}; hall/lamp in a way that a later version has." in page.text
        assert "From now on: nothing." in page.text


async def test_an_address_is_called_by_itself_where_the_hub_says_it() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.alerts.events = (
            event(2, "account:sign-in-failed", where="address/192.0.2.7", source="auth"),
            event(1, "device:mismatch", where="address/lamp", source="address"),
        )
        page = await house.get("/history")
        assert "192.0.2.7" in page.text
        assert "address/192.0.2.7" not in page.text
        assert "address/lamp" in page.text, "a room may be called so"
