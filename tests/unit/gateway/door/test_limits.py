"""How often anybody may ask."""

import pytest

from gateway.config import LimitsConfig
from gateway.door.limits import Limits
from shared.running.config import ConfigError
from shared.words.problem import HomeError


async def test_what_exceeds_the_limit_is_told_when_to_come_back() -> None:
    limits = Limits(LimitsConfig(reads="2/minute"))
    limits.hit("reads", "user:1")
    limits.hit("reads", "user:1")
    with pytest.raises(HomeError, match="rate-limited") as refused:
        limits.hit("reads", "user:1")
    assert 1 <= refused.value.facts["retry_after"] <= 60
    limits.hit("reads", "user:2")


async def test_each_name_counts_for_itself() -> None:
    limits = Limits(LimitsConfig(reads="1/minute", pages="1/minute"))
    limits.hit("reads", "user:1")
    limits.hit("pages", "user:1")


async def test_both_windows_hold_and_a_refusal_uses_up_neither() -> None:
    limits = Limits(LimitsConfig(default="3/day;2/hour"))
    limits.hit("default", "/here", "user:1")
    limits.hit("default", "/here", "user:1")
    for _ in range(5):
        with pytest.raises(HomeError) as refused:
            limits.hit("default", "/here", "user:1")
        assert refused.value.facts["retry_after"] <= 3600
    limits.hit("default", "/there", "user:1")


@pytest.mark.parametrize("text", ["often", "5", "5/fortnight", "-1/minute"])
def test_a_limit_that_is_none_is_refused_at_start(text: str) -> None:
    with pytest.raises(ConfigError, match=r"limits\.reads"):
        Limits(LimitsConfig(reads=text))
