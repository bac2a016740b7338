"""What is wrong with a page in a browser, measured: for the test of all pages and `python -m tests.pictures`.

Sideways scrolling, words cut in controls or broken anywhere, controls over one another or under what is said, targets
under 24 px (WCAG 2.2, 2.5.8), sentences that are not in the page's language, and gaps that nobody filled.
"""

import importlib.resources
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, ViewportSize

from shared.words.languages import DEFAULT
from tests.catalogue import translated

SIZES: Final = (
    ViewportSize(width=360, height=640),
    ViewportSize(width=768, height=1024),
    ViewportSize(width=1440, height=900),
)
"""A small phone, a tablet, a desk."""
_MEASURING: Final = (Path(__file__).parent / "measuring.js").read_text()
_NOTHING: Final = '{"whole": [], "gaps": []}'
_NAMES: Final = frozenset({"Master", "Member", "Guest", "Lamp", "Light", "Kettle", "Blind"})
"""People and devices of the demo that are called as what they are."""
_GAP: Final = re.compile(r"\{\w+\}")
_LONG: Final = 12
"""Letters beside its gaps that make a sentence known: "{a} in {b}" is no sentence."""
_AXE: Final = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()
"""It is put into the page by the browser's own tools, which the pages' policy does not bind."""


def findings(page: Page, language: str, *, twice: bool = True) -> list[str]:
    """What is wrong with it at its present size; `twice`: with text of twice the size, too."""
    settle(page)
    found = [str(one) for one in page.evaluate(_MEASURING, _english(language))]
    if twice:
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        settle(page)
        large = page.evaluate(_MEASURING, _NOTHING)
        page.evaluate("document.documentElement.style.fontSize = ''")
        found += [f"at 200 %: {one}" for one in large if one.startswith(("sideways", "overlap"))]
    return found


def complaints(page: Page, *rules: str) -> list[str]:
    """What axe says of the page as it stands: the rule, and where; by all of its rules, or by those named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    settle(page)
    options: dict[str, Any] = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    results: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [f"{one['id']}: {node['html'][:200]}" for one in results["violations"] for node in one["nodes"]]


def settle(page: Page) -> None:
    """Wait for what moves to arrive: what goes on for ever does not, nor what lies within something folded."""
    page.evaluate(
        """() => {
            const ends = (effect) => effect.getTiming().iterations !== Infinity;
            const arrives = ({ effect }) => ends(effect) && effect.target.checkVisibility();
            return Promise.allSettled(document.getAnimations().filter(arrives).map((it) => it.finished));
        }"""
    )


@cache
def _english(language: str) -> str:
    """The sentences that a page in this language must not show: whole ones, and patterns of those with gaps.

    As one text: two thousand values by themselves cost more on their way than all that is measured with them.
    """
    whole, gaps = [], []
    for message in translated(language) if language != DEFAULT else ():
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for one in set(map(str, ids)) - set(map(str, strings)) - _NAMES:
            if not _GAP.search(one):
                whole.append(one)
            elif len(_GAP.sub("", one)) > _LONG:
                gaps.append("^" + ".+".join(re.escape(part).replace("\\ ", " ") for part in _GAP.split(one)) + "$")
    return json.dumps({"whole": whole, "gaps": gaps})
