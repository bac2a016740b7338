"""While a newer version is tried on the home: whatever changes something is refused, whatever looks is answered."""

from pathlib import Path

from gateway.door import csrf
from tests.unit.gateway.door.authorization import RULES, Answer, Rule, Visitor
from tests.unit.gateway.door.everyone import open_to_everyone

BY_PAGE = "POST /rooms/{room}/{device}"


async def test_nothing_is_changed_by_anybody_while_the_home_is_closed(tmp_path: Path) -> None:
    mark, wrong, seen = tmp_path / "home.closed", [], 0
    async with open_to_everyone(mark=mark) as everyone:
        for rule in RULES:
            if rule.method in csrf.SAFE_METHODS or (rule.body or {}).get("action") in {"off", "lock", "stop"}:
                continue
            visitor = Visitor.MASTER if rule.row[Visitor.MASTER] is Answer.YES else Visitor.NOBODY
            await everyone.come_as(visitor)
            before = everyone.acts()
            mark.touch()
            reply = await everyone.ask(rule)
            mark.unlink()
            seen += 1
            is_told = reply.status == (303 if rule.route == BY_PAGE else 503)  # the page that follows says it
            if not is_told or everyone.acts() > before:
                wrong.append(f"{rule.name}: {reply.status} {reply.text[:200]}")
        assert seen > 50
        assert not wrong, "\n".join(wrong)


async def test_what_is_safe_is_obeyed_all_the_same(tmp_path: Path) -> None:
    mark = tmp_path / "home.closed"
    mark.touch()
    by_program = Rule("POST /api/v1/devices/{room}/{device}/commands", {}, {"action": "off"})
    by_page = Rule(BY_PAGE, {}, {"action": "off"})
    async with open_to_everyone(mark=mark) as everyone:
        await everyone.come_as(Visitor.MASTER)
        for rule in (by_program, by_page):
            before = everyone.acts()
            reply = await everyone.ask(rule)
            assert reply.status < 400, reply
            assert everyone.acts() > before, rule.name


async def test_one_looks_and_reads_as_ever(tmp_path: Path) -> None:
    mark = tmp_path / "home.closed"
    mark.touch()
    async with open_to_everyone(mark=mark) as everyone:
        await everyone.come_as(Visitor.MASTER)
        for path in ("/", "/api/v1/devices"):
            async with everyone.house.browser.get(path) as answer:
                assert answer.status == 200, path
