"""What `make house` takes out of the guide is what people read in it."""

from pathlib import Path

import pytest

from tests.booted.guide import Block, Guide, GuideError, blocks, commands
from tests.booted.house import PAGES
from tests.booted.phases.order import PACKAGED, STEPS


def test_every_block_of_the_guide_is_typed_by_a_phase_or_says_why_not() -> None:
    typed = {name for step in (*STEPS, *PACKAGED) for name in step.types}
    assert Guide(PAGES, {}).names == typed


def test_a_block_has_its_name_its_heading_its_commands_and_its_line() -> None:
    text = "# Guide\n## The hub\nSay:\n<!-- house: hub -->\n```sh\none\ntwo   # why\n```\n"
    assert blocks(text) == [Block("hub", "The hub", ("one", "two"), 6)]


def test_a_block_for_hands_has_no_name() -> None:
    assert [block.name for block in blocks("<!-- by hand: it burns -->\n```sh\nburn\n```\n")] == [None]


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nunmarked\n```\n",
        "<!-- house: far -->\nwords in between\n```sh\nunmarked\n```\n",
        "<!-- house: a -->\n```sh\none\n```\n```sh\nsecond\n```\n",
    ],
)
def test_a_block_without_a_mark_is_refused(text: str) -> None:
    with pytest.raises(GuideError, match="neither"):
        blocks(text)


def test_a_guide_of_before_there_were_marks_can_be_read_all_the_same() -> None:
    assert [block.commands for block in blocks("```sh\none\n```\n\n```sh\ntwo\n```\n", marked=False)] == [
        ("one",),
        ("two",),
    ]


def test_two_blocks_of_one_name_are_refused() -> None:
    with pytest.raises(GuideError, match="same name: twice"):
        blocks("<!-- house: twice -->\n```sh\na\n```\n" * 2)


def test_a_block_in_a_list_is_read_as_well() -> None:
    assert blocks("- so:\n  <!-- house: x -->\n  ```sh\n  one\n  ```\n")[0].commands == ("one",)


def test_other_blocks_are_none_of_ours() -> None:
    assert blocks("```toml\npins = 1\n```\n```ini\n[Unit]\n```\n") == []


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["a \\", "  b", "c"], ("a \\\n  b", "c")),
        (["# only words", "", "a # and why"], ("a",)),
        (["echo '# no comment' \"# nor this\""], ("echo '# no comment' \"# nor this\"",)),
        (["echo a#b"], ("echo a#b",)),
        (["cat <<EOF >x", "line # kept", "EOF", "next"], ("cat <<EOF >x\nline # kept\nEOF", "next")),
        (["cat <<'END'", "$x \\", "END"], ("cat <<'END'\n$x \\\nEND",)),
    ],
)
def test_commands_are_read_as_a_shell_reads_them(lines: list[str], wanted: tuple[str, ...]) -> None:
    assert commands(lines) == wanted


@pytest.mark.parametrize("lines", [["a \\"], ["cat <<EOF", "never ends"]])
def test_a_command_without_an_end_is_refused(lines: list[str]) -> None:
    with pytest.raises(GuideError, match="without an end"):
        commands(lines)


def test_what_is_replaced_has_to_stand_in_the_guide(tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_text("<!-- house: x -->\n```sh\ngit clone https://example.org/x\n```\n")
    assert Guide([path], {"https://example.org/x": "git://here"})["x"].commands == ("git clone git://here",)
    with pytest.raises(GuideError, match=r"example\.net"):
        Guide([path], {"https://example.net": "git://here"})
    with pytest.raises(GuideError, match="no block `y`"):
        Guide([path], {})["y"]
