"""A file of answers: all that is wrong is told at once with its place, and secrets stay in files of their own."""

from pathlib import Path

import pytest

from deploy.founding import answers
from shared.running.config import ConfigError
from tests.claimed import free_port

WHOLE = """
name = "hub.home.arpa"
timezone = "europe/berlin"
[owner]
email = "ada@example.org"
name = "Ada"
password_file = "password"
[mail]
host = "mail.example.org"
user = "home"
password_file = "secrets/smtp"
sender = "Home <home@example.org>"
"""


def written(folder: Path, text: str, *, password: str = "correct horse battery\n") -> Path:
    (folder / "secrets").mkdir(exist_ok=True)
    for name, secret in (("password", password), ("secrets/smtp", "mail secret\n")):
        (folder / name).touch(0o600)
        (folder / name).write_text(secret)
    (folder / "answers.toml").write_text(text)
    return folder / "answers.toml"


def ports() -> dict[str, str]:
    return {f"HOMESYSTEM_{name}_PORT": str(free_port()) for name in ("HTTPS", "MQTT", "AUTH", "ALERTS", "READINGS")}


def read(path: Path, environment: dict[str, str] | None = None) -> answers.Read:
    return answers.read(path, name="pi.local", timezone="Europe/Paris", environment=environment or ports())


def test_a_whole_file_is_taken(tmp_path: Path) -> None:
    made = read(written(tmp_path, WHOLE)).answers
    assert (made.name, made.timezone, made.email, made.person) == (
        "hub.home.arpa", "Europe/Berlin", "ada@example.org", "Ada",
    )  # fmt: skip
    assert (made.password, made.mail.password, made.mail.user) == ("correct horse battery", "mail secret", "home")
    assert (made.mail.security, made.mail.sender) == ("starttls", "Home <home@example.org>")


def test_what_can_be_guessed_may_be_left_out(tmp_path: Path) -> None:
    text = WHOLE.partition("[owner]")[1] + WHOLE.partition("[owner]")[2]
    made = read(written(tmp_path, text)).answers
    assert (made.name, made.timezone) == ("pi.local", "Europe/Paris")


def test_everything_wrong_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = WHOLE.replace("europe/berlin", "Europe/Berln").replace("ada@example.org", "ada").replace("hub.home", "hub_")
    path = written(tmp_path, text.replace('"Ada"', '""') + "[ports]\nhttps = 70000\nmqtt = 0\n")
    with pytest.raises(ConfigError) as caught:
        read(path)
    told = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in told] == [
        "name",
        "timezone",
        "owner.email",
        "owner.name",
        "ports.https",
        "ports.mqtt",
    ]
    assert all(line.startswith(f"{path}: ") for line in told)


def test_a_word_of_another_spelling_is_refused_and_the_right_one_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"owner\.passwordfile: there is no such setting; did you mean `password_file`"
    ):
        read(written(tmp_path, WHOLE.replace('"Ada"\npassword_file', '"Ada"\npasswordfile')))


def test_a_password_in_the_file_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"owner\.password: there is no such setting; did you mean `password_file`"):
        read(written(tmp_path, WHOLE.replace("[mail]", 'password = "x"\n[mail]')))


def test_a_weak_password_is_told_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"owner\.password_file: The password is one of those") as caught:
        read(written(tmp_path, WHOLE, password="Password123!\n"))
    assert "Password123" not in str(caught.value)


def test_a_secret_that_others_may_read_or_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    (tmp_path / "password").chmod(0o644)
    (tmp_path / "secrets" / "smtp").unlink()
    with pytest.raises(ConfigError) as caught:
        read(path)
    first, second = str(caught.value).splitlines()
    assert first.endswith(f"other users may read this secret; run: chmod 600 {tmp_path}/password")
    assert second.endswith(
        f"{tmp_path}/secrets/smtp: there is no such file; write the password into it, one line, mode 600"
    )


def test_answers_that_are_not_there_are_what_no_set_up_writes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"answers\.toml: there is no such file; --answers names the one"):
        read(tmp_path / "answers.toml")


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    (tmp_path / "password").unlink()
    (tmp_path / "password").mkdir(0o700)
    with pytest.raises(ConfigError, match=r"owner\.password_file: .*/password: cannot be read \(Is a directory\)"):
        read(path)


def test_a_user_without_a_password_is_half_an_answer(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mail: user and password_file go together"):
        read(written(tmp_path, WHOLE.replace('password_file = "secrets/smtp"\n', "")))


def test_letters_in_clear_to_another_machine_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'mail: smtp\.security: "none" is for a server on this machine'):
        read(written(tmp_path, WHOLE.replace("[mail]", '[mail]\nsecurity = "none"')))


def test_one_port_for_two_is_refused(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(ConfigError, match=f"ports.mqtt: Port {port} is the one for browsers already"):
        read(written(tmp_path, WHOLE + f"[ports]\nhttps = {port}\nmqtt = {port}\n"))


def test_a_letter_is_sent_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    assert read(written(tmp_path, WHOLE)).letter
    assert not read(written(tmp_path, WHOLE.replace("[mail]", "[mail]\nletter = false"))).letter


@pytest.mark.parametrize(
    ("host", "port", "wanted"),
    [
        ("mail.example.org", 465, "tls"),
        ("mail.example.org", 587, "starttls"),
        ("localhost", 25, "none"),
        ("127.0.0.1", 2525, "none"),
    ],
)
def test_encryption_follows_from_the_place(host: str, port: int, wanted: str) -> None:
    assert answers.security(host, port) == wanted


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_MESSAGES": "de_AT.UTF-8", "LANG": "fr_FR.UTF-8"}, "de"),
        ({"LC_ALL": "", "LANG": "de"}, "de"),
        ({}, "en"),
    ],
)
def test_letters_are_in_the_language_of_this_machine(tmp_path: Path, locale: dict[str, str], language: str) -> None:
    assert read(written(tmp_path, WHOLE), ports() | locale).answers.settings.language == language
    said = WHOLE.replace("[owner]", 'language = "en"\n[owner]', 1)
    assert read(written(tmp_path, said), ports() | locale).answers.settings.language == "en"
