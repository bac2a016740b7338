"""The course of an upgrade, from what it asks first to what it tells last."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from deploy.upgrading import checkout, copying, health, kept, packages, services
from deploy.upgrading.journal import Book, Journal, Step, put
from deploy.upgrading.place import Place, UpgradeError, say


class _Source(Protocol):
    """Where code comes from: a package or a checkout; the modules of these names say what each does."""

    def installed(self, place: Place) -> str: ...

    def fetch(self, place: Place, files: Sequence[Path]) -> str: ...

    def check(self, place: Place, /) -> None: ...

    def needed(self, place: Place) -> int: ...

    def taken(self, place: Place) -> int: ...

    def repack(self, place: Place) -> None: ...

    def install(self, place: Place, *, again: bool) -> None: ...

    def reinstall(self, place: Place) -> None: ...

    def forget(self, place: Place) -> None: ...


def _source(place: Place) -> _Source:
    return packages if place.package else checkout


def begin(place: Place, book: Book, files: Sequence[Path], *, dumped: bool = False) -> Journal | None:
    """Look whether it can be done, and make ready what going back takes; nothing stands still yet.

    None where there is nothing newer. `dumped`: databases that no copy has were seen to. Raises UpgradeError, and
    nothing has changed then.
    """
    forget(place)
    try:
        journal = _made_ready(place, files, dumped=dumped)
    except BaseException:
        forget(place)
        raise
    if journal is None:
        forget(place)
        return None
    return book.write(journal)


def _made_ready(place: Place, files: Sequence[Path], *, dumped: bool) -> Journal | None:
    here = _source(place).installed(place)
    after = _source(place).fetch(place, files)
    if not after:
        if not files:
            say(f"{place.name} {here} is the newest that {place.origin} knows of here{place.otherwise}")
        else:
            say(f"{place.name} {here} is what this machine has already.")
        return None
    say(f"From {place.name} {here} to {after}. First the home is copied, and stands still for a minute or two; rooms")
    say("go on by themselves. Then the newer version is tried, and where it is not well, all goes back by itself.")
    if (away := copying.elsewhere(place)) and not dumped:
        named = ", ".join(f"{service}.toml" for service in away)
        raise UpgradeError(
            f"the database of {named} is in no copy, as it lies on a server, outside the home or behind a link: make a "
            "dump of it, then again with --dumped"
        )
    kept_back = sum(map(copying.size, place.parts.values())) + 2 * _source(place).taken(place)
    # The home may be a disk of its own, on which no service starts once it is full.
    own = dict.fromkeys(place.parts.values(), 0)
    copying.check_room({place.state: kept_back, place.code: _source(place).needed(place), **own})
    _source(place).check(place)
    say("Keeping the version that is here …")
    _source(place).repack(place)
    kept.keep(place)
    running = services.lasting(place)
    excused = health.look(place, running, before=True)
    for told in excused.values():
        say(f"Not well already, and so no reason to go back: {told}")
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    return Journal(id=str(uuid.uuid4()), at=now, before=here, after=after, running=running, excused=tuple(excused))


def go_on(place: Place, book: Book, journal: Journal, *, again: bool = False) -> Journal:
    """Take every step that is left; what became of it, whose `why` is empty where the newer version stays.

    `again`: after it was cut off. Raises UpgradeError where not even going back went well; it may be tried again.
    """
    while True:
        step = journal.step
        if step is Step.TELLING:
            _tell(place, journal)
            copying.forget(place)
            _source(place).forget(place)
            book.end(journal)
            kept.forget(place)
            return journal
        journal = _STEPS[step](place, book, journal, again)
        again = again and journal.step is step


def forget(place: Place) -> None:
    """Nothing of it is left but what became of it."""
    copying.forget(place)
    _source(place).forget(place)
    kept.forget(place)


def _stopping(place: Place, book: Book, journal: Journal, _again: bool) -> Journal:
    put(place.closed, "An upgrade is under way. Where none is at work: sudo homesystem upgrade\n", 0o644)
    try:
        services.stop(place)
    except UpgradeError as error:
        return book.to(journal, Step.OPENING, why=str(error))
    return book.to(journal, Step.COPYING)


def _copying(place: Place, book: Book, journal: Journal, _again: bool) -> Journal:
    say("Copying the home …")
    try:
        services.stop(place)  # a machine that was started anew has started them as well
        copying.keep(place)
    except (UpgradeError, OSError) as error:
        return book.to(journal, Step.OPENING, why=str(error))
    return book.to(journal, Step.INSTALLING)


def _installing(place: Place, book: Book, journal: Journal, again: bool) -> Journal:
    say(f"Installing {journal.after} …")
    try:
        _source(place).install(place, again=again)
    except UpgradeError as error:
        return book.to(journal, Step.PUTTING_BACK, why=f"it could not be installed: {error}")
    return book.to(journal, Step.TRYING)


def _trying(place: Place, book: Book, journal: Journal, _again: bool) -> Journal:
    say("Trying it …")
    try:
        services.start(journal.running)
    except UpgradeError as error:
        return book.to(journal, Step.PUTTING_BACK, why=str(error))
    wrong = {name: told for name, told in health.look(place, journal.running).items() if name not in journal.excused}
    if wrong:
        return book.to(journal, Step.PUTTING_BACK, why="; ".join(wrong.values()))
    return book.to(journal, Step.OPENING)


def _putting_back(place: Place, book: Book, journal: Journal, _again: bool) -> Journal:
    say(f"{journal.after} is not well: {journal.why}")
    say("Going back: the home as it was copied …")
    services.stop(place)
    copying.put_back(place)
    return book.to(journal, Step.REINSTALLING)


def _reinstalling(place: Place, book: Book, journal: Journal, _again: bool) -> Journal:
    services.stop(place)
    _source(place).reinstall(place)
    services.start(journal.running)
    wrong = {name: told for name, told in health.look(place, journal.running).items() if name not in journal.excused}
    told = f"; and with {journal.before} again: {'; '.join(wrong.values())}" if wrong else ""
    return book.to(journal, Step.OPENING, why=journal.why + told, restored=not wrong)


def _opening(place: Place, book: Book, journal: Journal, _again: bool) -> Journal:
    services.start(journal.running)
    place.closed.unlink(missing_ok=True)
    return book.to(journal, Step.TELLING)


_STEPS: dict[Step, Callable[[Place, Book, Journal, bool], Journal]] = {
    Step.STOPPING: _stopping,
    Step.COPYING: _copying,
    Step.INSTALLING: _installing,
    Step.TRYING: _trying,
    Step.PUTTING_BACK: _putting_back,
    Step.REINSTALLING: _reinstalling,
    Step.OPENING: _opening,
}


def _tell(place: Place, journal: Journal) -> None:
    if place.kind == "hub" and place.has_home:
        words = ["--id", journal.id, "--at", journal.at, "--from", journal.before, "--to", journal.after]
        if why := health.tell(place, [*words, "--why", journal.why]):
            say(f"The record does not have it: {why}")
