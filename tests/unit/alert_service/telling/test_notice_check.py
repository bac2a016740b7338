"""What is wrong with a rule on happenings is told, everything at once, each with what would be right."""

from pathlib import Path

import pytest

from alert_service.telling import notice_check
from alert_service.telling.policy import Policy, Rule
from alert_service.telling.rule_check import complaints
from shared.running import config
from shared.words.names import Kind, Outcome, Severity
from tests.unit.alert_service.telling.test_policy import audience, matter


class Rules(config.Config, frozen=True):
    rules: tuple[Rule, ...] = ()


THREE = """
[[rules]]
name = "garage left open"
what = "device:opened"
where = "garage/door-contact"
lasting = "10 min"

[[rules]]
name = "front door at night"
what = "device:opened"
where = "hall/door-contact"
between = "23:00-06:00"
days = "mon-fri"
to = ["everyone", "eve@example.org"]
urgent = true

[[rules]]
name = "doorbell, nobody in"
what = "device:pressed"
where = "hall/doorbell"
unless = "somebody-at-home"
"""


def written(tmp_path: Path, text: str) -> tuple[Rule, ...]:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(Rules, file).rules


def test_the_three_sentences_of_a_house_can_be_written(tmp_path: Path) -> None:
    rules = written(tmp_path, THREE)
    assert list(complaints(rules)) == []
    assert all(rule.on_happenings for rule in rules)


def test_rules_on_happenings_leave_all_others_alone(tmp_path: Path) -> None:
    before = Policy().decide(matter())
    assert Policy(written(tmp_path, THREE)).decide(matter()) == before
    silent = Rule(what="device:opened", letter=False)
    assert audience(matter(what="device:opened", severity=Severity.CRITICAL), silent) == ("masters",)
    assert not Rule(what="device:*").on_happenings
    assert not Rule(what="device:open").on_happenings


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule(what="device:openend"), 'did you mean "device:opened"'),
        (Rule(what="device:presed"), 'did you mean "device:pressed"'),
        (Rule(what=("device:opened", "device:unlock")), '"device:unlock" is none of the happenings'),
        (Rule(what="device:opened", where="Garage Door"), "fits no place"),
        (Rule(what="device:pressed", lasting="10 min"), '"device:pressed" does not last; "device:opened"'),
        (Rule(what="device:motion", lasting="10 min"), '"device:motion" does not last'),
        (Rule(what="device:closed", lasting="10 min"), '"device:closed" does not last'),
        (Rule(what="device:opened", lasting="10"), '"10" is no length of time; write one like "10 min"'),
        (Rule(what="device:opened", between="23-6"), '"23-6" names no hours; write hours like "23:00-06:00"'),
        (Rule(what="device:opened", between="06:00-06:00"), "begins when it ends; leave it out"),
        (Rule(what="device:opened", days="weekend"), '"weekend" is no day; write mon'),
        (Rule(what="device:opened", unless="nobody-at-home"), 'write "somebody-at-home"'),
        (Rule(what="device:opened", to="person"), "a happening is about no person"),
        (Rule(what="device:opened", outcome=Outcome.EXECUTED), ".outcome: a happening has none"),
        (Rule(what="device:opened", severity=Severity.INFO), ".severity: a happening has none"),
        (Rule(what="device:opened", letter=False, lasting="10 min"), ".lasting: means nothing where letter = false"),
        (Rule(what="device:unlock", severity=Severity.INFO, between="23:00-06:00"), ".between: is for happenings"),
        (Rule(severity=Severity.INFO, days="mon"), ".days: is for happenings"),
    ],
)
def test_each_mistake_is_told_with_what_would_be_right(rule: Rule, told: str) -> None:
    found = list(complaints([rule]))
    assert len(found) == 1, found
    assert told in found[0]


DEVICES = {
    "garage/door": Kind.PULSE,
    "garage/door-contact": Kind.CONTACT,
    "hall/front-door": Kind.LOCK,
    "hall/door-contact": Kind.CONTACT,
    "hall/doorbell": Kind.BUTTON,
}


@pytest.mark.parametrize(
    ("what", "where", "told"),
    [
        (
            "device:opened",
            "garage/dor-contact",
            'no "garage/dor-contact" here; did you mean "garage/door-contact"?',
        ),
        (
            "device:opened",
            "hall/front-door",
            '"hall/front-door" is a lock, which tells of no such thing; did you',
        ),
        (
            "device:pressed",
            "hall/door-contact",
            'tells of no such thing; did you mean "hall/doorbell"?',
        ),
        ("room:away", "garge", 'there is no "garge" here; did you mean "garage"?'),
    ],
)
def test_a_place_that_is_not_here_is_told_with_the_nearest(what: str, where: str, told: str) -> None:
    rules = [Rule(), Rule(name="x", what=what, where=where)]
    (found,) = notice_check.against(rules, DEVICES, ("garage", "hall"))
    assert found.startswith('rules[1] ("x").where: ')
    assert told in found


def test_a_place_that_is_here_and_a_pattern_are_well() -> None:
    rules = [
        Rule(what="device:opened", where=("garage/door-contact", "attic/*")),
        Rule(what="device:pressed", where="hall/doorbell"),
        Rule(what="room:away", where="hall"),
        Rule(what="device:unlock", where="nowhere/door"),
        Rule(what="device:motion"),
    ]
    assert list(notice_check.against(rules, DEVICES, ("garage", "hall"))) == []


def test_everything_is_told_at_once() -> None:
    rule = Rule(name="x", what="device:pressed", lasting="soon", between="1-2", days="mo", unless="x", to="person")
    assert [line.split(":")[0] for line in complaints([rule])] == [
        f'rules[0] ("x").{name}' for name in ("to", "between", "lasting", "days", "lasting", "unless")
    ]
