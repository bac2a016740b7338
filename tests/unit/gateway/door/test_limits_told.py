"""How much is left of a limit stands in the answers, on every route that counts, and 429 says when to come back."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.config import LimitsConfig
from gateway.door import limits, routes
from gateway.door.limits import Limits
from gateway.door.windows import Windows
from tests.unit.gateway.door.authorization import RULES, Answer, Rule, Visitor
from tests.unit.gateway.door.everyone import Everyone, open_to_everyone

_LEFT = re.compile(r'"[\w-]+";r=\d+;t=\d+(, "[\w-]+";r=\d+;t=\d+)*')
_POLICY = re.compile(r'"[\w-]+";q=\d+;w=\d+(, "[\w-]+";q=\d+;w=\d+)*')
SAFER = {
    "POST /api/v1/devices/{room}/{device}/commands (a safe action)",
    "POST /rooms/{room}/{device} (a safe action)",
    "PUT /api/v1/devices/{room}/{device}/lockout",
    "POST /rooms/{room}/{device}/lockout (locking)",
    "DELETE /api/v1/devices/{room}/{device}/pending/{id}",
    "POST /rooms/{room}/{device}/pending",
}
"""What no limit ever refuses."""


@asynccontextmanager
async def counting(rate: str) -> AsyncIterator[Everyone]:
    async with open_to_everyone(LimitsConfig(**dict.fromkeys(LimitsConfig.__struct_fields__, rate))) as everyone:
        yield everyone


def counts(everyone: Everyone, rule: Rule) -> bool:
    named = everyone.house.browser.app[routes.ROUTE_LIMITS]
    resources = everyone.house.browser.app.router.resources()
    (handler,) = {r.handler for one in resources if one.canonical == rule.path for r in one if r.method == rule.method}
    return named[handler] is not None


@pytest.mark.parametrize("visitor", [Visitor.NOBODY, Visitor.MASTER, Visitor.TOKEN])
async def test_every_answer_of_a_limited_route_tells_what_is_left(visitor: Visitor) -> None:
    silent = []
    async with counting("1000/minute") as everyone:
        for rule in RULES:
            await everyone.come_as(visitor)
            reply = await everyone.ask(rule)
            left, policy = reply.headers.get(limits.LEFT), reply.headers.get(limits.POLICY)
            if not counts(everyone, rule) or (rule.name in SAFER and reply.answer is Answer.YES):
                is_right = left is policy is None
            else:
                is_right = bool(_LEFT.fullmatch(left or "") and _POLICY.fullmatch(policy or ""))
            if not is_right:
                silent.append((rule.name, left, policy))
    assert silent == []


async def test_what_exceeds_a_limit_is_told_when_to_come_back_on_every_route() -> None:
    wrong: list[tuple[str, str]] = []
    async with counting("1/minute") as everyone:
        for rule in RULES:
            if any(one in rule.path for one in ("login", "logout", "lockdown", "password", "email")):
                continue  # whoever signed in or out in between is somebody else
            table = everyone.house.browser.app[limits.LIMITS]
            table._windows = Windows()
            await everyone.come_as(Visitor.MASTER)
            table._windows = Windows()
            await everyone.ask(rule)
            reply = await everyone.ask(rule)
            if rule.name in SAFER or not counts(everyone, rule):
                if reply.status == 429:
                    wrong.append((rule.name, "refused"))
            elif rule.path.startswith("/rooms/") and rule.method == "POST" and not rule.path.endswith("/confirm-by"):
                page = await everyone.house.get("/")
                if (reply.status, "Try again in" in page.text) != (303, True):
                    wrong.append((rule.name, page.text))
            elif reply.status != 429 or not 1 <= int(reply.headers["Retry-After"]) <= 60:
                wrong.append((rule.name, str(reply.status)))
            elif ";r=0;" not in reply.headers[limits.LEFT]:
                wrong.append((rule.name, reply.headers[limits.LEFT]))
    assert wrong == []


async def test_left_goes_down_with_each_and_each_window_is_told() -> None:
    table = Limits(LimitsConfig(default="3/day;2/hour", reads="5/minute"))
    assert table.told("reads", ("user:1",)) == ('"reads";q=5;w=60', '"reads";r=5;t=60')
    table.hit("default", "user:1")
    policy, left = table.told("default", ("user:1",))
    assert policy == '"default-86400";q=3;w=86400, "default-3600";q=2;w=3600'
    assert [int(rest) for rest in re.findall(r"r=(\d+)", left)] == [2, 1]
    table.hit("default", "user:1")
    assert [int(rest) for rest in re.findall(r"r=(\d+)", table.told("default", ("user:1",))[1])] == [1, 0]
    assert [int(rest) for rest in re.findall(r"r=(\d+)", table.told("default", ("user:2",))[1])] == [3, 2]
