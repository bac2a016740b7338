"""What the owner answers, and how answers become settings: asked on a terminal, or written in a file of their own."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from deploy.folder import home as homes
from deploy.founding import checks
from shared.door.listening import EVERYWHERE
from shared.mail import SmtpConfig
from shared.running.config import Config, ConfigError, load, read_secret
from shared.words.languages import DEFAULT, Language, first_of
from shared.words.problem import HomeError

PORTS = {
    "https": ("https_port", "browsers"),
    "mqtt": ("mqtt_port", "rooms"),
    "auth": ("auth_port", "the auth service"),
    "alerts": ("alerts_port", "the alert service"),
    "readings": ("readings_port", "the recorder"),
}
"""Each port as an answer, as a setting, and what it is for. Only the first two are for other machines."""
T = TypeVar("T")
Security = Literal["starttls", "tls", "none"]


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server, and the password there, which is in no file yet."""

    host: str
    port: int
    security: Security
    user: str | None
    password: str | None
    sender: str

    def smtp(self, greeting: str | None) -> SmtpConfig:
        """As mail is sent with it. Raises ConfigError for what no letter can be sent with."""
        # A user goes with a password file, which a home has only once it is written.
        made = SmtpConfig(
            host=self.host,
            port=self.port,
            security=self.security,
            user=self.user,
            password_file=Path("smtp-password") if self.user is not None else None,
            sender=self.sender,
            greeting=greeting,
        )
        made.check()
        return made


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the owner said, each of it checked."""

    name: str
    timezone: str
    language: Language = DEFAULT
    email: str
    person: str
    password: str
    mail: Mail
    ports: dict[str, int]
    database: str | None = None

    @property
    def settings(self) -> homes.Settings:
        """What distinguishes this home."""
        return homes.Settings(
            name=self.name,
            host=EVERYWHERE,  # a hub serves its house; the broker wants a certificate from everyone
            timezone=self.timezone,
            language=self.language,
            smtp_host=self.mail.host,
            smtp_port=self.mail.port,
            smtp_security=self.mail.security,
            smtp_user=self.mail.user,
            smtp_sender=self.mail.sender,
            database=self.database,
            **self.ports,  # type: ignore[arg-type]  # named like the settings
        )


class OwnerFile(Config, frozen=True):
    """`[owner]`: the master user."""

    email: str
    name: str
    password_file: Path


class MailFile(Config, frozen=True):
    """`[mail]`: how letters leave. `letter = false` goes on without having sent one."""

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Security | None = None
    user: str | None = None
    password_file: Path | None = None
    sender: str | None = None
    letter: bool = True


class PortsFile(Config, frozen=True):
    """`[ports]`: those that are to differ."""

    https: int | None = None
    mqtt: int | None = None
    auth: int | None = None
    alerts: int | None = None
    readings: int | None = None


class AnswersFile(Config, frozen=True):
    """A file of answers. Passwords lie in files of their own, named relative to this one."""

    owner: OwnerFile
    mail: MailFile
    name: str | None = None
    timezone: str | None = None
    language: Language | None = None
    database: str | None = None
    ports: PortsFile = PortsFile()


class Read(msgspec.Struct, frozen=True):
    """A file's answers, and whether it wants the mail server to be tried."""

    answers: Answers
    letter: bool


