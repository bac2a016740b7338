"""Which packing a browser gets, and that it comes out whole."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages import encodings


@pytest.fixture(autouse=True)
def knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where Python has zstd; which one is chosen does not depend on its being there."""
    monkeypatch.setattr(encodings, "KNOWN", ("zstd", "gzip"))


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("GZIP", "gzip"),
        ("br", "identity"),
        ("*", "zstd"),
        ("zstd;q=0.5, gzip;q=0.9", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0", "identity"),
        ("*;q=0", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("gzip ; q=1.0", "gzip"),
        ("gzip;q=nonsense", "identity"),
        ("gzip;q=7", "identity"),
        ("gzip;q=nan", "identity"),
    ],
)
def test_what_the_browser_wants_most_of_what_we_can_do(accepted: str | None, chosen: str) -> None:
    assert encodings.chosen(accepted) == chosen


@given(st.text())
def test_whatever_is_sent_as_a_wish_something_is_chosen(accepted: str) -> None:
    assert encodings.chosen(accepted) in ("zstd", "gzip", "identity")


@given(st.lists(st.binary()))
def test_what_is_packed_piece_by_piece_comes_out_whole(pieces: list[bytes]) -> None:
    packer = encodings.packer("gzip")
    packed = b"".join(packer.compress(piece) for piece in pieces) + packer.flush()
    assert gzip.decompress(packed) == b"".join(pieces)
    assert zlib.decompress(encodings.packed(b"".join(pieces), "gzip"), 31) == b"".join(pieces)
