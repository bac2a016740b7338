"""Owns segno: a text as a QR code, drawn within a page or on a terminal, so that it is in no file and no address."""

import io

import segno
from markupsafe import Markup


def drawn(text: str, *, said: str) -> Markup:
    """An SVG with its quiet zone, black on white in every light, since cameras want it so; `said` stands for it."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out, kind="svg", omitsize=True, border=4, dark="#000", light="#fff", xmldecl=False, svgns=False, title=said
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn by the library; the text is in no attribute of it


def lines(text: str) -> list[str]:
    """For a terminal, with its quiet zone: two rows a line, in signs that fill what is light."""
    out = io.StringIO()
    segno.make_qr(text, error="m").terminal(out, border=2, compact=True)
    return out.getvalue().splitlines()
