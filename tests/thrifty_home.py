"""`python -m tests.thrifty_home …` is `homesystem …` whose homes hash passwords as cheaply as they may be told to.

A sign-in is two of those hashes, and a home of the demo begins with three: a second of computing that few tests are
about.
"""

from pathlib import Path
from unittest import mock

from deploy import __main__ as homesystem
from deploy.folder import home as homes

_render = homes.render


def render(home: homes.Home, template: str, path: Path) -> None:
    """As the real one; then `bcrypt_rounds` is its owner's choice."""
    _render(home, template, path)
    if template == "auth":
        path.write_text(path.read_text().replace("bcrypt_rounds = 12", "bcrypt_rounds = 10"))


if __name__ == "__main__":
    with mock.patch.object(homes, "render", render):
        homesystem.main()
