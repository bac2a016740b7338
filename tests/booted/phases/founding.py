"""The home itself: `homesystem init` with its questions, as a person answers them."""

from pathlib import Path

from tests.booted import mailserver
from tests.booted.house import HUB, MASTER, MASTER_NAME, PASSWORD, VAR, House
from tests.booted.terminal import Answer
from tests.booted.trees import ZONE

ANSWERS = [
    Answer(r"The hub's name in your network", HUB),
    Answer(rf"Time zone.*{ZONE}", "", f"(Enter: {ZONE}, the machine's own)"),
    Answer(r"Your e-mail address", MASTER),
    Answer(r"Your name", MASTER_NAME),
    Answer(r"A password, 12 characters", PASSWORD, "(a password)"),
    Answer(r"The same again", PASSWORD, "(the same)"),
    Answer(r"Mail server \(SMTP\)", mailserver.NAME),
    Answer(r"User name there", mailserver.USER),
    Answer(r"Password there", mailserver.PASSWORD, "(the mail password)"),
]


def run(house: House) -> None:
    """Answer what is asked; look at what was made."""
    before = house.mail.count
    house.follow(house.hub, "hub-init", ANSWERS)
    settings = house.hub.run(f"cat {VAR}/home.toml")
    assert f'name = "{HUB}"' in settings, settings
    house.report.saw("the home is founded, under the hub's name")
    letter = house.mail.wait_for("", after=before)
    house.report.saw(f"the letter that proves the mail server came: {letter['Subject']}")
    modes = house.hub.run(
        f"find {VAR} -name '*.key' -o -path '*/secrets/*' -type f | xargs stat -c '%a %U:%G %n'"
    ).splitlines()
    assert modes, "no key was found at all"
    assert not [line for line in modes if not _is_closed(line)], modes
    house.report.saw(f"its {len(modes)} keys and secrets are their owner's alone, or the one service's that has them")


def _is_closed(line: str) -> bool:
    mode, owner, path = line.split()
    inside = Path(path).relative_to(VAR).parts
    if inside[0] == "services":
        return (mode, owner) == ("640", f"homesystem:homesystem-{inside[1]}")
    return (mode, owner) == ("600", "homesystem:homesystem")
