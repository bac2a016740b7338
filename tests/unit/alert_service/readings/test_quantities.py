"""What a state says as a number."""

import math

import pytest

from alert_service.readings.quantities import GAP, Said, said
from shared.words.messages import CoverValue
from shared.words.names import Kind
from tests.unit.alert_service.readings.parts import state


def test_each_kind_says_its_number() -> None:
    assert said(Kind.TEMPERATURE, state(21.5)) == Said(21.5)
    assert said(Kind.HUMIDITY, state(40)) == Said(40.0)
    assert [said(Kind.SWITCH, state(value)).value for value in ("on", "off")] == [1.0, 0.0]
    assert said(Kind.DIMMER, state(30)) == Said(30.0)
    assert [said(Kind.LOCK, state(value)).value for value in ("unlocked", "locked")] == [1.0, 0.0]
    assert said(Kind.COVER, state(CoverValue(position=40, moving="opening"))) == Said(40.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, True, "warm", None])
def test_what_is_no_finite_number_is_a_gap(value: float | str | None) -> None:
    assert said(Kind.TEMPERATURE, state(value)) == GAP


def test_faults_are_marked_in_our_own_words() -> None:
    assert said(Kind.TEMPERATURE, state(None, fault="sensor")) == Said(None, "sensor")
    assert said(Kind.SWITCH, state("on", fault="mismatch")) == Said(1.0, "mismatch")
    assert said(Kind.TEMPERATURE, state(None, fault="<script>")) == Said(None, "fault")
    assert said(Kind.LOCK, state("jammed")) == Said(None, "jammed")
    assert said(Kind.COVER, state(CoverValue(position=None, moving=None))) == GAP
