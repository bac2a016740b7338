"""Each kind of output, driven by hand and by hypothesis: what is written, what is reported, and until when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.devices.cover import Cover
from device_agents.devices.dimmer import Dimmer
from device_agents.devices.lock import Lock
from device_agents.devices.output import Birth, BootPolicy, Last, Memory, Output, Standing, Step, Write
from device_agents.devices.pulse import Pulse
from device_agents.devices.switch import Switch
from shared.words.messages import CoverValue
from shared.words.names import Action
from shared.words.problem import HomeError


def birth(
    policy: BootPolicy = "off",
    levels: tuple[int | None, ...] = (None,),
    last: Last | None = None,
    *,
    interrupted: bool = False,
    ready_at: float = 0.0,
    ours: bool = True,
) -> Birth:
    return Birth(policy=policy, levels=levels, last=last, interrupted=interrupted, ready_at=ready_at, ours=ours)


def memory(*, active: bool = True, deadline: float | None = None, ready_at: float = 0.0) -> Memory:
    return Memory(boot="b", active=active, changed_at=0.0, rested_at=0.0, deadline=deadline, ready_at=ready_at)


def at_rest(output: Output, now: float = 0.0) -> Standing:
    return output.boot(birth(levels=(None,) * len(output.pins)), now).standing


# --- switch ----------------------------------------------------------------------------------------------------


def test_switch_does_what_it_is_told() -> None:
    lamp = Switch(17)
    on = lamp.act(at_rest(lamp), Action.ON, None, 1.0)
    assert (on.standing.value, on.writes, on.standing.deadline) == ("on", (Write(17, 1),), None)
    off = lamp.act(on.standing, Action.OFF, None, 2.0)
    assert (off.standing.value, off.writes) == ("off", (Write(17, 0),))


@pytest.mark.parametrize(
    ("policy", "level", "last", "value"),
    [
        ("off", 1, "on", "off"),
        ("on", 0, "off", "on"),
        ("restore", 1, "off", "on"),
        ("restore", 0, "on", "off"),
        ("restore", None, "on", "on"),
        ("restore", None, "off", "off"),
        ("restore", None, None, "off"),
    ],
)
def test_switch_starts_as_its_policy_says(policy: BootPolicy, level: int | None, last: str | None, value: str) -> None:
    known = None if last is None else Last(last)
    step = Switch(17).boot(birth(policy, (level,), known), 0.0)
    assert step.standing.value == value
    assert step.writes == (Write(17, 1 if value == "on" else 0),)


@pytest.mark.parametrize("level", [0, 1, None])
@pytest.mark.parametrize(("last", "value"), [("on", "on"), ("off", "off"), (None, "off")])
def test_a_level_that_is_not_ours_restores_nothing(level: int | None, last: str | None, value: str) -> None:
    known = None if last is None else Last(last)
    assert Switch(17).boot(birth("restore", (level,), known, ours=False), 0.0).standing.value == value
    for policy in ("off", "on"):
        assert Switch(17).boot(birth(policy, (level,), known, ours=False), 0.0).standing.value == policy


def test_on_while_on_never_extends_max_on() -> None:
    kettle = Switch(24, max_on=600)
    first = kettle.act(at_rest(kettle), Action.ON, None, 100.0).standing
    again = kettle.act(first, Action.ON, None, 650.0).standing
    assert first.deadline == again.deadline == 700.0
    over = kettle.tick(again, 700.0)
    assert (over.standing.value, over.standing.deadline, over.writes) == ("off", None, (Write(24, 0),))


def test_on_after_off_starts_max_on_anew() -> None:
    kettle = Switch(24, max_on=600)
    first = kettle.act(at_rest(kettle), Action.ON, None, 0.0).standing
    off = kettle.act(first, Action.OFF, None, 500.0).standing
    assert off.deadline is None
    assert kettle.act(off, Action.ON, None, 510.0).standing.deadline == 1110.0


def test_stopping_the_agent_leaves_a_lamp_alone_and_ends_what_it_alone_would_end() -> None:
    lamp, kettle = Switch(17), Switch(24, max_on=600)
    assert lamp.halt(lamp.act(at_rest(lamp), Action.ON, None, 0.0).standing, 1.0).writes == ()
    assert kettle.halt(kettle.act(at_rest(kettle), Action.ON, None, 0.0).standing, 1.0).writes == (Write(24, 0),)


def test_switch_that_does_not_follow_reports_what_is_read() -> None:
    lamp = Switch(17, max_on=60)
    rest = lamp.rest(lamp.act(at_rest(lamp), Action.ON, None, 0.0).standing, 1.0)
    assert rest == Step(Standing(value="off"), (Write(17, 0),))
    assert [lamp.seen(rest.standing, (level,)).value for level in (0, 1, None)] == ["off", "on", None]


@pytest.mark.parametrize(
    ("level", "remembered", "on_until"),
    [
        (1, memory(deadline=150.0), 150.0),
        (1, memory(deadline=9999.0), 700.0),
        (1, memory(deadline=100.0), None),
        (1, memory(deadline=None), None),
        (1, memory(active=False), None),
        (1, None, None),
        (0, memory(deadline=150.0), None),
        (None, None, None),
    ],
)
def test_what_is_left_of_max_on_survives_a_restart_and_what_is_not_known_is_used_up(
    level: int | None, remembered: Memory | None, on_until: float | None
) -> None:
    step = Switch(24, max_on=600).boot(birth("restore", (level,), Last("on", remembered)), 100.0)
    assert (step.standing.value, step.standing.deadline) == ("off" if on_until is None else "on", on_until)
    dimmed = Dimmer(18, max_on=600).boot(birth("restore", (level,), Last(40, remembered)), 100.0)
    if level:
        assert (dimmed.standing.value, dimmed.standing.deadline) == (40 if on_until else 0, on_until)


def test_what_must_rest_first_comes_on_after_its_rest_unless_somebody_says_otherwise() -> None:
    pump = Switch(24)
    waiting = pump.boot(birth("restore", (None,), Last("on"), ready_at=130.0), 100.0)
    assert waiting == Step(Standing(value="off", deadline=130.0, resume=1), (Write(24, 0),))
    assert pump.tick(waiting.standing, 130.0).writes == (Write(24, 1),)
    assert pump.act(waiting.standing, Action.OFF, None, 110.0).standing == Standing(value="off")
    assert pump.halt(waiting.standing, 110.0).writes == ()
    dimmer = Dimmer(18, max_on=5)
    waiting = dimmer.boot(birth("on", (None,), ready_at=130.0), 100.0)
    assert (waiting.standing.resume, waiting.standing.deadline) == (0, None)
    waiting = Dimmer(18).boot(birth("on", (0,), ready_at=130.0), 100.0)
    assert dimmer.tick(waiting.standing, 130.0).standing == Standing(value=100, deadline=135.0)


# --- dimmer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "value", "level"),
    [(Action.ON, None, 100), (Action.OFF, None, 0), (Action.SET, 40, 40), (Action.SET, 0, 0)],
)
def test_dimmer_takes_absolute_brightness(action: Action, value: int | None, level: int) -> None:
    step = Dimmer(18).act(Standing(value=70), action, value, 0.0)
    assert (step.standing.value, step.writes) == (level, (Write(18, level),))


def test_dimmer_restores_its_last_brightness() -> None:
    assert Dimmer(18).boot(birth("restore", (1,), Last(40)), 0.0).standing.value == 40
    assert Dimmer(18).boot(birth("restore", (1,)), 0.0).standing.value == 0
    assert Dimmer(18).boot(birth("on"), 0.0).standing.value == 100


def test_dimming_never_extends_max_on() -> None:
    dimmer = Dimmer(18, max_on=10)
    standing = dimmer.act(at_rest(dimmer), Action.ON, None, 0.0).standing
    standing = dimmer.act(standing, Action.SET, 20, 9.0).standing
    assert standing.deadline == 10.0
    assert dimmer.tick(standing, 10.0).standing == Standing(value=0)
    assert dimmer.halt(standing, 9.5).writes == (Write(18, 0),)
    assert dimmer.rest(standing, 9.5).writes == (Write(18, 0),)
    assert [dimmer.seen(standing, (level,)).value for level in (0, 40, None)] == [0, 40, None]


# --- lock ------------------------------------------------------------------------------------------------------


def test_lock_is_energised_to_unlock() -> None:
    door = Lock(27)
    assert door.act(at_rest(door), Action.UNLOCK, None, 0.0) == Step(Standing(value="unlocked"), (Write(27, 1),))
    assert door.act(at_rest(door), Action.LOCK, None, 0.0) == Step(Standing(value="locked"), (Write(27, 0),))


@pytest.mark.parametrize("level", [None, 0, 1])
def test_lock_starts_locked_whatever_was_before(level: int | None) -> None:
    step = Lock(27).boot(birth("restore", (level,), Last("unlocked")), 0.0)
    assert step == Step(Standing(value="locked"), (Write(27, 0),))


def test_lock_that_does_not_follow_is_jammed_and_stopping_leaves_it() -> None:
    door = Lock(27)
    wanted = door.act(at_rest(door), Action.LOCK, None, 0.0).standing
    assert door.seen(wanted, (1,)).value == "jammed"
    assert door.halt(wanted, 0.0).writes == ()
    unlocked = door.act(wanted, Action.UNLOCK, None, 0.0).standing
    assert door.halt(unlocked, 0.0).writes == ()


def test_lock_locks_by_itself_but_never_into_an_open_door() -> None:
    door = Lock(27, relock_after=30)
    unlocked = door.act(at_rest(door), Action.UNLOCK, None, 10.0).standing
    assert unlocked.deadline == 40.0
    assert door.tick(unlocked, 40.0).standing.value == "locked"
    opened = door.door(unlocked, 20.0, is_open=True)
    assert opened.deadline == 40.0
    waiting = door.tick(opened, 40.0)
    assert (waiting.standing.value, waiting.standing.deadline, waiting.writes) == ("unlocked", None, ())
    closed = door.door(waiting.standing, 55.0, is_open=False)
    assert closed.deadline == 55.0
    assert door.tick(closed, 55.0).writes == (Write(27, 0),)
    again = door.act(waiting.standing, Action.UNLOCK, None, 50.0).standing
    assert (again.deadline, again.door_open) == (80.0, True)
    assert door.act(again, Action.LOCK, None, 51.0).standing == Standing(value="locked", door_open=True)
    assert door.halt(unlocked, 12.0).writes == (Write(27, 0),)


def test_lock_without_a_relock_time_stays_as_it_is_when_its_door_moves() -> None:
    door = Lock(27)
    unlocked = door.act(at_rest(door), Action.UNLOCK, None, 10.0).standing
    assert door.door(door.door(unlocked, 11.0, is_open=True), 12.0, is_open=False) == unlocked


# --- pulse -----------------------------------------------------------------------------------------------------


def test_pulse_lets_go_after_its_time_and_rests_for_the_travel() -> None:
    door = Pulse(12, pulse_ms=500, travel_time=1.0)
    pressed = door.act(at_rest(door), Action.PRESS, None, 10.0)
    assert (pressed.writes, pressed.standing.deadline) == ((Write(12, 1),), 10.5)
    released = door.tick(pressed.standing, 10.5)
    assert (released.writes, released.standing.deadline) == ((Write(12, 0),), None)
    with pytest.raises(HomeError, match="too-soon"):
        door.act(released.standing, Action.PRESS, None, 10.99)
    assert door.act(released.standing, Action.PRESS, None, 11.0).writes == (Write(12, 1),)


def test_pulse_starts_released_and_waits_for_a_travel_that_may_not_be_over() -> None:
    door = Pulse(12, pulse_ms=500, travel_time=20.0)
    assert door.boot(birth(), 100.0).standing.ready_at == 100.0
    for ready_at, waits_until in [(105.0, 105.0), (95.0, 100.0), (9999.0, 120.0)]:
        known = Last(None, memory(active=False, ready_at=ready_at))
        assert door.boot(birth(last=known), 100.0).standing.ready_at == waits_until
        assert door.boot(birth(last=known, interrupted=True), 100.0).standing.ready_at == 120.0
    # After a boot of the board nobody knows when it was pressed.
    assert door.boot(birth(last=Last(None)), 100.0).standing.ready_at == 120.0
    pressed = door.boot(birth(levels=(1,)), 100.0)
    assert pressed.writes == (Write(12, 0),)
    assert pressed.standing.ready_at == 120.0


def test_stopping_the_agent_ends_a_pulse() -> None:
    door = Pulse(12, pulse_ms=500)
    pressed = door.act(at_rest(door), Action.PRESS, None, 0.0).standing
    assert door.halt(pressed, 0.1).writes == (Write(12, 0),)
    assert door.halt(at_rest(door), 0.1).writes == ()
    assert door.rest(pressed, 0.1) == Step(Standing(value=None, ready_at=0.5), (Write(12, 0),))
    assert door.seen(pressed, (0,)) == pressed


# --- cover -----------------------------------------------------------------------------------------------------

OPENING, CLOSING = 5, 6


def cover() -> Cover:
    return Cover(OPENING, CLOSING, travel_time=20.0, dead_time=0.5)


def settled(blind: Cover, step: Step) -> tuple[Standing, float]:
    """Follow deadlines to the end; where it stands then, and when."""
    now = 0.0
    while step.standing.deadline is not None:
        now = step.standing.deadline
        step = blind.tick(step.standing, now)
    return step.standing, now


def test_cover_opens_for_its_travel_and_a_little_longer() -> None:
    blind = cover()
    opening = blind.act(at_rest(blind), Action.OPEN, None, 10.0)
    assert opening.writes == (Write(CLOSING, 0), Write(OPENING, 1))
    assert opening.standing.value == CoverValue(position=None, moving="opening")
    assert opening.standing.deadline == pytest.approx(32.0)
    arrived = blind.tick(opening.standing, 32.0)
    assert arrived.writes == (Write(OPENING, 0), Write(CLOSING, 0))
    assert arrived.standing.value == CoverValue(position=100, moving=None)


def test_cover_that_is_told_again_and_again_does_not_run_longer_for_it() -> None:
    blind = cover()
    closing = blind.act(at_rest(blind), Action.CLOSE, None, 10.0)
    again = blind.act(closing.standing, Action.CLOSE, None, 25.0)
    assert again.standing.deadline == closing.standing.deadline == pytest.approx(32.0)
    by_way_of_the_end = blind.act(closing.standing, Action.SET, 40, 25.0)
    assert by_way_of_the_end.standing.deadline == pytest.approx(32.0)


def test_cover_stopped_midway_knows_about_where() -> None:
    blind = cover()
    closed, now = settled(blind, blind.act(at_rest(blind), Action.CLOSE, None, 1.0))
    opening = blind.act(closed, Action.OPEN, None, now + 10)
    stopped = blind.act(opening.standing, Action.STOP, None, now + 15)
    assert stopped.writes == (Write(OPENING, 0), Write(CLOSING, 0))
    assert stopped.standing.value == CoverValue(position=25, moving=None)
    assert stopped.standing.deadline is None


def test_cover_rests_before_it_turns() -> None:
    blind = cover()
    opening = blind.act(at_rest(blind), Action.OPEN, None, 10.0)
    turned = blind.act(opening.standing, Action.CLOSE, None, 12.0)
    assert turned.writes == (Write(OPENING, 0), Write(CLOSING, 0))
    assert turned.standing.deadline == 12.5
    closing = blind.tick(turned.standing, 12.5)
    assert closing.writes == (Write(OPENING, 0), Write(CLOSING, 1))
    assert closing.standing.value == CoverValue(position=None, moving="closing")


def test_cover_goes_to_a_percentage_by_way_of_the_closed_end_when_it_is_lost() -> None:
    blind = cover()
    step = blind.act(at_rest(blind), Action.SET, 40, 10.0)
    assert step.standing.value == CoverValue(position=None, moving="closing")
    standing, now = settled(blind, step)
    assert standing.value == CoverValue(position=40, moving=None)
    assert now == pytest.approx(10 + 22 + 0.5 + 8)


def test_cover_that_is_there_already_stays() -> None:
    blind = cover()
    standing, now = settled(blind, blind.act(at_rest(blind), Action.SET, 40, 1.0))
    step = blind.act(standing, Action.SET, 40, now + 1)
    assert all(write.level == 0 for write in step.writes)
    assert step.standing.deadline is None


@pytest.mark.parametrize("thought", [0, 30, 100])
@pytest.mark.parametrize(
    ("action", "value", "pin", "end"),
    [
        (Action.OPEN, None, OPENING, 100),
        (Action.SET, 100, OPENING, 100),
        (Action.CLOSE, None, CLOSING, 0),
        (Action.SET, 0, CLOSING, 0),
    ],
)
def test_cover_drives_to_an_end_for_its_whole_travel_wherever_it_is_thought_to_be(
    action: Action, value: int | None, pin: int, end: int, thought: int
) -> None:
    blind = cover()
    at = Standing(value=CoverValue(position=thought, moving=None), position=float(thought))
    step = blind.act(at, action, value, 10.0)
    assert step.writes[-1] == Write(pin, 1)
    assert isinstance(step.standing.value, CoverValue)
    assert step.standing.value.moving is not None
    assert step.standing.deadline == pytest.approx(32.0)
    again = blind.act(step.standing, action, value, 20.0)
    assert again.standing.deadline == pytest.approx(32.0), "told again, it does not run longer for it"
    standing, _ = settled(blind, step)
    assert standing.value == CoverValue(position=end, moving=None)


@pytest.mark.parametrize(("action", "pin", "end"), [(Action.OPEN, OPENING, 100), (Action.CLOSE, CLOSING, 0)])
def test_cover_that_finds_its_end_again_is_not_ended_by_being_set_to_it(action: Action, pin: int, end: int) -> None:
    blind = cover()
    at = Standing(value=CoverValue(position=end, moving=None), position=float(end))
    driving = blind.act(at, action, None, 10.0)
    again = blind.act(driving.standing, Action.SET, end, 12.0)
    assert again.writes[-1] == Write(pin, 1)
    assert again.standing == driving.standing


def test_cover_that_has_to_turn_drives_for_its_whole_travel_too() -> None:
    blind = cover()
    at = Standing(value=CoverValue(position=90, moving=None), position=90.0)
    closing = blind.act(at, Action.CLOSE, None, 10.0)
    turned = blind.act(closing.standing, Action.OPEN, None, 11.0)
    assert turned.writes == (Write(OPENING, 0), Write(CLOSING, 0))
    opening = blind.tick(turned.standing, 11.5)
    assert opening.standing.deadline == pytest.approx(33.5)


def test_cover_on_its_way_to_a_percentage_that_is_told_to_open_goes_all_the_way() -> None:
    blind = cover()
    at = Standing(value=CoverValue(position=50, moving=None), position=50.0)
    halfway = blind.act(at, Action.SET, 80, 10.0)
    opening = blind.act(halfway.standing, Action.OPEN, None, 12.0)
    assert opening.standing.deadline == pytest.approx(32.0), "from when the relay was switched on"
    assert opening.standing.value == CoverValue(position=60, moving="opening")
    back = blind.act(opening.standing, Action.SET, 80, 13.0)
    assert back.standing.deadline == pytest.approx(13.0 + 3.0)


@pytest.mark.parametrize(
    ("last", "levels", "interrupted", "position"),
    [
        (CoverValue(position=30, moving=None), (0, 0), False, 30),
        (CoverValue(position=30, moving=None), (0, 1), False, None),
        (CoverValue(position=30, moving=None), (0, 0), True, None),
        (CoverValue(position=30, moving="opening"), (0, 0), False, None),
        (None, (None, None), False, None),
    ],
)
def test_cover_starts_at_rest_and_knows_only_what_it_can(
    last: CoverValue | None, levels: tuple[int | None, ...], interrupted: bool, position: int | None
) -> None:
    known = None if last is None else Last(last)
    step = cover().boot(birth(levels=levels, last=known, interrupted=interrupted), 0.0)
    assert step.standing.value == CoverValue(position=position, moving=None)
    assert step.writes == (Write(OPENING, 0), Write(CLOSING, 0))


def test_cover_whose_relay_does_not_let_go_is_lost_and_told_again() -> None:
    blind = cover()
    opening = blind.act(at_rest(blind), Action.OPEN, None, 10.0)
    rest = blind.rest(opening.standing, 11.0)
    assert rest.writes == (Write(OPENING, 0), Write(CLOSING, 0))
    lost = blind.seen(rest.standing, (1, 0))
    assert (lost.value, lost.position, lost.motion) == (CoverValue(position=None, moving=None), None, None)
    closed, now = settled(blind, blind.act(at_rest(blind), Action.CLOSE, None, 1.0))
    assert blind.rest(closed, now + 1).standing.position == 0


def test_stopping_the_agent_stops_a_cover() -> None:
    blind = cover()
    opening = blind.act(at_rest(blind), Action.OPEN, None, 10.0)
    assert blind.halt(opening.standing, 11.0).writes == (Write(OPENING, 0), Write(CLOSING, 0))
    assert blind.halt(at_rest(blind), 11.0).writes == ()


WISHES = st.tuples(
    st.sampled_from(
        [
            (Action.OPEN, None),
            (Action.CLOSE, None),
            (Action.STOP, None),
            (Action.SET, 35),
            (Action.SET, 80),
            (Action.SET, 0),
            (Action.SET, 100),
        ]
    ),
    st.floats(0.0, 30.0),
)


@given(st.lists(WISHES, max_size=25))
def test_cover_relays_are_never_on_together_and_always_rest_between_directions(
    wishes: list[tuple[tuple[Action, int | None], float]],
) -> None:
    blind = cover()
    now = 0.0
    levels = {OPENING: 0, CLOSING: 0}
    off_since = {OPENING: -1e9, CLOSING: -1e9}
    step = blind.boot(birth(levels=(None, None)), now)

    def apply(taken: Step) -> Standing:
        for pin, level in taken.writes:
            if levels[pin] and not level:
                off_since[pin] = now
            levels[pin] = level
            assert sum(levels.values()) <= 1
            if level:
                other = CLOSING if pin == OPENING else OPENING
                assert now - off_since[other] >= 0.5 - 1e-9
        moving = taken.standing.value.moving if isinstance(taken.standing.value, CoverValue) else None
        assert (levels[OPENING], levels[CLOSING]) == (int(moving == "opening"), int(moving == "closing"))
        return taken.standing

    standing = apply(step)
    for (action, value), pause in wishes:
        until = now + pause
        while standing.deadline is not None and standing.deadline <= until:
            now = standing.deadline
            standing = apply(blind.tick(standing, now))
        now = until
        standing = apply(blind.act(standing, action, value, now))
    steps = 0
    while standing.deadline is not None:
        now = standing.deadline
        standing = apply(blind.tick(standing, now))
        steps += 1
        assert steps < 5


@given(st.lists(st.tuples(st.floats(0.0, 900.0), st.sampled_from([Action.ON, Action.OFF])), max_size=30))
def test_switch_is_never_on_for_longer_than_max_on(wishes: list[tuple[float, Action]]) -> None:
    kettle = Switch(24, max_on=600)
    now, on_since = 0.0, None
    standing = at_rest(kettle)

    def check(step: Step) -> Standing:
        nonlocal on_since
        value = step.standing.value
        if value == "on" and on_since is None:
            on_since = now
        elif value == "off":
            assert on_since is None or now - on_since <= 600 + 1e-6
            on_since = None
        return step.standing

    for pause, action in wishes:
        until = now + pause
        if standing.deadline is not None and standing.deadline <= until:
            now = standing.deadline
            standing = check(kettle.tick(standing, now))
        now = until
        standing = check(kettle.act(standing, action, None, now))
