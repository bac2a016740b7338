"""What an account hears and gets letters for: strangers use up nothing of its owner's."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from auth_service.signing_in.budgets import SLIPS, Asker, SignInBudgets, Windows
from shared.words.internal import Budget, Regulation
from tests.unit.auth_service.parts import START

FEW = Regulation(letters=(Budget(2, 600),), wrong_passwords=(Budget(3, 3600),))
STRANGER = Asker("u-1", "", "198.51.100.0/24")
OWNER_ELSEWHERE = Asker("u-1", "", "192.0.2.0/24")
OWNER_AT_HOME = Asker("u-1", "phone", "203.0.113.0/24")


def test_a_window_is_spent_until_its_end_and_not_longer() -> None:
    windows, budgets = Windows(), (Budget(1, 60), Budget(2, 600))
    windows.count("k", budgets, START)
    assert windows.is_spent("k", budgets, START + timedelta(seconds=59))
    assert not windows.is_spent("k", budgets, START + timedelta(seconds=60))
    windows.count("k", budgets, START + timedelta(seconds=60))
    assert windows.is_spent("k", budgets, START + timedelta(seconds=599)), "the longer one is spent too"
    assert not windows.is_spent("k", budgets, START + timedelta(seconds=600))
    assert not windows.is_spent("k", (), START)


def test_a_clock_that_was_set_back_keeps_nobody_out() -> None:
    windows = Windows()
    windows.count("k", (Budget(1, 60),), START)
    assert not windows.is_spent("k", (Budget(1, 60),), START - timedelta(days=1))


def test_what_is_counted_is_bounded() -> None:
    windows = Windows(most=3)
    for number in range(10):
        windows.count(number, (Budget(1, 60),), START)
    assert [n for n in range(10) if windows.is_spent(n, (Budget(1, 60),), START)] == [7, 8, 9]


def test_wrong_passwords_end_at_the_budget_and_reach_neither_a_known_browser_nor_a_quiet_network() -> None:
    budgets = SignInBudgets()
    for _ in range(3):
        assert budgets.hears(STRANGER, FEW, START)
        budgets.heard_wrong(STRANGER, FEW, START)
    assert not budgets.hears(STRANGER, FEW, START)
    assert budgets.hears(OWNER_AT_HOME, FEW, START)
    assert budgets.hears(OWNER_ELSEWHERE, FEW, START)
    for _ in range(SLIPS):
        assert budgets.hears(OWNER_ELSEWHERE, FEW, START), "who mistypes is still heard"
        budgets.heard_wrong(OWNER_ELSEWHERE, FEW, START)
    assert not budgets.hears(OWNER_ELSEWHERE, FEW, START), "as many as slips, past the budget"
    assert budgets.hears(STRANGER, FEW, START + timedelta(hours=1))


def test_a_known_browser_has_a_budget_of_its_own() -> None:
    budgets = SignInBudgets()
    for _ in range(3):
        budgets.heard_wrong(OWNER_AT_HOME, FEW, START)
    assert not budgets.hears(OWNER_AT_HOME, FEW, START)
    assert budgets.hears(STRANGER, FEW, START)
    assert [budgets.may_write(OWNER_AT_HOME, FEW, START) for _ in range(3)] == [True, True, False]
    assert [budgets.may_write(STRANGER, FEW, START) for _ in range(3)] == [True, True, False]
    assert not budgets.may_write(OWNER_ELSEWHERE, FEW, START), "unknown browsers share the account's letters"


ASKERS = st.builds(
    Asker, st.sampled_from(["u-1", "u-2"]), st.sampled_from(["", "phone", "tablet"]), st.sampled_from(["a", "b", "c"])
)


@given(st.lists(st.tuples(ASKERS, st.integers(0, 1200)), max_size=80))
def test_no_order_of_strangers_tries_reaches_a_known_browser_that_made_none(tries: list[tuple[Asker, int]]) -> None:
    budgets, now = SignInBudgets(), START
    for asker, seconds in tries:
        now += timedelta(seconds=seconds)
        if asker.known != "phone":
            budgets.heard_wrong(asker, FEW, now)
            budgets.may_write(asker, FEW, now)
    for account in ("u-1", "u-2"):
        phone = Asker(account, "phone", "a")
        assert budgets.hears(phone, FEW, now)
        assert budgets.may_write(phone, FEW, now)
