"""Connects as the hub's command does, again and again, and counts what did not go well at the first try.

`python -m tests.connects [COUNT] [LINE…]`: on the installed Mosquitto and on those that tests/brokers.py fetched;
each LINE is added to the broker's configuration (`"max_keepalive 60"` shows why ours has none).
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from deploy.live_broker import broker as hub
from shared.words.problem import HomeError
from tests import brokers
from tests.house import Broker, make_home, make_pki

FAILED = 0
"""Instead of a number of tries."""


def count_tries(broker: Broker, count: int) -> Counter[int]:
    """How many of `count` connects needed so many tries; FAILED for those that had none left."""
    tries: Counter[int] = Counter()
    for _ in range(count):
        try:
            with hub.as_signer(broker.home) as control:
                control.standing("admin")
                tries[control.tries] += 1
        except HomeError as error:
            print(f"  {error.detail}")
            tries[FAILED] += 1
    return tries


def main() -> None:
    """Print a line for each Mosquitto."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        for suite in (brokers.INSTALLED, *brokers.SUITES):
            if (release := brokers.find(suite)) is None:
                print(f"Mosquitto of {suite}: not here; python -m tests.brokers {suite}")
                continue
            home = make_home(Path(folder) / suite)
            make_pki(home)
            broker = Broker(home, release)
            path = home.var / "mosquitto.conf"
            path.write_text("\n".join([*sys.argv[2:], path.read_text()]))
            broker.start()
            tries = count_tries(broker, count)
            broker.stop()
            again = sum(number for needed, number in tries.items() if needed > 1)
            print(f"Mosquitto {release.version} ({suite}): {count} connects of the hub's command: ", end="")
            print(f"{tries[FAILED]} failed, {again} needed another try", flush=True)


if __name__ == "__main__":
    main()
