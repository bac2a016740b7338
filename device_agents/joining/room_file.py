"""The first configuration of a room: plain TOML with this room's name and its hub's address, and what its board has.

Made by `homesystem room add --out` on the hub, which knows no board, and by `homesystem room join` on the Pi itself.
"""

import re
import textwrap
from pathlib import Path

from device_agents.joining.board import Board

TEMPLATE = Path(__file__).with_name("room.toml")
NAME = "room.toml"
_OURS = "hall"
"""The room that the template is about."""
_WIDTH = 116
_FIRST_DEVICE = "[[devices]]\n"


def text(room: str, host: str, port: int, board: Board | None = None) -> str:
    """The template, as it is for `room` of the home whose broker is at `host`.

    With a board the chip is that board's, its pins are told, and no device is in force: nothing moves on a machine of
    which nobody has said yet what hangs on it.
    """
    told = TEMPLATE.read_text()
    if board is not None:
        told = _with_board(told, board)
    told = re.sub(rf'(?m)^(room|identity) = "{_OURS}"$', rf'\1 = "{room}"', told)
    told = re.sub(r'(?m)^name = "Hall"$', f'name = "{room.replace("-", " ").capitalize()}"', told)
    told = told.replace(f"/pki/{_OURS}/", f"/pki/{room}/").replace("{room}", room)
    told = re.sub(r'(?m)^host = ".*"$', f'host = "{host}"', told)
    return re.sub(r"(?m)^port = \d+$", f"port = {port}", told)


def _with_board(told: str, board: Board) -> str:
    settings, _, devices = told.partition(_FIRST_DEVICE)
    if board.chip is None:
        pins = 'pins = "simulated"\nsim_dir = "/var/lib/homesystem/sim"\n'
    else:
        pins = f'pins = "gpiod"\nchip = "{board.chip}"\n'
    settings, count = re.subn(r'(?m)^pins = "gpiod"\nchip = ".*"\n', lambda _: _comment(board.words) + pins, settings)
    assert count == 1, f"{TEMPLATE} names no chip, or two"
    in_force = re.sub(r"(?m)^(?=[^#\n])", "# ", _FIRST_DEVICE + devices)
    # Within a device that is commented out a comment is one twice, as the template has it for the others.
    first, rest = in_force.split("\n\n", 1)
    first = re.sub(r"(?m)^#(?= [A-Z])", "# #", first)
    return f"{settings}{first}\n\n{rest}"


def _comment(words: tuple[str, ...]) -> str:
    lines = (line for one in words for line in textwrap.wrap(one, _WIDTH, break_on_hyphens=False))
    return "".join(f"# {line}\n" for line in lines)
