"""Takes a picture of every page, for people to look at, and measures each: `python -m tests.pictures DIR`.

Each page in each state (tests/visits), on a phone, a tablet and a desk, light and dark, in every language. Beside the
pictures lie `table.md`, the bytes of each page's first load and its first paint, and `measured.json`, by which whoever
starts it again goes on where it ended; `--only NAME…` takes the states whose names begin so, anew. Ends with 1 where a
state is not come to. What is wrong with a page is found by tests/e2e/every_page.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal, NamedTuple

from playwright.sync_api import Browser, Error, Page, sync_playwright

from shared.words.languages import LANGUAGES
from tests import looking
from tests.e2e.conftest import FLAGS, SHELL, trusting
from tests.visited_home import VisitedHome, visited_home
from tests.visits.every import PHASES
from tests.visits.visit import Phase, Visit

_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_PAINT: Final = """() => new Promise((resolve) => {
    const seen = (list) => list.getEntriesByName("first-contentful-paint").forEach((it) => resolve(it.startTime));
    new PerformanceObserver(seen).observe({ type: "paint", buffered: true });
})"""
_INDEX: Final = "<!doctype html><meta charset=utf-8><title>Pages</title><style>img{{width:24em;margin:.5em}}</style>{}"


class Seen(NamedTuple):
    """One state in one language: its first load's bytes on the wire and milliseconds to the first paint."""

    name: str
    language: str
    size: int
    paint: float
    wrong: str = ""


class Album:
    """The folder of pictures, and what was measured so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "measured.json"
        kept: list[Any] = json.loads(self._file.read_text()) if self._file.exists() else []
        self._seen = {(name, language): Seen(name, language, *rest) for name, language, *rest in kept}

    def seen(self) -> list[Seen]:
        """Each state in each language, by name."""
        return sorted(self._seen.values())

    def has(self, visit: Visit) -> bool:
        """Whether it was come to in every language."""
        rows = [self._seen.get((visit.name, language)) for language in LANGUAGES]
        return all(row is not None and not row.wrong for row in rows)

    def keep(self, seen: Seen) -> None:
        """Write it down, so that nobody measures it again."""
        self._seen[seen.name, seen.language] = seen
        self._file.write_text(json.dumps(self.seen()))

    def bind(self) -> None:
        """Write the table, and a page with all pictures."""
        rows = ["| page | | bytes | first paint, of the median | |", "|---|---|---|---|---|"]
        usual = median([one.paint for one in self.seen()] or [1])
        rows += [
            f"| {one.name} | {one.language} | {one.size:,} | {one.paint / usual:.1f} | {one.wrong} |"
            for one in self.seen()
        ]
        rows.append(f"\nThe median of first paints was {usual:.0f} ms, on this machine and with what else it did.")
        (self.folder / "table.md").write_text("\n".join(rows) + "\n")
        names = sorted(path.name for path in self.folder.glob("*.png"))
        pictures = "".join(f'<a href="{name}"><img loading=lazy src="{name}" alt="{name}"></a>' for name in names)
        (self.folder / "index.html").write_text(_INDEX.format(pictures))


def look(browser: Browser, home: VisitedHome, visit: Visit, language: str, folder: Path) -> Seen:
    """Go there on a phone that was never there, measure, and take the pictures."""
    with visit.phone(browser, home, language) as context:
        page = context.new_page()
        sizes: list[float] = []
        wire = context.new_cdp_session(page)
        wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        wire.send("Network.enable")
        response = page.goto(visit.address(home), wait_until="load")
        seen = Seen(visit.name, language, int(sum(sizes)), float(page.evaluate(_PAINT)))
        if response is None or response.status != visit.status:
            return seen._replace(wrong=f"status {response and response.status}, not {visit.status}")
        try:
            if visit.steps is not None:
                visit.steps(page, home)
        except (AssertionError, Error) as error:
            return seen._replace(wrong=" ".join(str(error).split())[:200])
        _shoot(page, folder / f"{visit.name}-{language}")
    return seen


def _shoot(page: Page, start: Path) -> None:
    for size in looking.SIZES:
        page.set_viewport_size(size)
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme)
            looking.settle(page)
            page.screenshot(path=f"{start}-{size['width']}-{scheme}.png", full_page=True)


def _left(album: Album, only: Sequence[str]) -> Iterator[Phase]:
    """The phases with what is still to be seen in them."""
    for phase in PHASES:
        visits = [one for one in phase.visits if (one.name.startswith(tuple(only)) if only else not album.has(one))]
        if visits:
            yield phase._replace(visits=tuple(visits))


def main() -> int:
    """1 where a state was not come to."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME")
    asked = parser.parse_args()
    album = Album(asked.folder)
    phases = list(_left(album, asked.only))
    if phases:
        _visit(album, phases)
    album.bind()
    wrong = [one for one in album.seen() if one.wrong]
    for one in wrong:
        print(f"{one.name} in {one.language}: {one.wrong}")
    return 1 if wrong else 0


def _visit(album: Album, phases: list[Phase]) -> None:
    left, begun = sum(len(phase.visits) for phase in phases), time.monotonic()
    with (
        tempfile.TemporaryDirectory() as var,
        visited_home(Path(var) / "home") as home,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=SHELL, args=[*FLAGS, trusting(home.demo.var)])
        for phase in phases:
            with phase.during(home):
                for visit in phase.visits:
                    for language in LANGUAGES:
                        album.keep(look(browser, home, visit, language, album.folder))
                    left -= 1
                    print(f"{time.monotonic() - begun:5.0f} s  {visit.name}; {left} are left", flush=True)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
