"""What the document of the API says of an answer is what the real gateway answers."""

import msgspec
from aiohttp import web

from gateway.api import answers, events, openapi
from gateway.api.audit import export
from gateway.api.health import alive, ready
from tests.unit.gateway.door.authorization import RULES, Answer, Visitor
from tests.unit.gateway.door.everyone import Everyone, open_to_everyone

_NO_STRUCT = {events.stream, export, alive, ready, openapi.show}


def handler_of(everyone: Everyone, route: str) -> object:
    table = everyone.house.browser.app.router.routes()
    return next(one.handler for one in table if one.resource and f"{one.method} {one.resource.canonical}" == route)


async def test_every_handler_answers_what_the_document_says_and_nothing_beside() -> None:
    wrong, seen = [], set()
    async with open_to_everyone() as everyone:
        for rule in RULES:
            given = answers.GIVES.get(handler := handler_of(everyone, rule.route))
            for visitor in Visitor if given is not None else ():
                if rule.row[visitor] is not Answer.YES:
                    continue
                await everyone.come_as(visitor)
                reply = await everyone.ask(rule)
                seen.add(handler)
                assert given is not None
                if reply.status not in given:
                    wrong.append(f"{rule.name} answers {reply.status}, and is told to answer {list(given)}")
                elif given[reply.status] is None:
                    wrong += [f"{rule.name}: {reply.text}"] if reply.text else []
                else:
                    said = msgspec.json.decode(reply.text)
                    read = msgspec.json.encode(msgspec.json.decode(reply.text, type=given[reply.status]))
                    if msgspec.json.decode(read) != said:
                        wrong.append(f"{rule.name}: {said} is read as {read!r}")
    assert wrong == []
    assert set(answers.GIVES) == seen


async def test_every_route_of_the_document_has_its_answer() -> None:
    async with open_to_everyone() as everyone:
        app: web.Application = everyone.house.browser.app
        told = {route.handler for route in openapi.listed(app)}
    assert told == set(answers.GIVES) | _NO_STRUCT
