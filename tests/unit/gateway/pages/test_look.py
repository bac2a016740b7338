"""Every text of the style sheet can be read: WCAG 2.2 AA contrast (1.4.3), by day and by night."""

import re

import pytest

from gateway.pages.static_files import FOLDER

LINES = (
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "fog"),
    ("soft", "paper"),
    ("soft", "card"),
    ("soft", "fog"),
    ("soft", "lit-bg"),
    ("on-tint", "tint"),
    ("on-tint", "card"),
    ("on-tint", "paper"),
    ("on-brand", "brand"),
    ("brand", "paper"),
    ("lit-ink", "lit-bg"),
    ("lit-ink", "card"),
    ("hot-ink", "hot-bg"),
    ("hot-ink", "card"),
    ("hot-ink", "paper"),
    ("card", "hot-ink"),
)
EDGES = (("edge", "paper"), ("edge", "card"), ("brand", "card"))
TEXT, SHAPE = 4.5, 3.0


def palettes() -> dict[str, dict[str, str]]:
    day, night = re.findall(r":root \{(.*?)\}", (FOLDER / "colours.css").read_text(), re.DOTALL)[:2]
    colours = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text)) for text in (day, night)]
    return {"day": colours[0], "night": colours[0] | colours[1]}


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("when", ["day", "night"])
def test_every_text_stands_out_from_its_ground(when: str) -> None:
    colours = palettes()[when]
    faint = {(text, ground): contrast(colours[text], colours[ground]) for text, ground in LINES}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < TEXT} == {}


@pytest.mark.parametrize("when", ["day", "night"])
def test_every_edge_that_matters_can_be_seen(when: str) -> None:
    colours = palettes()[when]
    faint = {(edge, ground): contrast(colours[edge], colours[ground]) for edge, ground in EDGES}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < SHAPE} == {}
