"""Takes a picture of every page, for people to look at, and measures each: `python -m tests.pictures DIR`.

Each page in each state (tests/visits), on a phone, a tablet and a desk, light and dark, in every language. Prints
what is wrong, the bytes of each page's first load and its first paint; ends with 1 where something is wrong.
`--only NAME` takes the states whose names begin so.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.sync_api import Browser, Error, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from shared.words.languages import LANGUAGES
from tests import looking
from tests.e2e.actions import WAIT
from tests.e2e.conftest import CHROMIUM, FLAGS, trusting
from tests.visited_home import VisitedHome, visited_home
from tests.visits.every import PHASES
from tests.visits.visit import Visit

_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_PAINT: Final = """() => new Promise((resolve) => {
    const seen = (list) => list.getEntriesByName("first-contentful-paint").forEach((it) => resolve(it.startTime));
    new PerformanceObserver(seen).observe({ type: "paint", buffered: true });
})"""
_INDEX: Final = "<!doctype html><meta charset=utf-8><title>Pages</title><style>img{{width:24em;margin:.5em}}</style>{}"


class Seen(NamedTuple):
    """One state in one language: bytes on the wire and milliseconds of its first load, and what is wrong with it."""

    name: str
    language: str
    size: int
    paint: float
    wrong: list[str]


def look(browser: Browser, home: VisitedHome, visit: Visit, language: str, folder: Path) -> Seen:
    """Go there on a phone that was never there, measure, and take the pictures."""
    who = visit.visitor(language)
    with browser.new_context(
        base_url=home.demo.url,
        locale=language,
        viewport=looking.SIZES[0],
        storage_state=home.cookies(who) if who is not None else None,
    ) as context:
        context.set_default_timeout(WAIT)
        page = context.new_page()
        sizes: list[float] = []
        wire = context.new_cdp_session(page)
        wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        wire.send("Network.enable")
        response = page.goto(visit.address(home), wait_until="load")
        paint = float(page.evaluate(_PAINT))
        size = int(sum(sizes))
        wrong = []
        if response is None or response.status != visit.status:
            wrong.append(f"status: {response and response.status}, not {visit.status}")
        try:
            if visit.steps is not None:
                visit.steps(page, home)
        except Error as error:
            wrong.append(f"not come to: {error.message}")
        wrong += list(_shown(page, visit, language, folder))
    return Seen(visit.name, language, size, paint, wrong)


def _shown(page: Page, visit: Visit, language: str, folder: Path) -> Iterator[str]:
    for size in looking.SIZES:
        width = size["width"]
        page.set_viewport_size(size)
        yield from (f"{width}: {one}" for one in looking.findings(page, language))
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme)
            looking.settle(page)
            page.screenshot(path=folder / f"{visit.name}-{language}-{width}-{scheme}.png", full_page=True)
    for scheme in _SCHEMES:
        page.emulate_media(color_scheme=scheme)
        yield from looking.complaints(page, *(() if scheme == "light" else ("color-contrast",)))


def main() -> int:
    """1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--only", default="", metavar="NAME")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    seen: list[Seen] = []
    with (
        tempfile.TemporaryDirectory() as var,
        visited_home(Path(var) / "home") as home,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, trusting(home.demo.var)])
        for phase in PHASES:
            visits = [visit for visit in phase.visits if visit.name.startswith(asked.only)]
            if not visits:
                continue
            with phase.during(home):
                seen += [
                    look(browser, home, visit, language, asked.folder) for visit in visits for language in LANGUAGES
                ]
        browser.close()
    names = sorted(path.name for path in asked.folder.glob("*.png"))
    pictures = "".join(f'<a href="{name}"><img loading=lazy src="{name}" alt="{name}"></a>' for name in names)
    (asked.folder / "index.html").write_text(_INDEX.format(pictures))
    _print(seen)
    return 1 if any(one.wrong for one in seen) else 0


def _print(seen: list[Seen]) -> None:
    table = Table("page", "", "bytes", "first paint, ms", "wrong")
    for one in seen:
        table.add_row(one.name, one.language, f"{one.size:,}", f"{one.paint:.0f}", "\n".join(one.wrong))
    Console(width=180 if not sys.stdout.isatty() else None).print(table)


if __name__ == "__main__":
    sys.exit(main())
