"""A process of the room's begins, perhaps with a file on trial: where it cannot, the former one is there again."""

import contextlib
import logging
from collections.abc import Iterator

from device_agents.own_file.shelf import Shelf, Trial
from device_agents.pins.chips import AwayError
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.words.room_file import Complaint

log = logging.getLogger(__name__)


def begin(shelf: Shelf) -> Trial | None:
    """What is on trial from now on. A card that does not let us look is no reason for a room not to start."""
    try:
        return shelf.begin()
    except OSError as error:
        log.error("What became of the room's file cannot be told", extra=facts(reason=error))
        return None


@contextlib.contextmanager
def back_where_it_fails(shelf: Shelf, trial: Trial | None) -> Iterator[None]:
    """Have the room's former file again where it cannot live by the one on trial.

    Raises AwayError then, so that it is started anew; else what was raised inside.
    """
    try:
        yield
    except Exception as error:
        tried = shelf.trial()
        if trial is None or tried is None or tried.id != trial.id:  # another one may be to be tried by the next process
            raise
        lines = tuple(Complaint(text=line[:400]) for line in str(error).splitlines()[:8])
        try:
            shelf.go_back("The room could not start by it.", lines if isinstance(error, ConfigError) else ())
        except OSError as disk:
            log.error("Room's former file cannot be put back", extra=facts(reason=disk))
            raise error from disk
        raise AwayError(f"file: the former one was put back, since the room could not start: {error}") from error
