"""The conversation: a wrong answer is asked for again with a sentence that helps, and Enter takes what was guessed."""

import socket
from collections.abc import Iterator

import pytest

from deploy.founding import questions
from deploy.founding.answers import Answers, Mail
from deploy.founding.questions import Guesses, Terminal
from deploy.founding.reach import Machine
from shared.mail import MailError
from shared.words.problem import HomeError
from tests.claimed import free_port

PASSWORD = "correct horse battery"
MACHINE = Machine("hub", lambda _: ["192.168.1.5"], lambda _: True, announces=True)


class Person:
    """Types what a test has prepared, in order, and keeps what was asked and said."""

    def __init__(self, *typed: str) -> None:
        self._typed: Iterator[str] = iter(typed)
        self.asked: list[str] = []
        self.said: list[str] = []

    @property
    def terminal(self) -> Terminal:
        return Terminal(self.ask, self.secret, self.said.append)

    def ask(self, question: str, usual: str) -> str:
        return self.secret(question) or usual

    def secret(self, question: str) -> str:
        self.asked.append(question)
        try:
            return next(self._typed)
        except StopIteration:
            raise EOFError from None

    def times(self, question: str) -> int:
        return sum(asked.startswith(question) for asked in self.asked)


class Server:
    """A mail server that refuses as often as it was told to."""

    def __init__(self, *refusals: str) -> None:
        self._refusals = list(refusals)
        self.sent: list[tuple[Mail, str, str]] = []

    def __call__(self, mail: Mail, to: str, name: str) -> None:
        if self._refusals:
            raise MailError(self._refusals.pop(0), permanent=True)
        self.sent.append((mail, to, name))


@pytest.fixture
def guesses() -> Guesses:
    ports = {f"HOMESYSTEM_{name}_PORT": str(free_port()) for name in ("HTTPS", "MQTT", "AUTH", "ALERTS", "READINGS")}
    return Guesses(MACHINE, "Europe/Berlin", "", ports)


ANSWERS = ("", "", "ada@example.org", "", PASSWORD, PASSWORD, "mail.example.org", "", "mail secret")


def test_enter_is_an_answer_wherever_something_can_be_guessed(guesses: Guesses) -> None:
    person, server = Person(*ANSWERS), Server()
    made = questions.ask(person.terminal, guesses, server)
    assert (made.name, made.timezone, made.person) == ("hub.local", "Europe/Berlin", "Ada")
    assert made.mail == Mail(
        host="mail.example.org",
        port=587,
        security="starttls",
        user="ada@example.org",
        password="mail secret",
        sender="Home System <ada@example.org>",
    )
    assert [(to, name) for _, to, name in server.sent] == [("ada@example.org", "hub.local")]
    assert made.settings.https_port == int(guesses.environment["HOMESYSTEM_HTTPS_PORT"])
    assert len(person.asked) == 9


@pytest.mark.parametrize(
    ("wrong", "again", "said"),
    [
        (0, ("my hub", "hub.local"), "is no host name"),
        (1, ("Europe/Berln", ""), "Did you mean Europe/Berlin"),
        (2, ("ada", "ada@example.org"), "not of the form"),
        (2, ("ada@müller.de", "ada@example.org"), "write ada@xn--mller-kva.de"),
        (3, ("x" * 65, "Ada"), "1 to 64 characters"),
        (4, ("password1", PASSWORD), "tried first"),
        (5, ("something else", PASSWORD, PASSWORD), "The two differ"),
        (6, ("mail example", "mail.example.org"), "no mail server"),
    ],
)
def test_a_wrong_answer_is_asked_for_again_at_once(
    guesses: Guesses, wrong: int, again: tuple[str, ...], said: str
) -> None:
    person = Person(*ANSWERS[:wrong], *again, *ANSWERS[wrong + 1 :])
    made = questions.ask(person.terminal, guesses, Server())
    assert said in " ".join(person.said)
    assert (made.name, made.email, made.password) == ("hub.local", "ada@example.org", PASSWORD)


def test_a_refused_letter_shows_the_servers_words_and_lets_one_correct_what_was_said(guesses: Guesses) -> None:
    server = Server("535 5.7.8 Authentication failed")
    person = Person(*ANSWERS, "no", "", "", "right secret")
    made = questions.ask(person.terminal, guesses, server)
    assert "mail.example.org:587 did not take it: 535 5.7.8 Authentication failed" in person.said
    assert (made.mail.host, made.mail.user, made.mail.password) == (
        "mail.example.org",
        "ada@example.org",
        "right secret",
    )
    assert len(server.sent) == 1


def test_whoever_goes_on_without_letters_is_warned(guesses: Guesses) -> None:
    person, server = Person(*ANSWERS, "yes"), Server("no route")
    made = questions.ask(person.terminal, guesses, server)
    assert made.mail.host == "mail.example.org"
    assert any("Nobody can sign in until letters leave" in sentence for sentence in person.said)
    assert server.sent == []


def test_a_mail_server_here_is_not_asked_who_we_are(guesses: Guesses) -> None:
    person = Person(*ANSWERS[:6], "localhost:25")
    made = questions.ask(person.terminal, guesses, Server())
    assert (made.mail.security, made.mail.user, made.mail.sender) == ("none", None, "Home System <ada@example.org>")


def test_a_name_that_does_not_lead_here_is_told_and_may_be_insisted_on(guesses: Guesses) -> None:
    elsewhere = guesses._replace(machine=MACHINE._replace(is_ours=lambda _: False))
    person = Person("hub.home.arpa", "no", "hub.home.arpa", "yes", *ANSWERS[1:])
    made = questions.ask(person.terminal, elsewhere, Server())
    assert made.name == "hub.home.arpa"
    assert person.said.count(person.said[0]) == 2
    assert "192.168.1.5, which is not this machine" in person.said[0]


def test_a_port_is_asked_for_only_where_the_usual_one_is_taken(guesses: Guesses) -> None:
    other = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", int(guesses.environment["HOMESYSTEM_MQTT_PORT"])))
        holder.listen()
        person = Person(*ANSWERS, "many", guesses.environment["HOMESYSTEM_HTTPS_PORT"], str(other))
        made = questions.ask(person.terminal, guesses, Server())
    assert person.times("Port for rooms") == 3
    assert person.times("Port for") == 3
    assert made.ports["mqtt_port"] == other
    assert len(set(made.ports.values())) == 5


@pytest.mark.parametrize("answered", range(len(ANSWERS)))
def test_whoever_leaves_before_the_last_question_is_told_that_nothing_was_written(
    guesses: Guesses, answered: int
) -> None:
    with pytest.raises(HomeError, match="nothing was written"):
        questions.ask(Person(*ANSWERS[:answered]).terminal, guesses, Server())


def test_answers_make_the_settings_of_a_home(guesses: Guesses) -> None:
    made: Answers = questions.ask(Person(*ANSWERS).terminal, guesses, Server())
    settings = made.settings
    assert (settings.demo, settings.smtp_port, settings.smtp_security) == (False, 587, "starttls")
    assert settings.greeting == "hub.local"
