"""`python -m tests.fuzz http --requests 100000` and `… mqtt --messages 100000`: each makes a home of its own."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.fuzz import over_http, over_mqtt
from tests.fuzz.home import fuzzed_home
from tests.fuzz.report import Report


def main() -> int:
    """Run one of the two; 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind, unit in (("http", "requests"), ("mqtt", "messages")):
        one = kinds.add_parser(kind)
        one.add_argument(f"--{unit}", dest="count", type=int, default=2000)
        one.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    report = Report(logs_only=chosen.kind == "mqtt")
    with tempfile.TemporaryDirectory() as folder, fuzzed_home(Path(folder)) as demo:
        pids = demo.pids()
        if chosen.kind == "http":
            asyncio.run(over_http.run(demo, chosen.count, chosen.seed, report, say))
        else:
            over_mqtt.run(demo, chosen.count, chosen.seed, report, say)
        report.look(demo, pids)
        print(f"{chosen.kind}: {chosen.count} sent, seed {chosen.seed}")
        return report.verdict()


def say(text: str) -> None:
    """On the way."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
