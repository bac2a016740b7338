"""Reads the shell blocks of the guide, so that what people read and what is tried cannot part.

A block is named by a comment on the line before its fence, which readers do not see: `<!-- house: hub-install -->`.
A block that cannot be tried here says why: `<!-- by hand: it resets the board -->`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_MARK = re.compile(r"<!-- (house|by hand): (.+?) -->")
_HEADING = re.compile(r"(#{1,6}) (.+)")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


class Block(NamedTuple):
    """One shell block: its name (None where it is for hands only), the heading above it, its commands, its line."""

    name: str | None
    heading: str
    commands: tuple[str, ...]
    line: int


class GuideError(ValueError):
    """The guide cannot be followed as it is written; the message says where."""


def blocks(text: str, *, marked: bool = True) -> list[Block]:
    """Every ```sh block in order. Raises GuideError for two of one name, and where `marked` for one without a mark."""
    found: list[Block] = []
    heading, mark = "", None
    fence: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if fence is not None:
            if bare == "```":
                found.append(_block(mark, heading, fence, number - len(fence), marked=marked))
                fence, mark = None, None
            else:
                fence.append(line)
        elif bare == "```sh":
            fence = []
        elif bare.startswith("```"):
            mark = None
        elif match := _HEADING.fullmatch(line):
            heading = match[2]
        elif match := _MARK.fullmatch(bare):
            mark = match
        elif bare:
            mark = None
    names = [block.name for block in found if block.name is not None]
    if twice := {name for name in names if names.count(name) > 1}:
        raise GuideError(f"blocks of the same name: {', '.join(sorted(twice))}")
    return found


def _block(mark: re.Match[str] | None, heading: str, lines: list[str], number: int, *, marked: bool) -> Block:
    if mark is None and marked:
        raise GuideError(f"line {number}: this block says neither `house: NAME` nor `by hand: WHY`")
    return Block(mark[2] if mark is not None and mark[1] == "house" else None, heading, commands(lines), number)


def commands(lines: list[str]) -> tuple[str, ...]:
    """The commands of a block as they are typed: continued lines and here-documents whole, comments left out."""
    found: list[str] = []
    pending: list[str] = []
    end: str | None = None
    for line in lines:
        pending.append(line)
        if end is not None:
            if line.strip() != end:
                continue
        elif match := _HEREDOC.search(line):
            end = match[2]
            continue
        elif line.endswith("\\"):
            continue
        end = None
        command = _without_comment("\n".join(pending)) if len(pending) == 1 else "\n".join(pending)
        if command.strip():
            found.append(command.strip())
        pending = []
    if pending:
        raise GuideError(f"a command without an end: {pending[0]}")
    return tuple(found)


def _without_comment(line: str) -> str:
    """The line without what the shell would take for a comment."""
    quote = ""
    for at, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


class Guide:
    """The guide of one checkout, which may be several pages."""

    def __init__(self, pages: Sequence[Path], replaced: Mapping[str, str]) -> None:
        """`replaced`: what stands in the guide for something of one's own, and what it is here.

        Raises GuideError where the guide no longer says one of them.
        """
        text = "\n".join(page.read_text() for page in pages)
        for old, new in replaced.items():
            if old not in text:
                raise GuideError(f"{old} stands nowhere in {', '.join(page.name for page in pages)}")
            text = text.replace(old, new)
        self._blocks = {block.name: block for block in blocks(text) if block.name is not None}

    @property
    def names(self) -> set[str]:
        """The names of all its blocks."""
        return set(self._blocks)

    def __getitem__(self, name: str) -> Block:
        """The block of that name. Raises GuideError where the guide has none."""
        if name not in self._blocks:
            raise GuideError(f"the guide has no block `{name}`; it has {', '.join(self._blocks)}")
        return self._blocks[name]
