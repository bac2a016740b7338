"""A command from the third place to a pin on the other machine, and a critical one with its letter."""

import json

from tests.booted.house import MASTER, VAR, House


def plain(house: House) -> None:
    """The lamp goes on, and the page's picture says so only because the room does."""
    answer = house.visitor.act("hall/lamp", "on")
    assert (answer.status, answer.body.get("outcome")) == (200, "executed"), answer
    state = house.visitor.device("hall/lamp")["state"]
    assert state["value"] == "on", state
    assert levels(house, "lamp")[-1] == 1, levels(house, "lamp")
    house.report.saw("hall/lamp is on: the room executed it, its pin moved, the hub shows it")


def off_and_on(house: House) -> None:
    """Whatever the lamp was, it goes off and on, and its pin makes that edge."""
    for action in ("off", "on"):
        before = levels(house, "lamp")
        answer = house.visitor.act("hall/lamp", action)
        assert (answer.status, answer.body.get("outcome")) == (200, "executed"), answer
    assert levels(house, "lamp") == [*before, 1], f"{before} before, {levels(house, 'lamp')} after"


def critical(house: House) -> None:
    """The front door is unlocked once it is confirmed; the master user gets the letter about it."""
    refused = house.visitor.act("hall/front-door", "unlock")
    assert refused.status == 409, refused
    assert len(levels(house, "front-door")) == 0 or levels(house, "front-door")[-1] == 0, "it moved without a yes"
    house.report.saw("without the confirmation it is refused, and the pin has not moved")
    before = house.mail.count
    answer = house.visitor.act("hall/front-door", "unlock", confirm=True)
    assert (answer.status, answer.body.get("outcome")) == (200, "executed"), answer
    assert levels(house, "front-door")[-1] == 1, levels(house, "front-door")
    letter = house.mail.wait_for("Front door", after=before)
    assert MASTER in str(letter["To"]), letter["To"]
    house.report.saw(f"executed, and a letter to {letter['To']}: {letter['Subject']}")
    answer = house.visitor.act("hall/front-door", "lock", confirm=True)
    assert (answer.status, answer.body.get("outcome")) == (200, "executed"), answer
    house.report.saw("locked again")


def levels(house: House, device: str) -> list[int]:
    """Every change of a simulated output's logical level in the hall so far."""
    path = house.room.tree / VAR.lstrip("/") / "sim" / "hall.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line["level"] for line in lines if line["device"] == device]
