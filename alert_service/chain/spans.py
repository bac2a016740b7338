"""Whole numbers as few spans, pure: which `seq` of a source are known, and which in between are not."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]
"""First and last, both included."""
TEXT_CHARACTERS = 200
"""What a text in an event's detail may have: shared.words.messages.Text."""
_SPAN = re.compile(r"([0-9]{1,16})-([0-9]{1,16})")


class Spans:
    """A set of whole numbers, kept as sorted spans that do not touch."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __len__(self) -> int:
        """How many spans."""
        return len(self._firsts)

    def __iter__(self) -> Iterator[Span]:
        return iter(list(zip(self._firsts, self._lasts, strict=True)))

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    @property
    def last(self) -> int:
        """The greatest number; 0 where there is none."""
        return self._lasts[-1] if self._lasts else 0

    def add(self, first: int, last: int) -> None:
        """Put every number from `first` to `last` in."""
        begin = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first, last = min(first, self._firsts[begin]), max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]

    def lowest_gap(self) -> Span:
        """What lies between the first two spans."""
        return self._lasts[0] + 1, self._firsts[1] - 1

    def gaps(self) -> list[Span]:
        """What lies between the spans, lowest first."""
        between = zip(self._lasts, self._firsts[1:], strict=False)
        return [(last + 1, first - 1) for last, first in between]


def write_spans(spans: Iterable[Span]) -> str:
    """Spans as a text that people can read, and `read_spans`."""
    return ", ".join(f"{first}-{last}" for first, last in spans)


def in_texts(spans: Iterable[Span]) -> Iterator[str]:
    """The same as one text or more, none longer than an event's detail holds."""
    few: list[Span] = []
    for span in spans:
        if few and len(write_spans([*few, span])) > TEXT_CHARACTERS:
            yield write_spans(few)
            few = []
        few.append(span)
    yield write_spans(few)


def read_spans(text: str) -> list[Span]:
    """The spans in a text; what is none is left out."""
    found = (_SPAN.fullmatch(part) for part in text.split(", "))
    return [(int(match[1]), int(match[2])) for match in found if match and int(match[1]) <= int(match[2])]
