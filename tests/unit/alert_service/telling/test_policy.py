"""Which events become letters, to whom, how urgent; and that no rule keeps from the master users what they must."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.telling import policy
from alert_service.telling.policy import Matter, Policy, Rule
from alert_service.telling.rule_check import complaints
from alert_service.telling.story import Story
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.letters.test_letters import row
from tests.unit.alert_service.parts import START, event

MASTERS, PERSON = ("masters",), ("masters", "user/u1")


def matter(
    what: str = "device:unlock",
    where: str = "hall/front-door",
    source: str = "gateway",
    outcome: Outcome = Outcome.EXECUTED,
    severity: Severity = Severity.CRITICAL,
    person: str | None = "u1",
) -> Matter:
    return Matter(what, where, source, outcome, severity, person)


def audience(about: Matter, *rules: Rule) -> tuple[str, ...] | None:
    decision = Policy(rules).decide(about)
    return decision.audience if decision is not None else None


@pytest.mark.parametrize("outcome", [x for x in Outcome if x is not Outcome.ASKED])
def test_every_critical_action_is_told_to_the_master_users_however_it_ended(outcome: Outcome) -> None:
    assert audience(matter(outcome=outcome)) == MASTERS


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (matter("home:locked-down", "home", "auth"), ("everyone",)),
        (matter("home:lockdown-ended", "home", "auth"), ("everyone",)),
        (matter("session:new-place", "session/x", "auth", severity=Severity.SECURITY), PERSON),
        (matter("session:new-place", "session/x", "auth", severity=Severity.INFO), None),
        (matter("account:password-changed", "user/u1", "auth"), PERSON),
        (matter("account:sign-in-failed", "user/u1", "auth", Outcome.REJECTED, Severity.SECURITY), PERSON),
        (matter("account:sign-in-failed", "address/x", "auth", Outcome.REJECTED, Severity.SECURITY, None), MASTERS),
        (matter("account:sign-in-failed", "user/u1", "auth", Outcome.REJECTED, Severity.INFO), None),
        (matter("certificate:revoked", "client/phone", "auth"), MASTERS),
        (matter("room:offline", "hall", "alerts", Outcome.FAILED), MASTERS),
        (matter("room:online-again", "hall", "alerts"), MASTERS),
        (matter("device:mismatch", "hall/lamp", "hall", Outcome.FAILED), MASTERS),
        (matter("audit:flood", "hall", "alerts", Outcome.REJECTED, Severity.SECURITY), MASTERS),
        (matter("device:on", "hall/lamp", "gateway", severity=Severity.INFO), None),
        (matter("session:started", "session/x", "auth", severity=Severity.INFO), None),
    ],
)
def test_out_of_the_box(about: Matter, told: tuple[str, ...] | None) -> None:
    assert audience(about) == told


def test_what_moved_or_may_have_moved_is_urgent() -> None:
    assert policy.is_urgent(matter())
    assert policy.is_urgent(matter(outcome=Outcome.UNKNOWN))
    assert policy.is_urgent(matter(outcome=Outcome.REJECTED, severity=Severity.SECURITY))
    assert not policy.is_urgent(matter(outcome=Outcome.REJECTED))
    assert policy.is_urgent(matter("device:mismatch", outcome=Outcome.FAILED))
    assert not policy.is_urgent(matter("device:on", outcome=Outcome.FAILED))


def test_the_first_rule_that_fits_decides_and_comes_before_the_houses() -> None:
    everyone = Rule(what="device:*", where="garage/*", to="everyone", urgent=False)
    two = Rule(what="device:unlock", to=("masters", "guard@example.org"))
    garage = Policy((everyone, two)).decide(matter(where="garage/door"))
    assert garage is not None
    assert (garage.audience, garage.urgent) == (("everyone",), False)
    assert audience(matter(), everyone, two) == ("guard@example.org", "masters")
    assert audience(matter("device:lock"), everyone, two) == MASTERS


def test_a_rule_may_ask_for_letters_about_everyday_life_and_silence_refusals() -> None:
    lamp = Rule(what="device:on", where="hall/lamp", severity=Severity.INFO, to="person")
    assert audience(matter("device:on", "hall/lamp", severity=Severity.INFO), lamp) == ("user/u1",)
    assert audience(matter("device:on", "hall/lamp", severity=Severity.INFO, person=None), lamp) == MASTERS
    quiet = Rule(severity=Severity.CRITICAL, outcome=(Outcome.REJECTED, Outcome.EXPIRED), letter=False)
    assert list(complaints([lamp, quiet])) == []
    assert audience(matter(outcome=Outcome.REJECTED), quiet) is None
    assert audience(matter(outcome=Outcome.EXECUTED), quiet) == MASTERS


WHATS = st.sampled_from(["*", "device:*", "device:unlock", "session:new-place", "room:offline", "home:*", "audit:*"])
PLACES = st.sampled_from(["*", "hall/*", "hall/front-door", "user/*"])


def some(values: type[Outcome] | type[Severity]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.sampled_from(list(values)), max_size=3).map(tuple)


RULES = st.lists(
    st.builds(
        Rule,
        what=WHATS,
        where=PLACES,
        outcome=some(Outcome),
        severity=some(Severity),
        letter=st.booleans(),
        to=st.sampled_from(["masters", "everyone", "person", "eve@example.org", ("person", "masters")]),
        urgent=st.none(),
    ),
    max_size=4,
)
MATTERS = st.builds(
    matter,
    what=st.sampled_from(["device:unlock", "session:new-place", "room:offline", "home:locked-down", "audit:flood"]),
    where=st.sampled_from(["hall/front-door", "user/u1", "home"]),
    outcome=st.sampled_from(list(Outcome)),
    severity=st.sampled_from(list(Severity)),
)


@given(RULES, MATTERS)
def test_no_rule_keeps_from_the_master_users_what_they_must_know(rules: list[Rule], about: Matter) -> None:
    decision = Policy(rules).decide(about)
    if policy.is_floor(about):
        assert decision is not None
        assert policy.reaches_masters(decision.audience)


@given(RULES, MATTERS)
def test_what_the_check_lets_pass_never_needs_the_floor(rules: list[Rule], about: Matter) -> None:
    if any("from the master users" in complaint for complaint in complaints(rules)) or not policy.is_floor(about):
        return
    rule = next((rule for rule in rules if policy.fits(rule, about)), None)
    if rule is not None:
        assert rule.letter
        assert policy.reaches_masters(policy.several(rule.to))


def test_an_address_that_no_letter_reaches_is_told_with_what_to_write_instead() -> None:
    assert list(complaints([Rule(severity=Severity.INFO, to=("ada@m\u00fcller.de",))])) == [
        "rules[0].to: \"ada@m\u00fcller.de\": The e-mail address holds '\u00fc': "
        "most mail servers carry no such letters; write ada@xn--mller-kva.de."
    ]


def test_everything_that_is_wrong_is_told_at_once_and_names_its_rule() -> None:
    told = list(
        complaints(
            [
                Rule(name="quiet", what="device:*", letter=False),
                Rule(what="device:unlok", severity=Severity.INFO, to=("master", "x")),
                Rule(where="Hall/Front Door", source="gateway/1"),
                Rule(to=()),
                Rule(),
                Rule(severity=Severity.INFO, letter=False, urgent=True),
            ]
        )
    )
    assert [line.partition(":")[0] for line in told] == [
        'rules[0] ("quiet")',
        "rules[1].what",
        "rules[1].to",
        "rules[1].to",
        "rules[2].where",
        "rules[2].source",
        "rules[3].to",
        "rules[3]",
        "rules[4]",
        "rules[5]",
        "rules[5]",
    ]
    assert "from the master users" in told[0]
    assert 'did you mean "device:unlock"' in told[1]
    assert 'did you mean "masters"' in told[2]
    assert "never reached" in told[8]


def story(source: str, told: AuditEvent) -> Story:
    return Story(ended=told.outcome, outcome=row(source, told))


def test_a_rooms_word_sends_nobody_a_letter() -> None:
    assert story("gateway", event()).matter.person == "u1"
    assert story("hall", event()).matter.person is None
    assert story("hall", event(where="user/u7")).matter.person is None
    assert story("auth", event(where="user/u7", command_id=None)).matter.person == "u7"
    assert story("auth", event(where="user/u7 masters", command_id=None)).matter.person is None


def test_a_commands_letter_is_judged_by_how_it_ended_and_by_the_gravest_word() -> None:
    both = Story(
        ended=Outcome.REJECTED,
        intent=row("gateway", event(outcome=Outcome.ASKED, at=START)),
        outcome=row("hall", event(outcome=Outcome.REJECTED, severity=Severity.SECURITY)),
    )
    assert both.matter == matter(outcome=Outcome.REJECTED, severity=Severity.SECURITY)
