"""What rooms say of themselves, as the broker retains it."""

from deploy.folder.home import Home
from deploy.live_broker import broker
from shared.words import messages, topics
from shared.words.messages import Description
from shared.words.problem import HomeError


def read(home: Home) -> dict[str, Description]:
    """By room; nothing where no broker runs, and nothing of a room whose word cannot be read.

    Raises HomeError("broker-unreachable") where one runs and cannot be asked.
    """
    if not broker.runs(home):
        return {}
    with broker.as_admin(home) as control:
        retained = control.retained([topics.ALL_DESCRIPTIONS])
    found = {}
    for topic, payload in retained.items():
        parsed = topics.parse(topic)
        if parsed is None or parsed.room is None:
            continue
        try:
            found[parsed.room] = messages.decode(Description, payload)
        except HomeError:
            continue  # what cannot be read says nothing
    return found
