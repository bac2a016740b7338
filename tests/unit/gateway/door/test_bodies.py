"""The body of every change by the API: a field more, another shape or type of content, and nothing is done."""

from typing import Any

from tests.unit.gateway.door.authorization import RULES, Answer, Rule, Visitor
from tests.unit.gateway.door.everyone import Everyone, open_to_everyone

BODIES = [rule for rule in RULES if rule.path.startswith("/api/") and rule.body is not None]


async def _refusals(everyone: Everyone, rule: Rule) -> list[str]:
    """What is wrong with how that route takes what does not fit, from somebody whom it serves."""
    assert rule.body is not None
    wrong = []
    visitor = Visitor.MASTER if rule.row[Visitor.MASTER] is Answer.YES else Visitor.NOBODY
    bodies: dict[str, tuple[Any, str]] = {
        "a field more": (dict(rule.body) | {"no_such_field": 1}, "invalid-value"),
        "a list": ([rule.body], "invalid-value"),
        "a number": (7, "invalid-value"),
    }
    for name, (body, slug) in bodies.items():
        await everyone.come_as(visitor)
        before = everyone.acts()
        reply = await everyone.ask(rule._replace(body=body))
        if reply.slug != slug or everyone.acts() > before:
            wrong.append(f"{rule.name} with {name}: {reply.status} {reply.text[:200]}")
        elif name == "a field more" and "no_such_field" not in reply.text:
            wrong.append(f"{rule.name} does not say which field it does not know: {reply.text[:200]}")
    await everyone.come_as(visitor)
    reply = await everyone.ask(rule, headers={"Content-Type": "text/plain"})
    if reply.slug != "unsupported-media-type":
        wrong.append(f"{rule.name} as text: {reply.status} {reply.text[:200]}")
    return wrong


async def test_what_does_not_fit_is_a_problem_that_names_it_and_nothing_is_done() -> None:
    assert len(BODIES) > 30
    async with open_to_everyone() as everyone:
        wrong = [one for rule in BODIES for one in await _refusals(everyone, rule)]
    assert not wrong, "\n".join(wrong)
