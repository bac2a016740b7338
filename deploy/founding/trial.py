"""The letter by which `homesystem init` sees that letters leave, before anything is written."""

import asyncio
import time

from deploy.folder.home import Settings
from deploy.founding.answers import Answers, Mail
from shared import mail
from shared.mail import Letter, MailError
from shared.running.config import ConfigError

WARNING = (
    "Nobody can sign in until letters leave: the confirmation codes come by mail. Mend [smtp] in auth.toml and "
    "alerts.toml; `homesystem doctor` tries the mail server."
)


def send(server: Mail, to: str, name: str) -> None:
    """Have the server take a letter to the owner of the hub `name`. Raises MailError with its own words."""
    letter = Letter(
        to=to,
        subject="Home System: letters leave",
        text=(
            f"This letter was sent while the home on {name} was being set up: letters leave, and reach you.\n\n"
            "If you did not set up a home, somebody mistyped an address; nothing more will come.\n"
        ),
    )
    try:
        smtp = server.smtp(Settings(name=name).greeting)
    except ConfigError as error:
        raise MailError(str(error), permanent=True) from error
    asyncio.run(mail.send(smtp, letter, time.time(), password=server.password))


def send_for(answers: Answers) -> None:
    """The same for a whole set of answers. Raises ConfigError that says how to go on without."""
    try:
        send(answers.mail, answers.email, answers.name)
    except MailError as error:
        raise ConfigError(
            f"{answers.mail.host}:{answers.mail.port} does not take letters: {error}; correct [mail], or write "
            "letter = false there to go on without (nobody can sign in until letters leave)"
        ) from error
