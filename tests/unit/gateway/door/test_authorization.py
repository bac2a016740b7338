"""Every route, asked by everyone: the table of authorization.py holds, is whole, and is what the guide shows."""

import itertools
from pathlib import Path

from aiohttp import web

from gateway.api.routes import add_api
from gateway.door import routes
from gateway.pages.routes import add_pages
from tests import authorization_page
from tests.unit.gateway.door.authorization import RULES, Answer, Visitor
from tests.unit.gateway.door.everyone import (
    hidden_from,
    not_theirs,
    not_there,
    open_to_everyone,
    routes_of,
)

BY_COOKIE = [visitor for visitor in Visitor if not visitor.endswith(("scope", "token"))]
CHANGES = [rule for rule in RULES if rule.method != "GET"]
OF_A_ROOM = [rule for rule in RULES if "{room}" in rule.path]


def route_table() -> list[str]:
    app = web.Application()
    app[routes.ROUTE_LIMITS] = {}
    app[routes.BY_TOKEN] = set()
    add_api(app)
    add_pages(app)
    return routes_of(app)


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    table = route_table()
    assert len(table) > 40
    assert set(table) - {rule.route for rule in RULES} == set(), "write a rule for it into authorization.py"
    assert {rule.route for rule in RULES} - set(table) == set(), "there is no such route any more"
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_guide_shows_the_table_as_it_is() -> None:
    page = Path(__file__).parents[4] / "docs/authorization.md"
    assert page.read_text() == authorization_page.written(), "run: make matrix"


async def test_everyone_is_answered_as_the_table_says() -> None:
    wrong = []
    async with open_to_everyone() as everyone:
        for rule, visitor in itertools.product(RULES, Visitor):
            await everyone.come_as(visitor)
            before = everyone.acts()
            reply = await everyone.ask(rule)
            if reply.answer is not rule.row[visitor]:
                wrong.append(f"{rule.name} to {visitor}: {reply}")
            acted = everyone.acts() > before
            if acted != (rule.acts and rule.row[visitor] is Answer.YES):
                wrong.append(f"{rule.name} for {visitor}: {'something' if acted else 'nothing'} was done")
            wrong += [f"{rule.name} tells {visitor} of {name}" for name in hidden_from(visitor) if name in reply.text]
    assert wrong == []


async def test_head_is_answered_as_get_is() -> None:
    wrong = []
    async with open_to_everyone() as everyone:
        for rule, visitor in itertools.product(RULES, Visitor):
            if rule.method == "GET" and "HEAD" in everyone.methods(rule):
                await everyone.come_as(visitor)
                got, head = await everyone.ask(rule), await everyone.ask(rule, method="HEAD")
                if (head.status, head.text) != (got.status, ""):
                    wrong.append(f"{rule.name} for {visitor}: {head}")
    assert wrong == []


async def test_what_is_not_a_guests_is_answered_like_what_is_not_there() -> None:
    async with open_to_everyone() as everyone:
        for rule in OF_A_ROOM:
            for visitor in (Visitor.GUEST_INSIDE, Visitor.GUEST_OUTSIDE, Visitor.TOKEN):
                if rule.row[visitor] is Answer.FORBIDDEN and visitor is Visitor.TOKEN:
                    continue
                await everyone.come_as(visitor)
                before = everyone.acts()
                hidden = await everyone.ask(rule, path=not_theirs(rule))
                assert hidden.answer is Answer.HIDDEN, (rule.name, visitor, hidden)
                assert hidden.alike(await everyone.ask(rule, path=not_there(rule))), (rule.name, visitor)
                assert everyone.acts() == before, (rule.name, visitor)
            await everyone.come_as(Visitor.MASTER)
            assert (await everyone.ask(rule, path=not_there(rule))).answer is Answer.HIDDEN, rule.name


async def test_whoever_is_not_signed_in_does_not_learn_what_there_is() -> None:
    async with open_to_everyone() as everyone:
        for rule, visitor in itertools.product(OF_A_ROOM, (Visitor.NOBODY, Visitor.ENDED)):
            await everyone.come_as(visitor)
            there = await everyone.ask(rule)
            assert there.alike(await everyone.ask(rule, path=not_there(rule))), (rule.name, visitor)


async def test_no_change_without_the_token_or_from_elsewhere_whoever_it_is() -> None:
    wrong = []
    async with open_to_everyone() as everyone:
        await everyone.come_as(Visitor.NOBODY)
        anothers = everyone.headers["X-CSRF-Token"]
        elsewhere = "https://elsewhere.example.org"
        for rule, visitor in itertools.product(CHANGES, BY_COOKIE):
            await everyone.come_as(visitor)
            before = everyone.acts()
            for name, text in (
                ("X-CSRF-Token", None),
                ("X-CSRF-Token", anothers),
                ("Origin", None),
                ("Origin", elsewhere),
            ):
                reply = await everyone.ask(rule, headers={name: text})
                if (reply.status, reply.slug) != (403, "csrf"):
                    wrong.append(f"{rule.name} for {visitor} with {name} {text}: {reply}")
            assert everyone.acts() == before, (rule.name, visitor)
    assert wrong == []
