"""Gathers the sentences of letters and pages into shared/locale, for whoever adds one or a language: `make catalogue`.

What is translated stays, what is gone goes; the compiled catalogue lies beside it, so that a clone needs no step more.
What the pages' scripts say, and the problems that the API answers them, lies as a script of words beside those.
"""

import io
import json
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from shared.words.happenings import HAPPENINGS
from shared.words.languages import DEFAULT, DOMAIN, FOLDER, LANGUAGES
from shared.words.pending_words import ENDED
from shared.words.problem import CATALOGUE
from shared.words.unreached import SENTENCES
from shared.words.user_agents import SYSTEMS

ROOT = Path(__file__).resolve().parents[1]
_Keywords = dict[str, tuple[int, ...] | None]
_MARKED: _Keywords = {"later": None, "say_many": (1, 2)}
_PROBLEMS: _Keywords = {"HomeError": (2,)}
"""A problem's detail is English wherever it arises; a page says it in the reader's language."""
_ANSWER_SCRIPTS = (
    "gateway/desk",
    "gateway/door",
    *(f"auth_service/{one}" for one in ("account", "people", "signing_in")),
)
"""Whose problems a script is answered; all other answers are pages, which say them themselves."""
WITH_SENTENCES: dict[str, _Keywords] = {
    "alert_service": _MARKED,
    "auth_service": _MARKED | _PROBLEMS,
    "deploy/giving_away": _MARKED,
    "gateway": _MARKED | _PROBLEMS | {"say": None},
}
"""Where sentences are, and by which calls. In services `say` is also what others do."""
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
SCRIPTS = ROOT / "gateway" / "static"
_IN_SCRIPTS: _Keywords = {"later": None, "say": None, "sayMany": (1, 2)}
_OPTIONS = {"templates/**.html": {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}
_NO_DAY = datetime(1970, 1, 1, tzinfo=UTC)
"""So that nothing is written anew but for a sentence."""
_WIDTH = 120


def sentences() -> Catalog:
    """Every sentence of the source, and where it is said."""
    found = Catalog(fuzzy=False)
    # Babel warns of each detail of a problem that is an f-string; those are said in English.
    warnings.filterwarnings("ignore", "Skipping f-string", module="babel")
    for package, keywords in WITH_SENTENCES.items():
        for name, line, said, _, _ in extract_from_dir(
            ROOT / package, method_map=_METHODS, options_map=_OPTIONS, keywords=keywords, strip_comment_tags=True
        ):
            found.add(said, locations=[(f"{package}/{name}", line)])
    for said, path in _of_scripts():
        found.add(said, locations=[(path, 1)])
    for path, those in (
        ("shared/words/happenings.py", HAPPENINGS.values()),
        ("shared/words/problem.py", (entry.title for entry in CATALOGUE.values())),
        ("shared/words/problem.py", (entry.advice for entry in CATALOGUE.values())),
        ("shared/words/pending_words.py", ENDED.values()),
        ("shared/words/unreached.py", SENTENCES.values()),
        ("shared/words/user_agents.py", SYSTEMS),
    ):
        for sentence in those:
            found.add(sentence, locations=[(path, 1)])
    return found


def _of_scripts() -> Iterator[tuple[str | tuple[str, ...], str]]:
    """What scripts say, and where."""
    for name, _, said, _, _ in extract_from_dir(
        SCRIPTS, method_map=[("**.js", "javascript")], keywords=_IN_SCRIPTS, strip_comment_tags=True
    ):
        if not name.startswith(("words.", "problems.")):
            yield said, f"gateway/static/{name}"


def words_of_scripts(language: str) -> dict[Path, str]:
    """The scripts that teach a page's other scripts a language: their own sentences, and those of problems, apart.

    A page needs the latter when something went wrong, and asks for them then (static/tongue.js).
    """
    own = {said if isinstance(said, str) else said[0] for said, _ in _of_scripts()}
    problems = {text for entry in CATALOGUE.values() for text in (entry.title, entry.advice)}
    for package in _ANSWER_SCRIPTS:
        problems |= {
            said
            for _, _, said, _, _ in extract_from_dir(ROOT / package, [("**.py", "python")], keywords=_PROBLEMS)
            if isinstance(said, str)
        }
    return {
        SCRIPTS / f"words.{language}.js": _teaching(language, own),
        SCRIPTS / f"problems.{language}.js": _teaching(language, problems - own),
    }


def _teaching(language: str, wanted: set[str]) -> str:
    catalogue = translated(language)
    known = {said: found.string for said in sorted(wanted) if (found := catalogue.get(said)) is not None}
    lines = [f"  {_quoted(said)}: {_quoted(string)},\n" for said, string in known.items()]
    head = '// Written by `make catalogue` from shared/locale.\n\nimport { teach } from "./tongue.js";\n\n'
    return head + "teach({\n" + "".join(lines) + "});\n"


def _quoted(text: object) -> str:
    return json.dumps(text, ensure_ascii=False)


def translated(language: str) -> Catalog:
    """What a language has so far."""
    path = _path(language)
    if not path.exists():
        return Catalog(locale=language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def compiled(language: str) -> bytes:
    """The compiled form of what a language has."""
    written = io.BytesIO()
    catalogue = translated(language)
    catalogue.project, catalogue.version, catalogue.last_translator = "homesystem", "1", ""
    catalogue.creation_date = catalogue.revision_date = _NO_DAY
    write_mo(written, catalogue)
    return written.getvalue()


def update(language: str) -> int:
    """Bring one language up to date; returns how many sentences are not translated."""
    catalogue = translated(language)
    catalogue.update(sentences(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    written = io.BytesIO()
    write_po(written, catalogue, width=_WIDTH, sort_output=True, omit_header=True, include_lineno=False)
    path = _path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written.getvalue())
    path.with_suffix(".mo").write_bytes(compiled(language))
    for script, text in words_of_scripts(language).items():
        script.write_text(text)
    return sum(1 for one in catalogue if one.id and not is_translated(one.string))


def is_translated(string: str | Sequence[str] | None) -> bool:
    """Whether there are words for it, of a plural for every form."""
    return bool(string) if string is None or isinstance(string, str) else all(string)


def _path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


if __name__ == "__main__":
    for one in LANGUAGES:
        if one != DEFAULT:
            print(f"{one}: {update(one)} sentences are not translated")