def read(path: Path, *, name: str, timezone: str, environment: Mapping[str, str] = os.environ) -> Read:
    """The answers in a file; `name` and `timezone` stand in where it says none.

    Raises ConfigError with everything that is wrong, a line each with its place.
    """
    if not path.exists():
        raise ConfigError(f"{path}: there is no such file; --answers names the one with the answers (docs/init.md)")
    said = load(AnswersFile, path, {})
    wrong: list[str] = []

    def fits(place: str, check: Callable[[], T]) -> T | None:
        try:
            return check()
        except (HomeError, ConfigError) as error:
            wrong.append(f"{path}: {place}: {error.detail if isinstance(error, HomeError) else error}")
            return None

    name_ = fits("name", lambda: checks.host_name(said.name or name))
    zone = fits("timezone", lambda: checks.time_zone(said.timezone or timezone))
    email = fits("owner.email", lambda: checks.email(said.owner.email))
    person = fits("owner.name", lambda: checks.person(said.owner.name))
    secret = fits("owner.password_file", lambda: _secret(path, said.owner.password_file))
    if secret is not None and email is not None and person is not None:
        words = (name_,) if name_ is not None else ()
        fits("owner.password_file", lambda: checks.password(secret, of_email=email, of_name=person, home_words=words))
    mail = fits("mail", lambda: _mail(path, said.mail, email or "home@localhost"))
    database = said.database or usual_database(environment)
    fits("database", lambda: checks.database(database))
    ports: dict[str, int] = {}
    for answer, number in _ports(said.ports, environment):
        taken = {ports[done]: PORTS[key][1] for key, (done, _) in PORTS.items() if done in ports}
        if fits(f"ports.{answer}", lambda n=number, a=answer, t=taken: free_port(a, n, t)) is not None:  # type: ignore[misc]
            ports[PORTS[answer][0]] = number
    if wrong or name_ is None or zone is None or email is None or person is None or secret is None or mail is None:
        raise ConfigError("\n".join(wrong))
    answers = Answers(
        name=name_,
        timezone=zone,
        language=said.language or of_locale(environment),
        email=email,
        person=person,
        password=secret,
        mail=mail,
        ports=ports,
        database=database,
    )
    return Read(answers, said.mail.letter)


def of_locale(environment: Mapping[str, str]) -> Language:
    """The language of letters that this machine's locale speaks of (POSIX: the first of these that is set counts)."""
    said = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return first_of(next(filter(None, said), None))


def usual_database(environment: Mapping[str, str] = os.environ) -> str | None:
    """Where databases are to lie by the environment's word; None for files in the home."""
    return environment.get("HOMESYSTEM_DATABASE") or None


def usual_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Each port as an answer: the environment's word, or the usual one."""
    return dict(_ports(PortsFile(), environment))


def free_port(answer: str, number: int, taken: dict[int, str]) -> int:
    """One of our ports, if it may be taken now. Raises HomeError("invalid-value")."""
    return checks.free_port(number, taken, host=EVERYWHERE if answer in {"https", "mqtt"} else "127.0.0.1")


def security(host: str, port: int) -> Security:
    """What a mail server at this place usually wants: encryption from the first byte at 465 (RFC 8314), none here."""
    if host in {"localhost", "127.0.0.1"}:
        return "none"
    return "tls" if port == 465 else "starttls"


def sender(user: str | None, email: str) -> str:
    """From whom letters come: most servers take none but their user's own address."""
    return f"Home System <{user if user and '@' in user else email}>"


def _ports(said: PortsFile, environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    usual = homes.Settings()
    variables = {port: variable for variable, port in usual.ports.items()}
    for answer, (setting, _) in PORTS.items():
        default = getattr(usual, setting)
        moved = environment.get(variables[default], "")
        number: int | None = getattr(said, answer)
        yield answer, (int(moved) if moved.isdecimal() else default) if number is None else number


def _mail(path: Path, said: MailFile, email: str) -> Mail:
    if (said.user is None) != (said.password_file is None):
        raise ConfigError("user and password_file go together; write both, or neither")
    host, port = checks.mail_server(said.host, said.port)
    mail = Mail(
        host=host,
        port=port,
        security=said.security or security(host, port),
        user=said.user,
        password=_secret(path, said.password_file) if said.password_file is not None else None,
        sender=said.sender or sender(said.user, email),
    )
    mail.smtp(None)
    return mail


def _secret(path: Path, file: Path) -> str:
    """A password from its own file, which nobody else may read."""
    place = path.parent / file
    try:
        return read_secret(place).decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{place}: is not UTF-8") from None
    except ConfigError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(
                f"{place}: there is no such file; write the password into it, one line, mode 600"
            ) from None
        if isinstance(error.__cause__, OSError):
            told = f"{place}: cannot be read ({error.__cause__.strerror}); give it to the user who runs this"
            raise ConfigError(told) from None
        raise ConfigError(str(error).partition("; delete the file")[0]) from None
