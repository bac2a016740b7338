"""How far a long look at the record is: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)

_PLAIN_SECONDS = 5.0
"""Without a terminal a line so often tells how far it is."""


@contextmanager
def shown(doing: str, done: str, things: str) -> Iterator[Callable[[int, int], None]]:
    """What is yielded is told how many of how many `things` are behind us; `doing` and `done` are verbs for them."""
    if not sys.stdout.isatty():
        told = time.monotonic()

        def say(count: int, of: int) -> None:
            nonlocal told
            if time.monotonic() - told >= _PLAIN_SECONDS:
                told = time.monotonic()
                print(f"{done} {count} of {of} {things}", flush=True)

        yield say
        return
    columns = TextColumn(doing), BarColumn(), MofNCompleteColumn(), TextColumn(f"{things},"), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(things, total=None)
        yield lambda count, of: bar.update(task, completed=count, total=of)
