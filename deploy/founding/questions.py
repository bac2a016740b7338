"""The questions on the terminal: each answer is checked where it is given and asked for again until it fits.

Nothing is written here, so that whoever leaves half-way leaves nothing behind.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from auth_service.people.password_form import canonical
from deploy.founding import answers as replies
from deploy.founding import checks, reach, trial
from deploy.founding.answers import PORTS, Answers, Mail
from deploy.founding.reach import Machine
from shared.mail import MailError
from shared.words.problem import HomeError

T = TypeVar("T")
Trial = Callable[[Mail, str, str], None]
"""Sends a letter by a server to an address, about the hub of that name. Raises MailError."""
NOBODY = "-"
"""The answer that means: no user."""
_SUBMISSION = 587


class Terminal(NamedTuple):
    """How questions reach a person: a question with its usual answer, one whose answer is not shown, and a sentence."""

    ask: Callable[[str, str], str]
    secret: Callable[[str], str]
    say: Callable[[str], None]


class Guesses(NamedTuple):
    """What this machine lets us guess, so that Enter is an answer."""

    machine: Machine
    timezone: str
    person: str
    environment: Mapping[str, str]


def ask(terminal: Terminal, guesses: Guesses, send: Trial = trial.send) -> Answers:
    """Every answer, checked. Raises HomeError("invalid-value") when the person leaves before the last."""
    try:
        return _ask(terminal, guesses, send)
    except (EOFError, KeyboardInterrupt):
        raise HomeError("invalid-value", "Left before the last question; nothing was written.") from None


def _ask(terminal: Terminal, guesses: Guesses, send: Trial) -> Answers:
    name = _name(terminal, guesses.machine)
    zone = _until_fits(terminal, lambda: terminal.ask("Time zone", guesses.timezone), checks.time_zone)
    email = _until_fits(
        terminal, lambda: terminal.ask("Your e-mail address: you become the master user", ""), checks.email
    )
    person = _until_fits(
        terminal, lambda: terminal.ask("Your name", guesses.person or email.partition("@")[0].title()), checks.person
    )
    password = _password(terminal, email, person, name)
    mail = _mail(terminal, send, email=email, name=name)
    ports = _ports(terminal, guesses.environment)
    return Answers(
        name=name,
        timezone=zone,
        language=replies.of_locale(guesses.environment),
        email=email,
        person=person,
        password=password,
        mail=mail,
        ports=ports,
        database=checks.database(replies.usual_database(guesses.environment)),
    )


def _until_fits(terminal: Terminal, question: Callable[[], str], check: Callable[[str], T]) -> T:
    while True:
        try:
            return check(question())
        except HomeError as error:
            terminal.say(error.detail)


def _yes(terminal: Terminal, question: str) -> bool:
    return terminal.ask(f"{question} (yes or no)", "no").strip().lower() in {"y", "yes"}


def _name(terminal: Terminal, machine: Machine) -> str:
    while True:
        name = _until_fits(
            terminal,
            lambda: terminal.ask("The hub's name in your network", f"{machine.name}.local"),
            checks.host_name,
        )
        doubt = reach.doubt(name, machine)
        if doubt is None:
            return name
        terminal.say(doubt)
        if _yes(terminal, f"Use {name} all the same, and do that later?"):
            return name


def _password(terminal: Terminal, email: str, person: str, name: str) -> str:
    while True:
        password = _until_fits(
            terminal,
            lambda: terminal.secret("A password, 12 characters or more"),
            lambda text: checks.password(text, of_email=email, of_name=person, home_words=(name,)),
        )
        if canonical(terminal.secret("The same again")) == canonical(password):
            return password
        terminal.say("The two differ.")


def _mail(terminal: Terminal, send: Trial, *, email: str, name: str) -> Mail:
    """The mail server, once it has taken a letter, or the person goes on without."""
    place, user = f"smtp.{email.partition('@')[2]}", email
    while True:
        mail, place, user = _mail_server(terminal, email, place, user)
        terminal.say(f"Sending a letter to {email} …")
        try:
            send(mail, email, name)
        except MailError as error:
            terminal.say(f"{mail.host}:{mail.port} did not take it: {error}")
            if not _yes(terminal, "Go on without letters?"):
                continue
            terminal.say(trial.WARNING)
        else:
            terminal.say("The mail server took it; see whether it comes.")
        return mail


def _mail_server(terminal: Terminal, email: str, place: str, usual_user: str) -> tuple[Mail, str, str]:
    """One try at the mail server; what was answered is the usual answer of the next."""
    host, port = _until_fits(
        terminal,
        lambda: terminal.ask("Mail server (SMTP) for codes and letters, host or host:port", place),
        lambda text: checks.mail_server(text, _SUBMISSION),
    )
    security = replies.security(host, port)
    user, password = None, None
    if security != "none":
        usual_user = terminal.ask(f"User name there ({NOBODY} for none)", usual_user).strip()
        if usual_user != NOBODY:
            user, password = usual_user, terminal.secret("Password there")
    mail = Mail(
        host=host,
        port=port,
        security=security,
        user=user,
        password=password,
        sender=replies.sender(user, email),
    )
    return mail, f"{host}:{port}", usual_user


def _ports(terminal: Terminal, environment: Mapping[str, str]) -> dict[str, int]:
    """Each port; asked for only where the usual one is taken."""
    taken: dict[int, str] = {}
    for answer, usual in replies.usual_ports(environment).items():
        taken[_port(terminal, answer, usual, taken)] = PORTS[answer][1]
    return {PORTS[answer][0]: port for answer, port in zip(PORTS, taken, strict=True)}


def _port(terminal: Terminal, answer: str, usual: int, taken: dict[int, str]) -> int:
    try:
        return replies.free_port(answer, usual, taken)
    except HomeError as error:
        terminal.say(error.detail)

    def check(text: str) -> int:
        if not text.strip().isdecimal():
            raise HomeError("invalid-value", f"{text.strip()!r} is no port: they are numbers from 1 to 65535.")
        return replies.free_port(answer, int(text), taken)

    return _until_fits(terminal, lambda: terminal.ask(f"Port for {PORTS[answer][1]}", str(usual + 1000)), check)
