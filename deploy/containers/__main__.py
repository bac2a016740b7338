"""`python -m deploy.containers PART [ROOM]`: the first process of a part's container; any other words are a command."""

import os
import sys
from pathlib import Path

from deploy.containers import commands, keeper
from shared.running import log


def main(words: list[str]) -> int:
    """The part's exit code; does not return from a command, which takes our place."""
    if not words:
        print(f"name a part ({', '.join(commands.PARTS)}) or a command, such as homesystem init", file=sys.stderr)
        return 2
    if words[0] not in commands.PARTS:
        os.execvp(words[0], words)  # noqa: S606 - what the person typed behind `docker compose run`
    log.set_up("keeper", None)
    os.umask(0o077)
    return keeper.keep(
        commands.command(words[0], Path(os.environ["HOMESYSTEM_VAR"]), *words[1:2]), Path("/run/homesystem")
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
