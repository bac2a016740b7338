"""The home itself: `homesystem init` with its questions, as a person answers them."""

from tests.booted import mailserver
from tests.booted.house import HUB, MASTER, MASTER_NAME, PASSWORD, VAR, House
from tests.booted.terminal import Answer

ANSWERS = [
    Answer(r"name on your network", HUB),
    Answer(r"[Tt]ime zone", "Europe/Madrid"),
    Answer(r"Mail server", mailserver.NAME),
    Answer(r"[Pp]ort", "587"),
    Answer(r"User name there", mailserver.USER),
    Answer(r"Password there", mailserver.PASSWORD, "(the mail password)"),
    Answer(r"e-mail address", MASTER),
    Answer(r"Your name", MASTER_NAME),
    Answer(r"12 characters or more", PASSWORD, "(a password)"),
    Answer(r"Again", PASSWORD, "(the same)"),
]


def run(house: House) -> None:
    """Answer what is asked; look at what was made."""
    house.follow(house.hub, "hub-init", ANSWERS)
    settings = house.hub.run(f"cat {VAR}/home.toml")
    assert f'name = "{HUB}"' in settings, settings
    house.report.saw("the home is founded, under the hub's name")
    modes = house.hub.run(f"stat -c %a {VAR}/secrets {VAR}/pki/*.key | sort -u").split()
    assert set(modes) <= {"700", "600"}, modes
    house.report.saw("its keys and secrets are for their owner alone")
