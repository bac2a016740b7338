"""Sends one letter over SMTP. When to try again is the caller's to decide (auth for codes, alerts for letters)."""

import contextlib
import hashlib
import ipaddress
from collections.abc import AsyncIterator, Iterator, Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Annotated, Literal

import aiosmtplib
import msgspec

from shared.running.config import Config, ConfigError, env, read_secret
from shared.trust import tls
from shared.words import addresses
from shared.words.messages import utc

_TOO_LARGE = 552
"""A server that is told a letter's size may refuse that letter before its text (RFC 1870, 6.1)."""


class SmtpConfig(Config, frozen=True):
    """The mail server. `security = "none"` is taken for a loopback address only (ETSI EN 303 645 5.8-1).

    `greeting` is the full name with which we greet it (RFC 5321 4.1.1.1); left out, it is the sender's domain. A bare
    machine name, or "localhost", makes letters look like a spammer's.
    """

    host: str
    port: Annotated[int, env("HOMESYSTEM_SMTP_PORT"), msgspec.Meta(ge=1, le=65535)]
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: Path | None = None
    greeting: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,253}\Z")] | None = None

    @property
    def greets_as(self) -> str | None:
        """The name of our EHLO; None leaves it to the library."""
        return self.greeting or _domain(self.sender)

    def check(self) -> None:
        """Raises ConfigError for a setting that would send letters in clear over a network."""
        if self.security == "none" and not _is_loopback(self.host):
            raise ConfigError(f'smtp.security: "none" is for a server on this machine; use "starttls" for {self.host}')
        if self.user is not None and self.password_file is None:
            raise ConfigError("smtp.password_file: is needed beside smtp.user")
        if (fault := addresses.fault(parseaddr(self.sender)[1])) is not None:
            raise ConfigError(f'smtp.sender: "{self.sender}": {fault}')


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One letter. `message_id` (its local part) makes a repeated sending recognisable.

    `thread`, any text, is alike for letters that a mailbox should show together.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    message_id: str | None = None
    thread: str | None = None
    urgent: bool = False


class MailError(Exception):
    """The letter was not taken. `permanent`: the server refused this very letter for good.

    `answered` is False where the server is away or refuses us as a whole (login, sender): other letters fare alike.
    """

    def __init__(self, reason: str, *, permanent: bool, answered: bool = True) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.answered = answered


def compose(letter: Letter, sender: str, now: float) -> EmailMessage:
    """The letter as a message; `now` is seconds since 1970."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_datetime(utc(now))
    domain = _domain(sender) or "localhost"
    message["Message-ID"] = f"<{letter.message_id}@{domain}>" if letter.message_id else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    message["List-Id"] = f"Home System <homesystem.{domain}>"  # RFC 2919: filters know our letters by it
    if letter.thread is not None:
        # They answer a letter that nobody ever got: mailboxes thread by what is named here (RFC 5322 3.6.4). Short,
        # because the standard library breaks a longer name up into encoded words, which no mailbox knows again.
        name = hashlib.sha256(f"{letter.thread} {domain}".encode()).hexdigest()[:32]
        message["In-Reply-To"] = message["References"] = f"<{name}@thread.invalid>"
    if letter.urgent:
        message["Importance"] = "high"  # RFC 2156 5.3.4
        message["X-Priority"] = "1"
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    return message


def _domain(sender: str) -> str | None:
    return sender.rpartition("@")[2].strip("> ") or None


def _one_line(subject: str) -> str:
    """Printable characters alone; "=?" is broken up, because the standard library reads encoded words in what it is
    given to write, and `=??Q?=0ABcc:` would become a header of its own.
    """
    printable = "".join(sign if sign.isprintable() else " " for sign in subject)
    return " ".join(printable.replace("=?", "= ?").split())


async def send(smtp: SmtpConfig, letter: Letter, now: float, *, password: str | None = None) -> None:
    """Hand one letter to the server. Raises MailError.

    `password` stands in for the file's, for settings that are only being tried.
    """
    with _translated():
        if (fault := addresses.fault(letter.to)) is not None:
            # Before the server is asked: it is this letter that cannot go, and the others may.
            raise MailError(fault, permanent=True)
        async with _connected(smtp, password) as server:
            try:
                await server.send_message(compose(letter, smtp.sender, now))
            except aiosmtplib.SMTPNotSupported as error:
                # Told of this letter, on a connection that stands: others may need less.
                raise MailError(str(error), permanent=True) from error
            except aiosmtplib.SMTPSenderRefused as error:
                if error.code != _TOO_LARGE:
                    raise
                raise MailError(f"{error.code} {error.message}", permanent=True) from error


async def check(smtp: SmtpConfig, to: Sequence[str] = ()) -> dict[str, str]:
    """Go as far as a letter does before its text: connect, verify, sign in, name sender and recipients; then take back.

    Many servers say only then what they have against us. Left out, the recipient is the sender's own address. Returns
    who is refused, and in which words. Raises MailError where nothing would be taken, for whomever.
    """
    refused: dict[str, str] = {}
    own = parseaddr(smtp.sender)[1]
    with _translated():
        async with _connected(smtp) as server:
            await server.mail(own)
            last = None
            for address in dict.fromkeys(to or (own,)):
                if (fault := addresses.fault(address)) is not None:
                    refused[address] = fault
                    continue
                try:
                    await server.rcpt(address)
                except aiosmtplib.SMTPRecipientRefused as error:
                    refused[address] = f"{error.code} {error.message}"
                    last = error
            await server.rset()
            if last is not None and len(refused) == len(dict.fromkeys(to or (own,))):
                raise MailError(f"{last.code} {last.message}", permanent=False, answered=False)
    return refused


@contextlib.asynccontextmanager
async def _connected(smtp: SmtpConfig, password: str | None = None) -> AsyncIterator[aiosmtplib.SMTP]:
    """The server, over verified TLS where it is not on this machine, signed in."""
    if password is None and smtp.password_file is not None:
        password = read_secret(smtp.password_file).decode()
    async with aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        use_tls=smtp.security == "tls",
        start_tls=smtp.security == "starttls",
        username=smtp.user,
        password=password,
        local_hostname=smtp.greets_as,
        timeout=20,
    ) as server:
        yield server


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The library's errors in our words."""
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise MailError(str(error), permanent=all(r.code >= 500 for r in error.recipients)) from error
    except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
        raise MailError(f"{error.code} {error.message}", permanent=error.code >= 500) from error
    except aiosmtplib.SMTPResponseException as error:
        # A wrong password is answered with 535, for good; but once it is put right, this letter can go.
        raise MailError(f"{error.code} {error.message}", permanent=False, answered=False) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailError(tls.explain(error), permanent=False, answered=False) from error
    except ConfigError as error:
        raise MailError(str(error), permanent=False, answered=False) from error  # a password file that went away


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
