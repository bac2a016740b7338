"""No template has words of its own: whatever a person reads in it is a sentence of the catalogue.

Texts between tags, what a screen reader says, and texts within an expression. One that is not said is found here, and
one that is said but not translated in tests/unit/shared/words/test_languages.py.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from gateway.pages.render import TEMPLATES

ALL = sorted(TEMPLATES.glob("*.html"))
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_CODE = re.compile(r"<code\b.*?</code>", re.DOTALL)
_READ = re.compile(r"[>\x02]([^<>\x02]*)(?=[<\x02])")
_TOLD = re.compile(
    r'\b(?:aria-label|title|placeholder|alt|label|data-(?:title|text|button|first|second|away))="([^"]*)"'
)
_WORDS = re.compile(r"[^\W\d_]{2}")
_SENTENCE = re.compile(r"^[A-Z][a-z]|\w \w|\w[.?!:…]$")
_OURS = frozenset({"Home System", "· Home System", "XXXX-XXXX"})
_SAYING = frozenset({"say", "say_many"})
_TYPED = "typed"
"""Writes what is typed at a terminal, or sent by a program."""


def words_of_its_own(source: str) -> Iterator[str]:
    """What stands in a template as it is; attributes that no person reads are left out."""
    bare = _CODE.sub("", _JINJA.sub(lambda found: "\x01" if found[0].startswith("{{") else "", source))
    in_tags = re.sub(r"<[^<>]*>", "\x02", bare)
    for text in [*in_tags.split("\x02"), *_TOLD.findall(bare)]:
        said = text.replace("\x01", "").strip()
        if _WORDS.search(said) and said not in _OURS and not _is_attributes(said):
            yield said
    yield from _in_expressions(jinja2.Environment(autoescape=True).parse(source))


def _is_attributes(text: str) -> bool:
    """A macro or block that stands within a tag: attributes and nothing else."""
    return re.fullmatch(r'(?:\s*[a-z-]+(?:="[^"]*")?)+', text) is not None and ("=" in text or "-" in text)


def _in_expressions(node: nodes.Node) -> Iterator[str]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Call) and isinstance(child.node, nodes.Name):
            if child.node.name in _SAYING:
                for gap in child.kwargs:
                    yield from _in_expressions(gap)
            if child.node.name in (_TYPED, *_SAYING):
                continue
        if isinstance(child, nodes.Const) and isinstance(child.value, str) and _SENTENCE.search(child.value):
            yield child.value
        yield from _in_expressions(child)


def test_there_are_templates_to_look_at() -> None:
    assert len(ALL) > 20


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_a_template_says_nothing_but_sentences_of_the_catalogue(path: Path) -> None:
    found = [text for text in words_of_its_own(path.read_text()) if text not in ALLOWED.get(path.name, ())]
    assert found == [], 'write {{ say("…") }}, run `make catalogue` and translate it (docs/decisions/0050)'


ALLOWED: dict[str, tuple[str, ...]] = {
    "history.html": ("%H:%M:%S",),
    "invitation.html": ("door",),
    "login.html": ("door",),
}
"""What is no sentence."""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Sign in</p>", ["Sign in"]),
        ('<p>{{ say("Sign in") }}</p>', []),
        ("<p>{{ name }} may look</p>", ["may look"]),
        ('<a href="/" aria-label="Go home">{{ icon("home") }}</a>', ["Go home"]),
        ('<a href="/" aria-label="{{ say("Go home") }}"{% if x %} class="now"{% endif %}>{{ icon("home") }}</a>', []),
        ("<p>{{ 'Sign in' if x else say('Go') }}</p>", ["Sign in"]),
        ("<p>{% if x %}Yes, please{% endif %}</p>", ["Yes, please"]),
        ("<p>{{ {'a': 'One thing'}[x] }} {{ say('{n} of', n='Two things') }}</p>", ["One thing", "Two things"]),
        ('<p>{{ say("Run {command}", command=typed("homesystem user add")) }}</p>', []),
        ("<code>homesystem user add</code>", []),
        ('{# Words for who reads this. #}<p class="fine print">{{ x }}</p>', []),
    ],
)
def test_words_are_found_where_they_hide(source: str, found: list[str]) -> None:
    assert [*words_of_its_own(source)] == found
