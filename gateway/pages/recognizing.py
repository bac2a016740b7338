"""Sentences that arose in English elsewhere, recognized by the words around their gaps, so that a page can say them."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from gateway.pages.speaking import say


class _Sentence(NamedTuple):
    """`start`, then each gap with the words behind it."""

    text: str
    start: str
    gaps: tuple[tuple[str, str], ...]


class Sentences:
    """Those that are known, as templates with gaps such as `{name}`. What has fewer gaps is tried first."""

    def __init__(self, known: Iterable[str]) -> None:
        ordered = sorted(known, key=lambda text: (text.count("{"), -len(text)))
        self._known = tuple(map(_parted, ordered))

    def said(self, text: str) -> str | None:
        """It, in the page's language; None where it is none of them."""
        for sentence in self._known:
            if (gaps := _fill(sentence, text)) is not None:
                return say(sentence.text, **gaps)
        return None


def _parted(text: str) -> _Sentence:
    start, *parts = re.split(r"\{(\w+)\}", text)
    return _Sentence(text, start, tuple(zip(parts[::2], parts[1::2], strict=True)))


def _fill(sentence: _Sentence, text: str) -> dict[str, str] | None:
    """What stands in the gaps, each as short as can be; None where it is another sentence.

    No regular expression: whoever made the text may have made it so that one tries for ever.
    """
    if not text.startswith(sentence.start):
        return None
    gaps: dict[str, str] = {}
    at = len(sentence.start)
    for name, behind in sentence.gaps[:-1]:
        end = text.find(behind, at + 1)
        if end < 0:
            return None
        gaps[name], at = text[at:end], end + len(behind)
    if not sentence.gaps:
        return gaps if at == len(text) else None
    name, behind = sentence.gaps[-1]
    end = len(text) - len(behind)
    if end <= at or not text.endswith(behind):
        return None
    return gaps | {name: text[at:end]}
