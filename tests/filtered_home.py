"""`python -m tests.filtered_home …` is `homesystem …` under the system call filter of the units.

Of `up`, which is for machines without systemd, only the programs that it starts are under it, each from its first step.
"""

import sys

from deploy import __main__ as homesystem
from deploy.folder.home import ROOT, Home
from deploy.running import up
from tests import sandbox

UNITS = sorted((ROOT / "deploy" / "systemd").glob("homesystem-*.service"))


def main() -> None:
    """Run the command."""
    real = up.programs

    def filtered(home: Home) -> dict[str, list[str]]:
        return {name: sandbox.command(UNITS[0], *map(str, program)) for name, program in real(home).items()}

    if sys.argv[1] == "up":
        up.programs = filtered  # type: ignore[assignment]  # paths are texts now
    else:
        sandbox.enter(UNITS[0].read_text())
    homesystem.main()


if __name__ == "__main__":
    main()
