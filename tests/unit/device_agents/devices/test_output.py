"""Where outputs stand, and what comes of it when a pin moved later than was thought."""

from device_agents.devices.output import Motion, Standing


def test_what_moved_later_than_it_was_thought_of_rests_and_runs_as_much_later() -> None:
    running = Standing(
        value=None, deadline=12.0, ready_at=11.0, motion=Motion(direction=1, started=10.0, target=100, goal=100)
    )
    later = running.later(10.0, 0.5)
    assert (later.deadline, later.ready_at) == (12.5, 11.5)
    assert later.motion is not None
    assert later.motion.started == 10.5
    onward = Standing(value=None, ready_at=9.0, motion=Motion(direction=1, started=8.0, target=100, goal=100)).later(
        10.0, 0.5
    )
    assert (onward.deadline, onward.ready_at) == (None, 9.0), "what is over is over"
    assert onward.motion is not None
    assert onward.motion.started == 8.0, "since its relay was switched on"
