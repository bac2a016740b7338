"""Writes docs/authorization.md, who may what, from the table that the tests ask every route by: `make matrix`."""

from pathlib import Path
from typing import Final

from tests.unit.gateway.door.authorization import RULES, Answer, Visitor

PAGE: Final = Path(__file__).resolve().parents[1] / "docs/authorization.md"
_HEAD: Final = """\
# Who may what

Written from the table of rules in `tests/unit/gateway/door/authorization.py` by `make matrix`; not by hand. There
`tests/unit/gateway/door/test_authorization.py` asks every route of the gateway as everyone who stands on top of a
column, and a route without a rule, or a rule without a route, fails. HEAD is answered as GET is.

"""
_TAIL: Final = """
- **yes**: it is done, or shown. Where one may see only a part, it is that part: a guest's list has the devices of
  grants that hold at this moment, a history what one may read ([api.md](api.md)).
- **sign in**: `401 sign-in-required`; a browser is led to the page for signing in.
- **forbidden**: `403 forbidden`, and nothing was done.
- **not there**: `404`, in the same words as for what does not exist. What no grant names is answered to a guest as
  outside the hour, at every moment. Whoever is not signed in is told the same whether a room exists or not.

Every POST, PUT, PATCH and DELETE without the CSRF token, with another browser's, or from a page of another origin is
answered `403 csrf`, whoever asks, before anything else is looked at.
"""


def written() -> str:
    """The page as it must be."""
    lines = [f"| | {' | '.join(Visitor)} |", f"|---|{'---|' * len(Visitor)}"]
    for rule in RULES:
        answers = " | ".join(_shown(rule.row[visitor]) for visitor in Visitor)
        lines.append(f"| `{rule.route}`{f', {rule.when}' if rule.when else ''} | {answers} |")
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


def _shown(answer: Answer) -> str:
    return f"**{answer}**" if answer is Answer.YES else str(answer)


if __name__ == "__main__":
    PAGE.write_text(written())
